"""plotly's script as text that stands in a page, two fifths of its size."""

import base64
import hashlib
import zlib
from functools import cache
from importlib.resources import files

# Base 85 with a comma for its "<": within a script element no text can then end the element.
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"


@cache
def packed_plotly() -> str:
    """Return plotly's script, compressed and written in ALPHABET; static/report.js reads it."""
    text = base64.b85encode(zlib.compress(_script(), 9)).decode()
    return text.replace("<", ",")


@cache
def plotly_digest() -> str:
    """Return the digest of plotly's script by which a content security policy lets it run."""
    return digest(_script())


def digest(script: bytes) -> str:
    """Return the source of a content security policy that lets this very script run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"


def _script() -> bytes:
    return files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
