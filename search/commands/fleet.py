"""The commands of a fleet: a study's workers on a cluster, kept alive by an engine."""

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from search.database import open_store
from search.errors import UsageError
from search.fleet.engine import Engine, Fleet, Order, open_engine
from search.fleet.lifetime import (
    bring_down,
    bring_up,
    job_of,
    secrets_of,
    shared_environment,
    with_secrets_of,
)
from search.fleet.options import resolve_options
from search.fleet.places import Place, place_to_json, places
from search.fleet.remember import remembered
from search.settings import Settings
from search.studies.declare import stored_name
from search.studies.reopen import has_ended
from search.terminal.console import page, print_table
from spaces.exits import DONE
from storage.rows import StudyRow
from storage.store import Store


def up(arguments: Namespace, settings: Settings) -> int:
    """Bring a study's fleet to the number of workers that is asked for."""
    name = stored_name(arguments.study)
    earlier = remembered(settings, name)
    engine_name = _engine_name(arguments.engine, earlier)
    engine = open_engine(engine_name)
    settings = with_secrets_of(settings, arguments.secrets or secrets_of(earlier))
    if settings.database_url is None:
        raise UsageError(
            "the embedded Postgres of a home answers on its own machine only",
            "start a Postgres that every node reaches, and write its SEARCH_DATABASE_URL into a"
            " file of mode 0600 for --secrets",
        )
    with open_store(settings) as store:
        row = store.study(name)
        order = _order(arguments, earlier, settings, row)
        if arguments.print or arguments.out:
            print(engine.render(order))
            return DONE
        fleet = bring_up(engine_name, order, settings, store, tell=_tell)
        return _show(engine, fleet, store, arguments.json)


def status(arguments: Namespace, settings: Settings) -> int:
    """Print a line for each worker of a study's fleet."""
    fleet = _fleet(arguments, settings)
    settings = with_secrets_of(settings, secrets_of(fleet))
    with open_store(settings) as store:
        return _show(open_engine(fleet.engine), fleet, store, arguments.json)


def down(arguments: Namespace, settings: Settings) -> int:
    """End a study's fleet: every worker hands its trial back, or is killed."""
    fleet = _fleet(arguments, settings)
    killed = bring_down(fleet, settings, tell=_tell, now=arguments.now)
    if arguments.json:
        print(json.dumps({"study": fleet.study, "killed": killed}))
    else:
        print(f"the fleet of {fleet.study} is down; name the options again for another one")
    return DONE


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


def _order(arguments: Namespace, earlier: Fleet | None, settings: Settings, row: StudyRow) -> Order:
    options = resolve_options(vars(arguments), earlier)
    return Order(
        study=row.name,
        job=job_of(row),
        home=settings.home,
        workers=arguments.workers,
        per_gpu=options["per_gpu"],
        uses_gpu=not options["cpu"],
        address=arguments.address or (earlier.address if earlier else None),
        data=options["data"] and Path(options["data"]),
        code=options["code"] and Path(options["code"]),
        secrets=settings.secrets_file and settings.secrets_file.resolve(),
        environment=shared_environment(settings, earlier),
        accepts_versions=options["accept_versions"],
        out=arguments.out,
        options=options,
    )


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
