"""How long calls are repeated while the database is away."""

import pytest

from search.worker.retries import RetryPolicy
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
    assert RetryPolicy(lambda: False).call(away_for(2, error)) == "here"


def test_a_process_that_is_told_to_stop_does_not_wait() -> None:
    with pytest.raises(DatabaseUnreachable):
        RetryPolicy(lambda: True).call(away_for(1))


def test_the_retries_end() -> None:
    with pytest.raises(DatabaseUnreachable):
        RetryPolicy(lambda: False, minutes=0.0).call(away_for(1))
