"""Guessing tokens becomes slower with every wrong one."""

import pytest

from dashboards.door.failures import (
    FORGOTTEN_SECONDS,
    FREE,
    FREE_OVER_ALL,
    LONGEST_OVER_ALL_SECONDS,
    LONGEST_SECONDS,
    MOST,
    Failures,
)


class Clock:
    """A clock that only the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_five_wrong_tokens_each_wait_is_twice_the_one_before() -> None:
    clock = Clock()
    failures = Failures(clock)
    waits = []
    for _ in range(20):
        failures.add("10.0.0.1")
        waits.append(failures.wait("10.0.0.1"))
        clock.now += waits[-1]

    assert waits[: FREE + 4] == [0] * (FREE - 1) + [1, 2, 4, 8, 16]
    assert waits[-1] == LONGEST_SECONDS
    assert failures.wait("10.0.0.2") == 0


def test_the_right_token_and_an_hour_forgive() -> None:
    clock = Clock()
    failures = Failures(clock)
    for _ in range(2 * FREE):
        failures.add("10.0.0.1")
        failures.add("10.0.0.2")

    failures.forget("10.0.0.1")
    assert (failures.wait("10.0.0.1"), failures.wait("10.0.0.2")) == (0, 32)
    clock.now += 33 + FORGOTTEN_SECONDS
    failures.add("10.0.0.2")
    assert failures.wait("10.0.0.2") == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["::ffff:10.0.0.1", "10.0.0.1"],
        [f"2001:db8::{n}" for n in range(9)],
    ],
    ids=["mapped", "one network"],
)
def test_other_spellings_and_addresses_of_one_guesser_count_together(addresses: list[str]) -> None:
    failures = Failures(Clock())
    for n in range(2 * FREE):
        failures.add(addresses[n % len(addresses)])

    assert failures.wait(addresses[0]) > 0


def test_many_addresses_together_wait_too_in_bounded_memory() -> None:
    failures = Failures(Clock())
    for n in range(MOST + 100):
        failures.add(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
        if n == FREE_OVER_ALL - 2:
            assert failures.wait("192.0.2.1") == 0

    assert failures.wait("192.0.2.1") == LONGEST_OVER_ALL_SECONDS
    assert len(failures) == MOST
