"""A supervisor whose GPUs fall off the bus: a made-up driver, real processes, a real Postgres."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from search.processes import lost_devices
from search.processes.ask_device import ask_device
from search.processes.devices import assign
from search.processes.gpus import Gpu
from search.processes.run import Ending, Run
from search.processes.signals import StopFlag
from search.processes.supervisor import supervise
from storage.store import Claim, Store
from tests.madeup.gpus import MadeUp, MadeUpGpus, uuid
from tests.search.processes.scripted_worker import train
from tests.search.processes.toy_run import (
    WorkerCommand,
    a_run,
    claimed,
    ignore,
    worker_command,
)

BOX = socket.gethostname()


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("well", ""),
        ("lost", "CUDA sees no device"),
        ("2", ""),  # its memory is full: of others, or of neighbours
        ("46", "the device is unavailable"),
        ("214", "an uncorrectable error of its memory (ECC)"),
        ("999", "an unknown error"),
        ("710", "CUDA's driver answers with error 710"),
    ],
)
def test_a_fresh_process_tells_a_gpu_that_answers_from_one_that_does_not(
    made_up_gpus, monkeypatch, state, trouble
):
    made_up_gpus.put(MadeUp(uuid(1)), MadeUp(uuid(2), state))
    for name, text in made_up_gpus.environment().items():
        monkeypatch.setenv(name, text)
    assert ask_device(f"GPU-{uuid(2)}").trouble == trouble
    assert ask_device(f"GPU-{uuid(1)}").trouble == ""


LOSES = 'mv "$BROKEN_GPUS" "$MADE_UP_GPUS"; kill -9 $$'  # the worker of the GPU that breaks
WAITS = "while :; do sleep .05; done"


@pytest.fixture
def on_gpus(store: Store, tmp_path: Path, made_up_gpus: MadeUpGpus) -> Callable[..., Run]:
    """Gives a run of workers that are in turn on so many GPUs, of which the first can be broken."""

    def make(command: WorkerCommand, workers: int, gpus: int, state: str = "lost") -> Run:
        made_up_gpus.put(*(MadeUp(uuid(digit)) for digit in range(1, gpus + 1)))
        well = (tmp_path / "gpus").read_bytes()
        made_up_gpus.break_one(0, state)
        (tmp_path / "gpus").rename(tmp_path / "broken")
        (tmp_path / "gpus").write_bytes(well)
        found = [Gpu(visible=f"GPU-{uuid(index + 1)}", label=str(index)) for index in range(gpus)]
        broken = {"BROKEN_GPUS": str(tmp_path / "broken"), "TOGETHER": str(workers)}
        return replace(
            a_run(store, tmp_path, range(workers), command),
            shares=assign(workers, found, 2),
            environment=made_up_gpus.environment() | broken,
        )

    return make


@pytest.mark.slow
def test_the_trial_of_a_lost_gpu_goes_on_elsewhere_and_the_gpu_is_not_used_again(
    on_gpus, store, database_url
):
    run = on_gpus(worker_command(database_url, ["lose", "outlive"]), workers=2, gpus=2)
    assert supervise(run, StopFlag(), ignore) == Ending(0)
    assert [trial.state for trial in store.trials("toy")] == ["COMPLETE"] * 3
    reasons = [attempt.reason for attempt in store.attempts("toy")]
    assert sorted(reasons) == ["device lost", "finished", "finished", "finished"]
    ends = {worker.exit_code: worker.reason for worker in store.workers("toy")}
    assert ends == {76: f"GPU 0 of {BOX} is lost: CUDA sees no device", 0: "nothing left to do"}
    assert len(store.workers("toy")) == 2


def test_a_run_whose_gpus_are_all_lost_ends_with_76_and_names_them(on_gpus, store):
    run = on_gpus(claimed(store, lambda _: LOSES), workers=1, gpus=1)
    ending = supervise(run, StopFlag(), ignore)
    assert ending.exit_code == 76
    assert f"every GPU of this run is lost (GPU 0 of {BOX})" in ending.trouble
    assert ending.trouble.endswith("`search run --study toy` goes on")
    assert [trial.state for trial in store.trials("toy")] == ["RUNNING"]


def test_workers_that_share_a_lost_gpu_end_with_it(on_gpus, store):
    run = on_gpus(claimed(store, lambda claim: WAITS if claim.number else LOSES), workers=2, gpus=1)
    assert supervise(run, StopFlag(), ignore).exit_code == 76
    assert [attempt.reason for attempt in store.attempts("toy")] == ["device lost"] * 2
    assert [worker.exit_code for worker in store.workers("toy")] == [76, 76]


def test_a_worker_that_dies_on_a_gpu_that_answers_is_started_again(on_gpus, store):
    def dies_once(claim: Claim | None) -> str:
        if claim and (claim.number, claim.attempt) == (0, 1):
            return "kill -9 $$"
        if claim:
            train(store, claim, "none", StopFlag())
        return "exit 75" if claim else "exit 0"

    run = on_gpus(claimed(store, dies_once), workers=1, gpus=1)
    assert supervise(run, StopFlag(), ignore) == Ending(0)
    assert [attempt.reason for attempt in store.attempts("toy", 0)] == ["killed", "finished"]


def test_a_driver_that_does_not_answer_has_lost_its_gpu(on_gpus, store, monkeypatch):
    monkeypatch.setattr(lost_devices, "PATIENCE_SECONDS", 1.0)
    run = on_gpus(claimed(store, lambda _: LOSES), workers=1, gpus=1, state="hang")
    ending = supervise(run, StopFlag(), ignore)
    assert ending.exit_code == 76
    assert "the driver does not answer" in ending.trouble


def test_a_worker_that_says_its_gpu_is_lost_is_believed(on_gpus):
    line = f"search: GPU 0 of {BOX} is lost: so it says; do this"
    says = f"printf '{line}' > \"$1\"; exit 76"
    run = on_gpus(lambda _, __: ["sh", "-c", says], workers=1, gpus=1)
    ending = supervise(run, StopFlag(), ignore)
    assert ending.exit_code == 76
    assert "so it says" in ending.trouble
