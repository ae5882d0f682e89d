"""The program `search`, under a name that no module of yours is likely to have.

A `search.py` on PYTHONPATH would be taken for the package: this module puts the package first.
"""

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of the packages that lie beside this file, and end the process."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - early
    from search.cli import end, main

    end(main())
