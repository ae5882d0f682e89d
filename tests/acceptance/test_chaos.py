"""`search chaos` itself: the promises hold, and each guard that is switched off is missed."""

import json

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


@pytest.mark.parametrize("rounds", [8, pytest.param(50, marks=pytest.mark.full)])
@pytest.mark.timeout(900)
def test_nothing_is_lost_whatever_is_killed(rounds, place, capfd):
    assert place.search_here("chaos", "--rounds", str(rounds), "--json") == 0

    played = json.loads(capfd.readouterr().out)
    assert sum(played["faults"].values()) == rounds
    assert all(promise["checked"] for promise in played["promises"])


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.full)])
@pytest.mark.timeout(900)
def test_nothing_is_lost_of_a_script(rounds, place, capfd):
    kinds = ("--faults", "kill-script,kill-worker,tear-checkpoint") if rounds < 11 else ()
    words = ("chaos", "--script", "--rounds", str(rounds), *kinds, "--json")

    assert place.search_here(*words) == 0

    played = json.loads(capfd.readouterr().out)
    assert played["faults"]["kill-script"] >= 1
    assert all(promise["checked"] for promise in played["promises"])


@pytest.mark.parametrize(
    ("guard", "kind", "rounds", "promise"),
    [
        ("fence", "pause-past-lease", 2, "one attempt at a time has a trial, and it alone writes"),
        ("claim", "kill-worker", 1, "no worker takes a trial whose lease is live"),
        ("replay", "outage", 1, "every epoch is there once, none is missing"),
    ],
)
def test_a_guard_that_is_switched_off_is_missed(guard, kind, rounds, promise, place, capfd):
    words = ("chaos", "--rounds", str(rounds), "--faults", kind, "--without", guard, "--json")

    assert place.search_here(*words) == 1

    played = json.loads(capfd.readouterr().out)
    assert promise in {each["promise"] for each in played["promises"] if each["broken"]}
