"""plotly as text within a page."""

import base64
import hashlib
import zlib
from importlib.resources import files

from dashboards.report.plotly_text import packed_plotly, plotly_digest


def test_the_text_ends_no_script_element_and_is_plotly() -> None:
    text = packed_plotly()
    assert "<" not in text
    script = zlib.decompress(base64.b85decode(text.replace(",", "<")))
    assert script == files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    assert plotly_digest() == f"'sha256-{digest}'"
