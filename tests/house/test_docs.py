"""What the README says can be typed can be typed."""

import re
import shlex
from pathlib import Path

import pytest

from objectives import catalog
from search.cli import build_parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
# A command in a listing ends where its explanation begins, two spaces further.
COMMANDS = sorted(set(re.findall(r"^(search [a-z].*?)(?:  .*)?$", README, re.MULTILINE)))
TARGETS = sorted(set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE)))
TESTS = sorted(set(re.findall(r"`(test_\w+)`", README)))
DEFINED = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
}


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) >= 10
    assert {"run", "test"} <= set(TARGETS)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_is_understood(line: str) -> None:
    arguments = build_parser().parse_args(shlex.split(line)[1:])

    assert arguments.command


@pytest.mark.parametrize("name", catalog.describe("image_classifier").fields)
def test_every_hyperparameter_stands_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_command_of_the_help_stands_in_the_readme() -> None:
    listed = re.findall(r"^    ([a-z]+) ", build_parser().format_help(), re.MULTILINE)

    assert {name for name in listed if f"search {name}" not in README} == set()


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_the_readme_names_as_a_proof_exists(name: str) -> None:
    assert name in DEFINED
