"""The verdict on a study: its state, and what to do."""

import re
from dataclasses import replace

from dashboards.analysis.frame import read_frame
from dashboards.analysis.snapshot import read_snapshot
from dashboards.analysis.verdict import State, Verdict, verdict_of
from spaces.exits import DEVICE_LOST
from spaces.stored import StoredStudy, fingerprint, to_json
from storage.rows import HandBackReason
from storage.store import Claim, Store
from tests.dashboards.conftest import STUDY
from tests.storage.samples import finished, new_study, new_worker


def judged(store: Store) -> Verdict:
    return verdict_of(read_snapshot(store, "toy"), store.recent_workers("toy", most=1))


def create(store: Store) -> None:
    stored = StoredStudy(replace(STUDY, trials=2, fixed={"batch_size": 64}))
    store.create(new_study(definition=to_json(stored), fingerprint=fingerprint(stored), trials=2))


def with_trial(store: Store) -> Claim:
    create(store)
    store.register_worker("toy", new_worker("ada"))
    return take(store, "ada")


def take(store: Store, worker: str) -> Claim:
    claim = store.claim("toy", worker, lease_seconds=30)
    assert isinstance(claim, Claim)
    return claim


def test_a_study_without_a_worker_waits_and_names_the_command(store: Store) -> None:
    create(store)

    verdict = judged(store)

    assert verdict.state is State.WAITING
    assert verdict.command == "search run --study toy --workers 1"
    assert "no worker has registered yet; a run that has just begun needs" in verdict.text


def test_a_study_starts_until_its_first_epoch_is_over(store: Store) -> None:
    claim = with_trial(store)
    assert judged(store).state is State.STARTING

    store.record(claim, 1, {"val_loss": 1.0}, 1.0, seconds=1.0, images=10)
    assert judged(store).state is State.RUNNING


def test_a_worker_that_waits_for_images_is_named(store: Store) -> None:
    waits = {"val_loss": 1.0, "data_wait_s": 3.0, "compute_s": 7.0}
    store.record(with_trial(store), 1, waits, 1.0, seconds=10.0, images=10)

    assert any(note.startswith("ada waits 30") for note in judged(store).notes)


def test_a_worker_that_slows_down_and_a_short_memory_are_named(store: Store) -> None:
    claim = with_trial(store)
    store.record(claim, 1, {"val_loss": 1.0}, 1.0, seconds=10.0, images=100)
    store.record(claim, 2, {"val_loss": 2.0}, 2.0, seconds=14.0, images=100)
    assert judged(store).notes == ()

    store.record(claim, 3, {"val_loss": 2.0, "micro_batch": 16}, 2.0, seconds=20.0, images=100)

    slow, short = judged(store).notes
    assert slow.startswith("ada trains at 50")
    assert slow.endswith("of its speed in epoch 1")
    assert short == "memory is short: 1 running trial takes a batch in parts"


def test_workers_without_a_trial_are_not_called_healthy(store: Store) -> None:
    create(store)
    store.register_worker("toy", new_worker("ada"))
    assert judged(store).line == "Starting. 1 worker here, none has a trial yet."

    claim = store.claim("toy", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    assert judged(store).text == "1 worker here, no epoch is over yet."
    store.tell(claim, finished(0.5))

    verdict = judged(store)
    assert (verdict.state, verdict.title) == (State.RUNNING, "Between trials.")
    assert verdict.text == "1 worker here, none has a trial yet, nothing failed."


def test_a_worker_that_died_is_named_while_others_train(store: Store) -> None:
    store.record(with_trial(store), 1, {"val_loss": 1.0}, 1.0, seconds=1.0, images=10)
    store.register_worker("toy", new_worker("bob"))
    claim = store.claim("toy", "bob", lease_seconds=30)
    assert isinstance(claim, Claim)
    store.hand_back(claim, HandBackReason.KILLED)
    store.worker_ended("bob", -9, "it was killed")

    verdict = judged(store)

    assert (verdict.state, verdict.text) == (
        State.RUNNING,
        "1 of 1 worker trains, nothing failed.",
    )
    [note] = verdict.notes
    assert re.fullmatch(r"a worker died \d+.s ago \(signal 9\); its trial goes on", note)

    store.worker_ended("bob", 75, "handed back")
    assert judged(store).notes == ()


def test_a_lost_gpu_is_named_until_a_worker_trains_on_it_again(store: Store) -> None:
    store.record(with_trial(store), 1, {"val_loss": 1.0}, 1.0, seconds=1.0, images=10)
    store.register_worker("toy", new_worker("bob", machine={"gpu": "3"}))
    store.hand_back(take(store, "bob"), HandBackReason.DEVICE_LOST)
    line = "GPU 3 of box is lost: CUDA sees no device"
    store.worker_ended("bob", DEVICE_LOST, line)

    assert judged(store).notes == (line,)
    assert read_frame(store, "toy").lost == (line,)

    store.register_worker("toy", new_worker("eve", machine={"gpu": "3"}))
    assert judged(store).notes == read_frame(store, "toy").lost == ()


def test_a_study_whose_gpus_are_all_lost_has_stopped_by_itself(store: Store) -> None:
    store.hand_back(with_trial(store), HandBackReason.DEVICE_LOST)
    store.worker_ended("ada", DEVICE_LOST, "GPU 0 of box is lost: CUDA sees no device")

    verdict = judged(store)

    assert verdict.state is State.FAILED
    assert "GPU 0 of box is lost" in verdict.line


def test_a_stop_is_told_before_and_after_the_workers_ended(store: Store) -> None:
    claim = with_trial(store)
    store.record(claim, 1, {"val_loss": 1.0}, 1.0, seconds=1.0, images=10)
    store.request_stop("toy", "drain")
    assert judged(store).state is State.STOPPING

    store.hand_back(claim, HandBackReason.DRAINED)
    store.worker_ended("ada", 75, "handed back")
    assert judged(store).state is State.STOPPED


def test_the_reason_of_a_study_that_stopped_by_itself_is_told_with_its_fix(store: Store) -> None:
    store.hand_back(with_trial(store), HandBackReason.KILLED)
    store.worker_ended("ada", 3, "three trials ended by the same error (no kernel)")

    verdict = judged(store)

    assert verdict.state is State.FAILED
    assert "no kernel" in verdict.line
    assert verdict.command == "search run --study toy"


def test_a_finished_study_names_the_export(store: Store) -> None:
    claim = with_trial(store)
    store.tell(claim, finished(0.5))
    second = store.claim("toy", "ada", lease_seconds=30)
    assert isinstance(second, Claim)
    store.tell(second, finished(0.4))

    verdict = judged(store)

    assert verdict.state is State.FINISHED
    assert "search export --study toy" in verdict.command
