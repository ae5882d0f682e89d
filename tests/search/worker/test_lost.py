"""A worker whose GPU may be lost: what a fresh process says of it decides how its trial ends."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from objectives.contract import DataError, OutOfMemory
from objectives.script.failures import failure_of
from search.errors import DeviceLost
from search.worker import attempt
from search.worker.endings import Ending, Failed, HandedBack, failure
from search.worker.loop import work
from search.worker.lost import or_lost
from storage.rows import HandBackReason, Outcome
from storage.store import Store
from tests.madeup.gpus import MadeUp, MadeUpGpus, uuid
from tests.search.toy_worker import make_worker

CUDA = getattr(torch, "AcceleratorError", RuntimeError)
SCRIPT = failure_of("train.py", 1, "RuntimeError: CUDA error: unknown error\n")
KILLED = failure_of("train.py", -9, "")


@pytest.fixture
def ending_on(
    store: Store, tmp_path: Path, made_up_gpus: MadeUpGpus, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Exception, str], Ending]:
    """Gives the ending of a trial by an error, on a GPU in a state."""

    def ending(error: Exception, state: str) -> Ending:
        made_up_gpus.put(MadeUp(uuid(1), state))
        for name, text in made_up_gpus.environment(f"GPU-{uuid(1)}").items():
            monkeypatch.setenv(name, text)
        worker = replace(make_worker(store, tmp_path), device="cuda", gpu="3")
        with pytest.raises(type(error)) as raised:
            raise error
        return or_lost(failure(raised.value), worker)

    return ending


@pytest.mark.parametrize(
    "error",
    [
        CUDA("CUDA error: unknown error"),
        RuntimeError("No CUDA GPUs are available"),  # words that no list of ours has
        SCRIPT,
        KILLED,
    ],
    ids=["cuda", "own words", "script", "killed script"],
)
def test_the_trial_of_a_gpu_that_no_longer_answers_is_handed_back(ending_on, error):
    ended = ending_on(error, "lost")
    assert isinstance(ended, HandedBack)
    assert ended.reason == HandBackReason.DEVICE_LOST
    why = f"GPU 3 of {socket.gethostname()} is lost: CUDA sees no device ("
    assert str(ended.detail).startswith(why)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CUDA("CUDA error: an illegal memory access"), HandBackReason.CUDA_ERROR),
        (KILLED, HandBackReason.KILLED),
        (SCRIPT, Outcome.CODE_ERROR),
        (ValueError("no such class"), Outcome.CODE_ERROR),
    ],
    ids=["cuda", "killed script", "script", "code"],
)
def test_on_a_gpu_that_answers_the_fault_is_that_of_the_code(ending_on, error, expected):
    ended = ending_on(error, "well")
    assert (ended.outcome if isinstance(ended, Failed) else ended.reason) == expected


@pytest.mark.parametrize("error", [OutOfMemory("full"), DataError("torn", "mend it")], ids=repr)
def test_full_memory_and_broken_data_are_no_sign_of_a_lost_gpu(ending_on, error):
    assert isinstance(ending_on(error, "lost"), Failed)


def test_the_worker_of_a_lost_gpu_hands_back_and_ends_with_the_line(
    store: Store, tmp_path: Path, made_up_gpus: MadeUpGpus, monkeypatch: pytest.MonkeyPatch
):
    made_up_gpus.put(MadeUp(uuid(1), "214"))
    for name, text in made_up_gpus.environment(f"GPU-{uuid(1)}").items():
        monkeypatch.setenv(name, text)

    def breaks(*_: object) -> HandedBack:
        return HandedBack(HandBackReason.CUDA_ERROR, "AcceleratorError: CUDA error: ECC")

    monkeypatch.setattr(attempt, "run_trial", breaks)
    worker = replace(make_worker(store, tmp_path), device="cuda", gpu="3")

    with pytest.raises(DeviceLost, match=r"GPU 3 of .* \(ECC\).*reset the GPU") as raised:
        work(worker)

    assert raised.value.exit_code == 76
    assert [row.reason for row in store.attempts("toy")] == ["device lost"]
    assert [trial.state for trial in store.trials("toy")][:1] == ["RUNNING"]
