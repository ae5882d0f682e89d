"""The machines of a study, told apart by host and scope of processes, with their shares."""

import time
from collections.abc import Callable, Iterator

import pytest

from storage.live.machines import MachineRow
from storage.rows import HandBackReason
from storage.store import Claim, Store
from tests.storage.samples import finished, new_study, new_worker

CPU = "cpu: x86_64"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store with a study of three trials."""
    with Store.open(database_url) as store:
        store.create(new_study("toy", trials=3))
        yield store


def join(store: Store, name: str, host: str = "box", scope: str = "boot pid:[1]") -> None:
    machine = {"process_scope": scope, "device_class": CPU, "gpu": ""}
    store.register_worker("toy", new_worker(name, host=host, machine=machine))


def claim(store: Store, worker: str) -> Claim:
    claimed = store.claim("toy", worker, lease_seconds=30)
    assert isinstance(claimed, Claim)
    return claimed


def record(store: Store, held: Claim, *epochs: int) -> None:
    for epoch in epochs:
        store.record(held, epoch, {"val_loss": 0.5}, 0.5, seconds=1.0, images=10)


def machines(store: Store, **given: int) -> dict[tuple[str, str], MachineRow]:
    rows = store.machines("toy", silent_seconds=120, **given)
    return {(row.host, row.scope): row for row in rows}


def test_a_machine_has_the_trials_that_ended_and_the_epochs_that_were_recorded_there(
    store: Store,
) -> None:
    join(store, "a", "box-1")
    join(store, "b", "box-2")
    begun = claim(store, "a")
    record(store, begun, 1, 2)
    store.hand_back(begun, HandBackReason.DRAINED)
    taken_over = claim(store, "b")
    record(store, taken_over, 3)
    store.tell(taken_over, finished(0.5))

    one, two = machines(store).values()
    assert (one.host, one.trials, one.epochs) == ("box-1", 0, 2)
    assert (two.host, two.trials, two.epochs) == ("box-2", 1, 1)
    assert one.devices == [[CPU, ""]]
    assert one.seconds > 0


def test_two_containers_of_one_name_are_two_machines_and_two_workers_of_one_are_one(
    store: Store,
) -> None:
    join(store, "a")
    join(store, "b")
    join(store, "c", scope="boot pid:[2]")

    found = machines(store)
    assert found[("box", "boot pid:[1]")].workers == 2
    assert found[("box", "boot pid:[2]")].workers == 1


def test_a_worker_that_has_ended_or_is_silent_works_no_more(
    store: Store, sql: Callable[..., object]
) -> None:
    for name, host in (("a", "ended"), ("b", "silent"), ("c", "holds"), ("d", "waits")):
        join(store, name, host)
    claim(store, "c")
    store.worker_ended("a", 0, "")
    sql(
        "UPDATE search_service.workers SET seen_at = seen_at - interval '5 min'"
        " WHERE host <> 'waits'"
    )

    at_work = {row.host: row.at_work for row in machines(store).values()}
    assert at_work == {"ended": 0, "silent": 0, "holds": 1, "waits": 1}


def test_the_machine_of_a_single_one_is_read_only_where_it_is_asked_for(store: Store) -> None:
    join(store, "a")

    assert machines(store, at_least=2) == {}
    assert len(machines(store)) == 1


def test_a_worker_has_the_difference_between_its_clock_and_the_databases(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    join(store, "right")
    monkeypatch.setattr(time, "time", lambda: real() - 7200)
    join(store, "behind")

    ahead = {row.worker: row.machine["clock_ahead_seconds"] for row in store.workers("toy")}
    assert ahead["right"] == pytest.approx(0, abs=1)
    assert ahead["behind"] == pytest.approx(-7200, abs=1)
