"""The lifetime of a fleet: brought up, remembered, brought down, forgotten."""

import os
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha1
from pathlib import Path

from search.database import open_store
from search.errors import UsageError
from search.fleet.engine import Fleet, Order, Slot, Tell, open_engine
from search.fleet.places import free_the_killed, places
from search.fleet.remember import fleet_file, forget, remember, remembered, sole_command
from search.secrets_file import VARIABLE as SECRETS_FILE
from search.settings import Settings, read_settings
from spaces.errors import UserError
from storage.errors import StorageError, UnknownStudy
from storage.rows import StudyRow
from storage.store import Store


def bring_up(engine: str, order: Order, settings: Settings, store: Store, *, tell: Tell) -> Fleet:
    """Bring a fleet to the number of workers of an order, and remember it.

    A stop of the study is taken back. A fleet that is refused at its first order is not remembered.
    """
    with sole_command(settings, order.study):
        if store.study(order.study).stop:  # else nothing is written: it may be the workers' role
            store.clear_stop(order.study)
        secrets = str(order.secrets) if order.secrets else None
        is_first = remembered(settings, order.study) is None
        if is_first:  # remembered before it is there, for an order that is broken off
            remember(settings, _begun(engine, order, secrets))
        try:
            fleet = open_engine(engine).up(order, tell)
        except UserError:
            if is_first:
                forget(settings, order.study)
            raise
        fleet = replace(
            fleet, secrets=secrets, options=order.options, environment=order.environment
        )
        remember(settings, fleet)
        return fleet


def bring_down(fleet: Fleet, settings: Settings, *, tell: Tell, now: bool) -> int:
    """End every worker, free the trials of killed ones, forget the fleet; count the killed places.

    It needs no database, and no study there: a fleet must not outlive them.
    """
    engine = open_engine(fleet.engine)
    with sole_command(settings, fleet.study):
        try:
            killed = engine.down(fleet, tell, now=now)
        except UsageError as error:
            gone = f"if that is gone for good, remove {fleet_file(settings, fleet.study)}"
            raise UsageError(error.found, f"{error.fix}; {gone}") from error
        forget(settings, fleet.study)
    if killed:
        _free(settings, fleet, killed, tell)
    return len(killed)


def with_secrets_of(settings: Settings, file: Path | None) -> Settings:
    """Return the settings with the secrets of a file, for this command and its libraries."""
    if file is None or file == settings.secrets_file:
        return settings
    os.environ[SECRETS_FILE] = str(file.resolve())
    return read_settings()


def secrets_of(fleet: Fleet | None) -> Path | None:
    """Return the file of secrets that a fleet was started with."""
    return Path(fleet.secrets) if fleet and fleet.secrets else None


def job_of(row: StudyRow) -> str:
    """Name a stored study's fleet; one of this name in another database has another."""
    mark = sha1(f"{row.name} {row.study_id} {row.created_at.isoformat()}".encode())
    return f"{row.name}-{mark.hexdigest()[:8]}"


def shared_environment(settings: Settings, earlier: Fleet | None) -> dict[str, str]:
    """Return the variables that all workers of a study share and that are no secret.

    earlier: the fleet that is there already; it keeps those that are not set now.
    """
    artifacts, lease, beat = "SEARCH_ARTIFACTS", "SEARCH_LEASE_SECONDS", "SEARCH_BEAT_SECONDS"
    kept = dict(earlier.environment) if earlier else {}
    given = {name for name in (artifacts, lease, beat) if os.environ.get(name, "").strip()}
    if settings.shared_artifacts and (artifacts in given or artifacts not in kept):
        kept[artifacts] = settings.shared_artifacts
    if given & {lease, beat} or lease not in kept:  # together: a beat is a third of its lease
        kept |= {lease: f"{settings.lease_seconds:g}", beat: f"{settings.beat_seconds:g}"}
    if earlier and earlier.engine == "k8s" and kept != earlier.environment:
        raise UsageError(
            f"{' '.join(sorted(given))} cannot change while the fleet on k8s is up",
            f"unset that, or end the fleet first: `search fleet down --study {earlier.study}`",
        )
    return kept


def _begun(engine: str, order: Order, secrets: str | None) -> Fleet:
    return Fleet(
        engine=engine,
        study=order.study,
        job=order.job,
        workers=0,
        address=order.address,
        secrets=secrets,
        options=order.options,
        environment=order.environment,
    )


def _free(settings: Settings, fleet: Fleet, killed: Sequence[Slot], tell: Tell) -> None:
    """Free the trials of killed workers; without the database, say when others get them."""
    try:
        with open_store(with_secrets_of(settings, secrets_of(fleet))) as store:
            free_the_killed(store, places(killed, store.workers(fleet.study)))
    except UnknownStudy:
        return
    except (StorageError, UsageError) as error:
        tell(f"trials of the killed workers go on once their leases expire, because {error.found}")
