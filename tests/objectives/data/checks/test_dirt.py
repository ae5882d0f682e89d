"""Each kind of dirt of a practice set is found by its own rule and by no other."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from objectives.data.checks.check import check_data
from objectives.data.manifest.manifest import read_manifest
from objectives.practice.drawing import Drawing
from objectives.practice.flags import FLAGS, SETS
from objectives.practice.make import make_practice
from objectives.practice.sets import PRACTICE
from tests.objectives.data.practice_layouts import practice_source

# Enough images for copies of a few to part in any split, and for C11's folds.
IMAGES = {"gleason": 250, "derm": 250, "cifar10": 200, "anemia": 160, "brats": 40}
# What a clean set shows: few images of some class, and what it can resolve.
CLEAN = {"C10", "S01"}
PAIRS = [(name, flag) for name, flags in SETS.items() for flag in flags]


@pytest.fixture(scope="module", autouse=True)
def drawn_once() -> Iterator[None]:
    """Draw each image of a set for the first test only; dirt changes or adds a few."""
    with pytest.MonkeyPatch.context() as patch:
        for name, practice in PRACTICE.items():
            patch.setitem(PRACTICE, name, replace(practice, plan=kept(practice.plan)))
        yield


def kept(plan: Callable[[int, int], list[Drawing]]) -> Callable[[int, int], list[Drawing]]:
    """Plan the set at the first call, and keep what each of its drawings gives."""

    @cache
    def planned(images: int, seed: int) -> list[Drawing]:
        drawings = plan(images, seed)
        return [replace(each, draw=each.draw and cache(each.draw)) for each in drawings]

    return planned


def rule_of(flag: str) -> str:
    """The rule that the help names for a flag."""
    return FLAGS[flag].rpartition("(")[2].rstrip(")")


def broken_rules(folder: Path, name: str, *dirt: str) -> set[str]:
    """Draw a practice set and give the rules that it breaks."""
    make_practice(name, folder, IMAGES[name], dirt=dirt)
    source = practice_source(name, folder)
    return {problem.rule for problem in check_data(source, read_manifest(source))}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_a_clean_set_breaks_no_rule_but_that_it_is_small(tmp_path: Path, name: str) -> None:
    assert broken_rules(tmp_path, name) == CLEAN


@pytest.mark.slow
@pytest.mark.parametrize(("name", "flag"), PAIRS)
def test_dirt_is_found_by_exactly_its_rule(tmp_path: Path, name: str, flag: str) -> None:
    assert broken_rules(tmp_path, name, flag) - CLEAN == {rule_of(flag)}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_all_dirt_at_once_is_found_by_all_its_rules(tmp_path: Path, name: str) -> None:
    rules = broken_rules(tmp_path, name, *SETS[name])
    assert rules - CLEAN == {rule_of(flag) for flag in SETS[name]}
