"""Questions to NVIDIA's driver, which needs no torch and takes no memory on a GPU."""

import ctypes


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


def _open() -> ctypes.CDLL:
    return ctypes.CDLL("libcuda.so.1")
