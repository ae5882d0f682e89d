"""Questions to NVIDIA's driver, which needs no torch and takes no memory on a GPU."""

import ctypes
from uuid import UUID


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
    device, uuid = ctypes.c_int(), ctypes.create_string_buffer(16)
    # A driver before 11.4 has the first form alone, in which a part has the UUID of the whole GPU.
    form = "cuDeviceGetUuid_v2" if hasattr(driver, "cuDeviceGetUuid_v2") else "cuDeviceGetUuid"
    _check(driver.cuInit(0))
    _check(driver.cuDeviceGet(ctypes.byref(device), 0))
    _check(getattr(driver, form)(uuid, device))
    return str(UUID(bytes=uuid.raw))


def _check(code: int) -> None:
    if code:
        raise OSError(f"CUDA's driver answers with error {code}")


def _open() -> ctypes.CDLL:
    return ctypes.CDLL("libcuda.so.1")
