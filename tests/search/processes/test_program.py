"""The words in which a supervisor starts its workers."""

from pathlib import Path

from search.processes.devices import assign
from search.processes.gpus import Gpu
from search.processes.program import worker_words

GPU = Gpu(visible="GPU-1", label="0", total_bytes=80_000_000_000)


def test_a_worker_that_shares_a_gpu_is_told_its_share_of_the_memory():
    words = worker_words("gleason", "w", assign(2, [GPU], 2)[0], data=Path("/d"))
    assert words[-4:] == ["--gpu-memory", "0.4925", "--data", "/d"]


def test_a_worker_with_a_device_of_its_own_is_not():
    for share in (assign(1, [GPU], 2)[0], assign(4, [], 2)[0]):
        assert worker_words("gleason", "w", share) == ["worker", "--study", "gleason", "--id", "w"]
