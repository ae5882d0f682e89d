"""The error of an image file that is not what it should be, and errors of damaged files."""

import struct

REPLACE = "replace or remove it"

# Pillow raises SyntaxError for a broken header, ValueError for odd contents, EOFError for a page
# that is missing, and RuntimeError for a broken AVIF, whatever the file's extension. It raises
# ValueError or RuntimeError for an image that Exif turns and whose other Exif tags make no sense.
UNREADABLE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    RuntimeError,
    TypeError,
    LookupError,
    struct.error,
)


class UnfitImage(Exception):
    """An image that training cannot use as it is, and the way out.

    found: a phrase that says what the file or its pixels are.
    fix: a clause that says what to do.
    """

    def __init__(self, found: str, *, fix: str) -> None:
        super().__init__(found)
        self.found = found
        self.fix = fix
