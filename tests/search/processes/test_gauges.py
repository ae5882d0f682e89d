"""The readings of a worker's process and GPU, with a GPU that is away, hangs or tells little."""

import os
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pynvml
import pytest

from search.processes import driver
from search.processes.gauges import Gauges, Impatient, gpu_readings, read_gpu
from search.processes.gpus import gpus

without_gpu = pytest.mark.skipif(
    bool(gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))), reason="needs a machine without a GPU"
)


def test_a_process_has_its_memory_and_its_share_of_the_processor() -> None:
    gauges = Gauges("cpu")
    ends_at = time.process_time() + 0.2
    while time.process_time() < ends_at:
        sum(range(1000))
    readings = gauges.read()
    assert readings.keys() == {"rss_bytes", "cpu_percent"}
    assert readings["rss_bytes"] > 10_000_000
    assert readings["cpu_percent"] > 1


@without_gpu
def test_a_machine_without_nvml_or_driver_has_no_reading_of_a_gpu() -> None:
    with pytest.raises(pynvml.NVMLError_LibraryNotFound):
        pynvml.nvmlInit()
    with pytest.raises(OSError, match="libcuda"):
        driver.first_gpu_uuid()
    assert read_gpu() == {}
    assert Gauges("cuda").read().keys() == {"rss_bytes", "cpu_percent"}


def test_a_driver_that_hangs_is_waited_for_once_and_asked_again_when_it_has_answered() -> None:
    answers, asked = threading.Event(), []

    def hang() -> dict[str, int]:
        asked.append(threading.get_ident())
        answers.wait(60)
        return {"gpu_percent": 5}

    ask = Impatient(hang, 0.05)
    assert [ask(), ask(), ask()] == [{}, {}, {}]
    assert len(asked) == 1
    answers.set()
    patient_until = time.monotonic() + 30
    while not (answer := ask()) and time.monotonic() < patient_until:
        pass
    assert answer == {"gpu_percent": 5}
    assert ask() == {"gpu_percent": 5}
    assert len(asked) == 2


def refuse(code: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise pynvml.NVMLError(code)

    return refuse


NOT_FOUND = refuse(pynvml.NVML_ERROR_NOT_FOUND)
PART = {
    "nvmlDeviceGetHandleByUUID": lambda uuid: "part" if uuid == "MIG-1234" else NOT_FOUND(),
    "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": {"part": "whole"}.get,
    "nvmlDeviceGetMemoryInfo": {"part": pynvml.c_nvmlMemory_t(total=20, free=15, used=5)}.get,
    "nvmlDeviceGetUtilizationRates": refuse(pynvml.NVML_ERROR_NOT_SUPPORTED),
    "nvmlDeviceGetTemperatureV": refuse(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND),
    "nvmlDeviceGetTemperature": lambda gpu, sensor: {("whole", 0): 61}[gpu, sensor],
    "nvmlDeviceGetPowerUsage": {"whole": 250_500}.get,
    "nvmlDeviceGetName": {"whole": "H200"}.get,
}


def test_a_part_of_a_gpu_tells_its_memory_and_the_rest_of_the_whole() -> None:
    nvml = SimpleNamespace(**vars(pynvml) | PART)
    assert gpu_readings(nvml, "1234") == {
        "gpu_used_bytes": 5,
        "gpu_total_bytes": 20,
        "gpu_celsius": 61,
        "gpu_watts": 250.5,
        "gpu_name": "H200",
    }


def test_the_functions_that_are_asked_are_those_of_nvml() -> None:
    assert [name for name in PART if not callable(getattr(pynvml, name, None))] == []
