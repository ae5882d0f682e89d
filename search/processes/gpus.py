"""The GPUs of this machine, and the slices that MIG makes of them, as workers get them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from search.processes import driver
from search.processes.ask_device import ask_device


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A GPU, or the slice of one, for one process.

    visible: the process's CUDA_VISIBLE_DEVICES. A UUID where it can be had: numbers move up when a
        GPU falls off the bus.
    label: what people call it: the number that nvidia-smi has for a GPU, the UUID of a slice.
    total_bytes: its memory; 0 where it is not known.
    given: the name in this process's own CUDA_VISIBLE_DEVICES that it comes from, "" without one.
    """

    visible: str
    label: str
    total_bytes: int = 0
    given: str = ""

    @property
    def name(self) -> str:
        """Its name in messages, as `GPU 3`; a slice has a UUID."""
        return named(self.label)


def named(label: str) -> str:
    """Return the name of the GPU with that label in messages."""
    return f"GPU {label}" if label.isdecimal() else label


def gpus(visible: str | None) -> tuple[Gpu, ...]:
    """List the GPUs that CUDA sees here, and of a GPU under MIG every slice.

    A process sees one slice at most, so that CUDA alone does not list them.

    visible: this process's own CUDA_VISIBLE_DEVICES, whose choice and order are kept; None when it
        is not set.
    """
    uuids = driver.gpu_uuids()
    if not uuids:
        return ()
    names = None if visible is None else [name.strip() for name in visible.split(",")]
    spelled = [str(index) for index in range(len(uuids))] if names is None else names
    given = names or [""] * len(uuids)
    seen = zip(spelled, given, uuids, strict=False)
    plain = tuple(Gpu(visible=name, label=name, given=of) for name, of, _ in seen)
    nvml = _nvml()
    if nvml is None:
        return plain
    known = {each.visible: each for each in _all(nvml)}
    if names and any(each.startswith("MIG-") for each in known):
        return tuple(_named(nvml, names, known))
    if f"MIG-{uuids[0]}" in known:
        return tuple(_every(nvml, known))
    return tuple(
        replace(known.get(f"GPU-{uuid}", each), given=each.given)
        for each, uuid in zip(plain, uuids, strict=True)
    )


def untaken(visible: str | None, found: Sequence[Gpu]) -> str:
    """Return the first name of CUDA_VISIBLE_DEVICES that CUDA does not take, "" where it takes all.

    CUDA takes none where one is named twice, and otherwise stops at the first that it cannot find.
    """
    names = [name.strip() for name in (visible or "").split(",")]
    if names in ([""], ["-1"]):  # the two ways to ask for none
        return ""
    twice = next((name for name in names if names.count(name) > 1), "")
    taken = {gpu.given for gpu in found}
    return twice or next((name for name in names if name not in taken), "")


def _nvml() -> Any:
    """Return the module pynvml, ready for questions; None where NVML cannot be asked."""
    import pynvml  # only where there is a GPU

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def _handles(nvml: Any) -> Iterator[Any]:
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            yield nvml.nvmlDeviceGetHandleByIndex(index)
        except nvml.NVMLError:  # it is lost, or not ours
            continue


def _slices(nvml: Any, gpu: Any) -> Iterator[Any]:
    """Yield the slices of a GPU; of one without MIG there are none."""
    try:
        if not nvml.nvmlDeviceGetMigMode(gpu)[0]:
            return
        most = nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)
    except nvml.NVMLError:
        return
    for index in range(most):
        try:
            yield nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index)
        except nvml.NVMLError:  # fewer are made than there may be
            continue


def _all(nvml: Any) -> Iterator[Gpu]:
    for gpu in _handles(nvml):
        yield _described(nvml, gpu, str(nvml.nvmlDeviceGetIndex(gpu)))
        for part in _slices(nvml, gpu):
            yield _described(nvml, part, nvml.nvmlDeviceGetUUID(part))


def _described(nvml: Any, handle: Any, label: str) -> Gpu:
    try:
        total = nvml.nvmlDeviceGetMemoryInfo(handle).total
    except nvml.NVMLError:
        total = 0
    return Gpu(visible=nvml.nvmlDeviceGetUUID(handle), label=label, total_bytes=total)


def _every(nvml: Any, known: dict[str, Gpu]) -> Iterator[Gpu]:
    """Yield every slice, and every GPU without MIG."""
    for gpu in _handles(nvml):
        yield from _parts(nvml, gpu, known)


def _parts(nvml: Any, gpu: Any, known: dict[str, Gpu]) -> Iterator[Gpu]:
    parts = [known[nvml.nvmlDeviceGetUUID(part)] for part in _slices(nvml, gpu)]
    is_divided = bool(parts) or _is_divided(nvml, gpu)
    yield from parts if is_divided else [known[nvml.nvmlDeviceGetUUID(gpu)]]


def _is_divided(nvml: Any, gpu: Any) -> bool:
    try:
        return bool(nvml.nvmlDeviceGetMigMode(gpu)[0])
    except nvml.NVMLError:  # not a GPU that can be divided
        return False


def _named(nvml: Any, names: Sequence[str], known: dict[str, Gpu]) -> Iterator[Gpu]:
    """Yield the devices of CUDA_VISIBLE_DEVICES, up to the first name that CUDA does not know.

    Each name is asked for in a process of its own, where CUDA sees a slice whatever stands beside
    it. The name of a GPU stands for all its slices.
    """
    for name in names:
        uuid = ask_device(name).uuid
        found = _meant(nvml, name, uuid, known)
        if not found:
            return
        yield from (replace(gpu, given=name) for gpu in found)


def _meant(nvml: Any, name: str, uuid: str, known: dict[str, Gpu]) -> Sequence[Gpu]:
    """Return the devices that a name means, of which CUDA sees the one of that UUID."""
    if f"GPU-{uuid}" in known:
        return [known[f"GPU-{uuid}"]]
    if f"MIG-{uuid}" not in known:
        return []
    if name.startswith("MIG-"):
        return [known[f"MIG-{uuid}"]]
    part = nvml.nvmlDeviceGetHandleByUUID(f"MIG-{uuid}")
    gpu = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(part)
    return list(_parts(nvml, gpu, known))
