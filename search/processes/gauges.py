"""Readings of a worker's process and GPU, taken before a beat and stored with it."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from search.processes import driver
from storage.rows import Reading

PATIENCE_SECONDS = 1.0  # a driver in a bad state may never answer; a beat comes every 10 s

Readings = Mapping[str, Any]  # the keys are those of Reading


class Gauges:
    """The readings of this process, and of the GPU that it sees first.

    device: "cuda" or "cpu"; on a CPU NVML is not asked.
    """

    def __init__(self, device: str) -> None:
        self._process = psutil.Process()
        self._read_process()  # the first reading of a processor's share is always 0
        self._gpu = Impatient(read_gpu, PATIENCE_SECONDS) if device == "cuda" else None

    def read(self) -> dict[str, Any]:
        """Read what can be read within a second or so; empty where nothing can."""
        return {**self._read_process(), **(self._gpu() if self._gpu else {})}

    def _read_process(self) -> Readings:
        try:
            with self._process.oneshot():
                return {
                    Reading.RSS_BYTES: self._process.memory_info().rss,
                    Reading.CPU_PERCENT: self._process.cpu_percent(),
                }
        except (psutil.Error, OSError):
            return {}


class Impatient:
    """A call to `read` that returns nothing where `read` takes longer than `seconds`.

    A thread waits for the late answer; until it has come, `read` is not called again.
    """

    def __init__(self, read: Callable[[], Readings], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._thread: threading.Thread | None = None
        self._answer: Readings = {}

    def __call__(self) -> Readings:
        """Return the answer, or nothing."""
        if self._thread is None:
            self._answer = {}
            self._thread = threading.Thread(target=self._ask, name="gauges", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no more threads on this machine
                self._thread = None
                return {}
        self._thread.join(self._seconds)
        if self._thread.is_alive():
            return {}
        self._thread = None
        return self._answer

    def _ask(self) -> None:
        self._answer = self._read()


def read_gpu() -> Readings:
    """Read the first GPU that CUDA sees here; empty without a driver or without NVML."""
    import pynvml  # only where there is a GPU

    try:
        pynvml.nvmlInit()
        return gpu_readings(pynvml, driver.first_gpu_uuid())
    except (pynvml.NVMLError, OSError):
        return {}


def gpu_readings(nvml: Any, uuid: str) -> Readings:
    """Read a GPU, or the part of one that MIG makes; what it does not tell is left out.

    CUDA names the device: NVML counts all of the machine, in another order, whatever
    CUDA_VISIBLE_DEVICES says.

    nvml: the module pynvml.
    uuid: as CUDA has it, without the word in front.
    """
    part = _handle(nvml, uuid)
    whole = _whole(nvml, part)
    found: dict[str, Any] = {}
    for read in (_memory, _use):
        found |= _told(nvml, read, part)
    for read in (_celsius, _watts, _name):
        found |= _told(nvml, read, whole)
    return found


def _handle(nvml: Any, uuid: str) -> Any:
    try:
        return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except nvml.NVMLError:
        return nvml.nvmlDeviceGetHandleByUUID(f"MIG-{uuid}")


def _whole(nvml: Any, part: Any) -> Any:
    """Return the GPU of a part, which has the temperature; a whole GPU is its own."""
    try:
        return nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(part)
    except nvml.NVMLError:
        return part


def _told(nvml: Any, read: Callable[[Any, Any], Readings], gpu: Any) -> Readings:
    try:
        return read(nvml, gpu)
    except nvml.NVMLError:  # such as the use of a part, or the power in a virtual machine
        return {}


def _memory(nvml: Any, gpu: Any) -> Readings:
    memory = nvml.nvmlDeviceGetMemoryInfo(gpu)
    return {Reading.GPU_USED_BYTES: memory.used, Reading.GPU_TOTAL_BYTES: memory.total}


def _use(nvml: Any, gpu: Any) -> Readings:
    return {Reading.GPU_PERCENT: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu}


def _celsius(nvml: Any, gpu: Any) -> Readings:
    sensor = nvml.NVML_TEMPERATURE_GPU
    try:
        return {Reading.GPU_CELSIUS: nvml.nvmlDeviceGetTemperatureV(gpu, sensor)}
    except nvml.NVMLError_FunctionNotFound:  # a driver before 560
        return {Reading.GPU_CELSIUS: nvml.nvmlDeviceGetTemperature(gpu, sensor)}


def _watts(nvml: Any, gpu: Any) -> Readings:
    return {Reading.GPU_WATTS: nvml.nvmlDeviceGetPowerUsage(gpu) / 1000}


def _name(nvml: Any, gpu: Any) -> Readings:
    return {Reading.GPU_NAME: nvml.nvmlDeviceGetName(gpu)}
