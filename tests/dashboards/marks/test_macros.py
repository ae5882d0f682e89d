"""The marks as SVG."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2
import pytest

import dashboards
from dashboards.marks.bars import stack, whisker
from dashboards.marks.scale import Scale

TEMPLATES = Path(dashboards.__file__).parent / "live" / "templates"
HOSTILE = '"><script>alert(1)</script>'
MARK = whisker(Scale(low=0, high=1), (0.1, 0.2, 0.4), "tied", HOSTILE)


def draw(source: str, **given: Any) -> ElementTree.Element:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    source = f"{{% import 'marks.html' as marks %}}<svg>{source}</svg>"
    return ElementTree.fromstring(environment.from_string(source).render(given))


@pytest.mark.parametrize(
    "mark",
    [
        "{{ marks.whisker(mark, mark) }}",
        "{{ marks.stack(parts, hostile) }}",
        "{{ marks.spark('M0 1L2 3', hostile) }}",
        "{{ marks.point(4, 50, 20, hostile) }}",
        "{{ marks.cross(50, 20, hostile) }}",
        "{% call marks.area(20) %}{{ marks.path('M0 1L2 3', 's1', hostile) }}{% endcall %}",
    ],
)
def test_a_mark_is_well_formed_has_no_inline_style_and_shows_text_as_text(mark: str) -> None:
    parts = stack([(1, "ok", HOSTILE)], total=2)
    drawn = draw(mark, mark=MARK, parts=parts, hostile=HOSTILE)
    names = {name for node in drawn.iter() for name in node.attrib}
    assert not {name for name in names if name == "style" or name.startswith("on")}
    assert "script" not in {node.tag for node in drawn.iter()}


def test_neighbours_have_other_shapes() -> None:
    shapes = [draw(f"{{{{ marks.point({place}, 0, 0) }}}}")[0][0].get("d") for place in range(5)]
    assert len(set(shapes[:4])) == 4
    assert shapes[4] == shapes[0]
