"""How long a database that is away is waited for."""

import pytest

from search.worker.retries import Patience
from storage.errors import ArtifactsUnreachable, DatabaseUnreachable, Unreachable


def away_for(calls: int, error: type[Unreachable] = DatabaseUnreachable):
    """A call that fails as often, then answers."""
    left = iter([error("it is away", "start it")] * calls)

    def call() -> str:
        if error := next(left, None):
            raise error
        return "here"

    return call


@pytest.mark.parametrize("error", [DatabaseUnreachable, ArtifactsUnreachable])
def test_a_short_outage_is_sat_out(error: type[Unreachable]) -> None:
    assert Patience(is_over=lambda: False)(away_for(2, error)) == "here"


def test_who_is_told_to_stop_waits_for_nobody() -> None:
    with pytest.raises(DatabaseUnreachable):
        Patience(is_over=lambda: True)(away_for(1))


def test_patience_ends() -> None:
    with pytest.raises(DatabaseUnreachable):
        Patience(is_over=lambda: False, minutes=0.0)(away_for(1))
