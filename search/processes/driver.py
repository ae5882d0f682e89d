"""Questions to NVIDIA's driver, which needs no torch."""

import ctypes
from uuid import UUID

OUT_OF_MEMORY = 2
UNAVAILABLE = 46
COMPUTE_MODE = 20  # an attribute of a device
EXCLUSIVE = 3  # its mode in which it serves one process at a time
ERRORS = {  # those in which a device ends, by the numbers of cuda.h
    46: "the device is unavailable",
    100: "CUDA sees no device",
    101: "CUDA sees no such device",
    214: "an uncorrectable error of its memory (ECC)",
    719: "a launch failed",
    802: "the system is not ready",
    999: "an unknown error",
}


def count_gpus() -> int:
    """Count the GPUs that CUDA sees in this process; 0 without a driver.

    The driver respects CUDA_VISIBLE_DEVICES, MIG and a container's share.
    """
    try:
        driver = _open()
    except OSError:
        return 0
    count = ctypes.c_int(0)
    found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if found else 0


def has_driver() -> bool:
    """Say whether NVIDIA's driver is on this machine, whatever it sees."""
    try:
        _open()
    except OSError:
        return False
    return True


def gpu_uuids() -> list[str]:
    """Return the UUIDs of the GPUs that CUDA sees in this process, or of their parts, in order."""
    return [_uuid(_open(), ordinal) for ordinal in range(count_gpus())]


def first_gpu_name() -> str:
    """Return the name of the first GPU that CUDA sees; OSError without a driver."""
    driver = _open()
    device, name = ctypes.c_int(), ctypes.create_string_buffer(100)
    driver.cuInit(0)
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDeviceGetName(name, len(name), device)
    return name.value.decode()


def first_gpu_uuid() -> str:
    """Return the UUID of the first GPU that CUDA sees, or of its part; OSError without one."""
    driver = _open()
    _check(driver.cuInit(0))
    return _uuid(driver, 0)


def trouble() -> str:
    """Say why the first GPU cannot be used, "" where it can be; OSError without a driver.

    It takes a context, and with it some hundred MB of the GPU's memory: call it in a process that
    ends at once. A GPU whose memory is full, or that serves another process alone, answers.
    """
    driver = _open()
    device, context, mode = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_int()
    code = driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0)
    code = code or driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
    if code == UNAVAILABLE:
        driver.cuDeviceGetAttribute(ctypes.byref(mode), COMPUTE_MODE, device)
    if code in (0, OUT_OF_MEMORY) or mode.value == EXCLUSIVE:
        return ""
    return ERRORS.get(code, f"CUDA's driver answers with error {code}")


def _uuid(driver: ctypes.CDLL, ordinal: int) -> str:
    device, uuid = ctypes.c_int(), ctypes.create_string_buffer(16)
    # A driver before 11.4 has the first form alone, in which a part has the UUID of the whole GPU.
    form = "cuDeviceGetUuid_v2" if hasattr(driver, "cuDeviceGetUuid_v2") else "cuDeviceGetUuid"
    _check(driver.cuDeviceGet(ctypes.byref(device), ordinal))
    _check(getattr(driver, form)(uuid, device))
    return str(UUID(bytes=uuid.raw))


def _check(code: int) -> None:
    if code:
        raise OSError(f"CUDA's driver answers with error {code}")


def _open() -> ctypes.CDLL:
    return ctypes.CDLL("libcuda.so.1")
