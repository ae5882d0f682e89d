"""Links in a data folder, which are followed."""

import errno
from pathlib import Path

from objectives.contract import DataError


def check_link(link: Path) -> None:
    """Refuse a link that leads nowhere, or to a folder above itself.

    Raises DataError, and OSError for one that leads where this user may not read.
    """
    try:
        link.stat()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        raise DataError(
            f"{link}: leads to {link.readlink()}, which is not here",
            fix="bring it back or remove the link",
        ) from error
    if link.is_dir() and any(link.samefile(above) for above in link.parents):
        raise DataError(
            f"{link}: leads back to {link.readlink()}, a folder above it",
            fix="remove the link",
        )
