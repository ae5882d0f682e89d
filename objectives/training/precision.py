"""Settings of torch for this process: threads, determinism, number format, compiled kernels."""

from contextlib import AbstractContextManager

import torch
from torch import nn

from objectives.models.compiler import check_compiler


def settle(threads: int, *, deterministic: bool) -> None:
    """Set torch's options of the whole process; every trial of a worker sets them again."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
    # Filling new memory with NaN helps only in debugging, and costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not deterministic


def autocast(precision: str, device: str) -> AbstractContextManager[None]:
    """Build the context of the forward passes; reusable, one per trial.

    precision: "auto" is bfloat16 on a GPU that has it and float32 elsewhere. bfloat16 needs no loss
        scaling.
    """
    is_cuda = device.startswith("cuda")
    has_fast_bfloat16 = is_cuda and torch.cuda.is_bf16_supported(including_emulation=False)
    enabled = precision == "bfloat16" or (precision == "auto" and has_fast_bfloat16)
    return torch.autocast("cuda" if is_cuda else "cpu", torch.bfloat16, enabled=enabled)


def compile_network(model: nn.Module, device: str) -> None:
    """Let torch.compile fuse the model's kernels at its first steps; weights keep their names.

    Raises RecipeError where the compiler is missing.
    """
    check_compiler(device)
    model.compile()
