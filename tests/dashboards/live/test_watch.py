"""One thread reads for all viewers of a page."""

import gc
from collections.abc import Callable, Mapping

import pytest
from markupsafe import Markup
from starlette.testclient import TestClient

from dashboards.analysis.overview import OverviewReader
from dashboards.live.view import View
from dashboards.live.watch import Watch
from storage.locks import wait_until


def drawing(failing: list[bool]) -> Callable[[int, View, int | None], Mapping[str, Markup]]:
    """Return a function that draws a number, and fails once `failing` says so."""

    def draw(number: int, view: View, before: int | None) -> Mapping[str, Markup]:
        if any(failing):
            raise ZeroDivisionError("a panel cannot be drawn")
        return {"number": Markup(str(number))}

    return draw


def test_a_page_that_cannot_be_drawn_any_more_says_so_instead_of_standing_still() -> None:
    failing: list[bool] = []
    watch = Watch("test", lambda: 1, drawing(failing))
    assert watch.changes(View()).panels == {"number": "1"}

    failing.append(True)
    watch.again()

    assert watch.is_over
    with pytest.raises(ZeroDivisionError):
        watch.changes(View())


def test_a_version_that_is_no_number_gets_every_panel() -> None:
    watch = Watch("test", lambda: 1, drawing([]))
    instance = watch.changes(View()).version.partition(".")[0]

    assert watch.changes(View(), f"{instance}.{'9' * 5000}").panels == {"number": "1"}


def test_names_that_no_study_has_are_forgotten(pages: TestClient) -> None:
    nobodies = {f"nobody-{number}" for number in range(20)}
    for name in nobodies:
        assert pages.get(f"/s/{name}").status_code == 404
    assert pages.get("/s/toy").status_code == 200

    assert wait_until(lambda: "toy" in readers() and not readers() & nobodies, 10)


def readers() -> set[str]:
    """Return the names of the studies that are kept in memory, those of other tests too."""
    gc.collect()
    # Not isinstance: it asks objects of other libraries for their class, and some of them warn.
    return {each.name for each in gc.get_objects() if type(each) is OverviewReader}
