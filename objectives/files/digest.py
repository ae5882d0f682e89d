"""A file's content in one line of hex."""

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
