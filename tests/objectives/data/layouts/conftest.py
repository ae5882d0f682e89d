"""An ordinary user, since root may read everything."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def as_ordinary_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Path]]:
    """Make this process an ordinary user in `tmp_path`, since root may read everything."""
    is_root = os.geteuid() == 0

    def become() -> Path:
        tmp_path.chmod(0o755)
        monkeypatch.chdir(tmp_path)  # the folders above are closed to others
        if is_root:
            os.seteuid(NOBODY)
        return Path("tree")

    yield become
    if is_root:
        os.seteuid(0)
    for folder, names, _ in os.walk(tmp_path):
        for name in names:
            Path(folder, name).chmod(0o755)
