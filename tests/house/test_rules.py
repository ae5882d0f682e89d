"""The product keeps the rules of the house's shape, and code that breaks one is found."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.house import rules

Rule = Callable[[Iterable[Path]], Iterator[str]]
BROKEN: dict[Rule, str] = {
    rules.long_modules: "\n" * 301,
    rules.wide_functions: "def f(a, b, c, d, e, *, g, h): ...",
    rules.positional_dataclasses: "@dataclass\nclass A:\n a: int\n b: int\n c: int\n d: int",
    rules.packed_calls: "f(1, 2, 3, 4, 5)",
    rules.private_imports: "from search.cli import _report",
    rules.empty_openers: 'def f():\n    """Give the answer."""',
}


def test_the_product_keeps_every_rule() -> None:
    files = rules.product_files()

    assert list(rules.crowded_folders(files)) == []
    assert [found for path in files for rule in BROKEN for found in rule([path])] == []


@pytest.mark.parametrize("rule", BROKEN)
def test_code_that_breaks_the_rule_is_found(tmp_path: Path, rule: Rule) -> None:
    (tmp_path / "broken.py").write_text(BROKEN[rule])

    assert len(list(rule([tmp_path / "broken.py"]))) == 1


def test_a_starred_literal_is_found(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text('f(*("a", "b"))')

    assert list(rules.packed_calls([tmp_path / "broken.py"])) != []


def test_a_folder_of_too_many_modules_is_found(tmp_path: Path) -> None:
    assert list(rules.crowded_folders(tmp_path / f"{each}.py" for each in range(26))) != []


def test_most_functions_are_short() -> None:
    median, nine_tenths = rules.function_lengths(rules.product_files())

    assert (median <= 8, nine_tenths <= 20) == (True, True)
