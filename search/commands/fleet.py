"""The commands of a fleet: a study's workers on a cluster, kept alive by an engine."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha1
from pathlib import Path

from rich.table import Table
from rich.text import Text

from search.database import open_store
from search.errors import UsageError
from search.fleet.engine import Engine, Fleet, Order, Slot, open_engine
from search.fleet.places import Place, free_the_killed, place_to_json, places
from search.fleet.remember import fleet_file, forget, remember, remembered, sole_command
from search.secrets_file import VARIABLE as SECRETS_FILE
from search.settings import Settings, read_settings
from search.studies.declare import stored_name
from search.studies.reopen import has_ended
from search.terminal.console import page, print_table
from spaces.errors import UserError
from spaces.exits import DONE
from storage.errors import StorageError, UnknownStudy
from storage.rows import StudyRow
from storage.store import Store

OF_SLURM = ("partition", "time", "warn_minutes", "sbatch")
OF_KUBERNETES = ("image", "namespace", "data_claim", "out")


def up(arguments: Namespace, settings: Settings) -> int:
    """Bring a study's fleet to the number of workers that is asked for."""
    name = stored_name(arguments.study)
    earlier = remembered(settings, name)
    engine_name = _engine_name(arguments.engine, earlier)
    engine = open_engine(engine_name)
    settings = _with_secrets(settings, arguments.secrets or _secrets_of(earlier))
    if settings.database_url is None:
        raise UsageError(
            "the embedded Postgres of a home answers on its own machine only",
            "start a Postgres that every node reaches, and write its SEARCH_DATABASE_URL into a"
            " file of mode 0600 for --secrets",
        )
    with open_store(settings) as store:
        row = store.study(name)
        order = _order(arguments, settings, row)
        if earlier and order.address is None:
            order = replace(order, address=earlier.address)
        if arguments.print or arguments.out:
            print(engine.render(order))
            return DONE
        with sole_command(settings, name):
            if row.stop:  # else nothing is written: the file may hold the role of workers
                store.clear_stop(name)
            begun = Fleet(
                engine=engine_name,
                study=name,
                job=order.job,
                workers=0,
                address=order.address,
                secrets=str(order.secrets) if order.secrets else None,
            )
            fleet = _started(engine, order, begun, settings)
        return _show(engine, fleet, store, arguments.json)


def status(arguments: Namespace, settings: Settings) -> int:
    """Print a line for each worker of a study's fleet."""
    fleet = _fleet(arguments, settings)
    settings = _with_secrets(settings, _secrets_of(fleet))
    with open_store(settings) as store:
        return _show(open_engine(fleet.engine), fleet, store, arguments.json)


def down(arguments: Namespace, settings: Settings) -> int:
    """End a study's fleet: every worker hands its trial back, or is killed.

    It needs no database, and no study there: a fleet must not outlive them.
    """
    fleet = _fleet(arguments, settings)
    engine = open_engine(fleet.engine)
    with sole_command(settings, fleet.study):
        try:
            killed = engine.down(fleet, _tell, now=arguments.now)
        except UsageError as error:
            gone = f"if that is gone for good, remove {fleet_file(settings, fleet.study)}"
            raise UsageError(error.found, f"{error.fix}; {gone}") from error
        forget(settings, fleet.study)
    if killed:
        _free(settings, fleet, killed)
    if arguments.json:
        print(json.dumps({"study": fleet.study, "killed": len(killed)}))
    else:
        print(f"the fleet of {fleet.study} is down; `search fleet up` goes on with it")
    return DONE


def _started(engine: Engine, order: Order, begun: Fleet, settings: Settings) -> Fleet:
    """Bring the fleet up and remember it; one that is refused at its first order is not.

    begun: remembered before it is there, for an order that is broken off.
    """
    is_first = remembered(settings, order.study) is None
    if is_first:
        remember(settings, begun)
    try:
        fleet = replace(engine.up(order, _tell), secrets=begun.secrets)
    except UserError:
        if is_first:
            forget(settings, order.study)
        raise
    remember(settings, fleet)
    return fleet


