"""Whether what torch.compile calls is on this machine."""

import os
import shutil
from importlib.util import find_spec

from objectives.contract import RecipeError


def check_compiler(device: str) -> None:
    """Raise RecipeError where what compiles for a device is missing."""
    if device == "cpu" and not shutil.which(os.environ.get("CXX", "g++")):
        raise RecipeError(
            "compile needs a C++ compiler and there is none; install g++, or set compile to false"
        )
    if device != "cpu" and find_spec("triton") is None:
        raise RecipeError(
            "compile needs triton and it is not installed; install it, or set compile to false"
        )
