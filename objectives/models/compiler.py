"""Check that this machine has the compilers that torch.compile calls."""

import os
import shutil
from importlib.util import find_spec

from objectives.contract import RecipeError


def check_compiler(device: str) -> None:
    """Raise RecipeError where the compiler for a device is missing."""
    if device == "cpu" and not shutil.which(os.environ.get("CXX", "g++")):
        raise RecipeError(
            "compile needs a C++ compiler, which is not installed",
            fix="install g++, or set compile to false",
        )
    if device != "cpu" and find_spec("triton") is None:
        raise RecipeError(
            "compile needs triton and it is not installed",
            fix="install it, or set compile to false",
        )
