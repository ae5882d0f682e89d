"""The digest of a file."""

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file in hex; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