def _free(settings: Settings, fleet: Fleet, killed: Sequence[Slot]) -> None:
    """Free the trials of killed workers; without the database, say when others get them."""
    try:
        with open_store(_with_secrets(settings, _secrets_of(fleet))) as store:
            free_the_killed(store, places(killed, store.workers(fleet.study)))
    except UnknownStudy:
        return
    except (StorageError, UsageError) as error:
        _tell(f"trials of the killed workers go on once their leases expire, because {error.found}")


def _engine_name(given: str | None, fleet: Fleet | None) -> str:
    """Return the engine of a fleet; UsageError where another is named, or none is known."""
    if fleet and given not in (None, fleet.engine):
        raise UsageError(
            f"{fleet.study} has a fleet on {fleet.engine}, not on {given}",
            f"leave --engine out, or end that one first: `search fleet down --study {fleet.study}`",
        )
    if engine := given or (fleet and fleet.engine):
        return engine
    raise UsageError("no engine is named", "name the cluster's: --engine ray, slurm or k8s")


def _with_secrets(settings: Settings, file: Path | None) -> Settings:
    """Return the settings with the secrets of a file, for this command and its libraries."""
    if file is None or file == settings.secrets_file:
        return settings
    os.environ[SECRETS_FILE] = str(file.resolve())
    return read_settings()


def _secrets_of(fleet: Fleet | None) -> Path | None:
    return Path(fleet.secrets) if fleet and fleet.secrets else None


def _order(arguments: Namespace, settings: Settings, row: StudyRow) -> Order:
    given = vars(arguments)
    return Order(
        study=row.name,
        job=_job(row),
        home=settings.home,
        workers=arguments.workers,
        per_gpu=arguments.per_gpu,
        uses_gpu=not arguments.cpu,
        address=arguments.address,
        data=arguments.data and arguments.data.resolve(),
        code=arguments.code and arguments.code.resolve(),
        secrets=settings.secrets_file and settings.secrets_file.resolve(),
        environment=_environment(settings),
        accepts_versions=arguments.accept_versions,
        options={name: given[name] for name in (*OF_SLURM, *OF_KUBERNETES)},
    )


def _job(row: StudyRow) -> str:
    """Name a stored study's fleet; one of this name in another database has another."""
    mark = sha1(f"{row.name} {row.study_id} {row.created_at.isoformat()}".encode())
    return f"{row.name}-{mark.hexdigest()[:8]}"


def _environment(settings: Settings) -> dict[str, str]:
    """Return the variables that all workers of a study share and that are no secret."""
    shared = {"SEARCH_ARTIFACTS": settings.shared_artifacts} if settings.shared_artifacts else {}
    return {
        **shared,
        "SEARCH_LEASE_SECONDS": f"{settings.lease_seconds:g}",
        "SEARCH_BEAT_SECONDS": f"{settings.beat_seconds:g}",
    }


def _fleet(arguments: Namespace, settings: Settings) -> Fleet:
    """Return the remembered fleet; UsageError without one, or where another engine is named."""
    name = stored_name(arguments.study)
    if fleet := remembered(settings, name):
        _engine_name(arguments.engine, fleet)
        return fleet
    raise UsageError(
        f"{name} has no fleet that this home knows",
        f"start one with `search fleet up --study {name} --engine ray`, or slurm or k8s;"
        " it also finds workers that were started from elsewhere",
    )


def _show(engine: Engine, fleet: Fleet, store: Store, as_json: bool) -> int:
    found = places(engine.status(fleet), store.workers(fleet.study))
    if has_ended(store.study(fleet.study), store):
        found = [place.at_the_end() for place in found]
    if as_json:
        print(json.dumps([place_to_json(place) for place in found], indent=2))
    else:
        _print_places(found)
    return DONE


def _print_places(found: Sequence[Place]) -> None:
    table = Table("worker", "node", "GPU", "state", "pid", "restarts", "why")
    for place in found:
        slot = place.slot
        pid, restarts = ("" if each is None else str(each) for each in (slot.pid, slot.restarts))
        name = place.row.worker if place.row else slot.name
        cells = [name, slot.node, slot.gpu, place.doing, pid, restarts, slot.reason]
        table.add_row(*map(Text, cells))
    print_table(page(), table)


def _tell(line: str) -> None:
    print(f"search: {line}", file=sys.stderr, flush=True)
