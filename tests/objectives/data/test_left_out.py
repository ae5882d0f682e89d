"""Files and rows that are not used, counted by reason."""

from objectives.data.left_out import Count, LeftOut, count_by_reason


def test_two_places_that_leave_out_for_one_reason_are_counted_together() -> None:
    tables = [
        LeftOut(reason="lines above the header", paths=("a.csv line 1", "a.csv line 2")),
        LeftOut(reason="lines above the header", paths=("b.csv line 1",)),
    ]
    assert count_by_reason(tables) == {"lines above the header": Count(3, "a.csv line 1")}
