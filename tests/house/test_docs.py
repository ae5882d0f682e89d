"""README and docs are true: commands can be typed, and named tests, files and folders exist."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from objectives import catalog
from objectives.script import environment
from spaces import data
from spaces.load import load_study
from spaces.pruning import PRUNING_RULES
from spaces.study import Study
from tests.house.command_line import COMMANDS, understood

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text()
    for page in (README, *sorted((ROOT / "docs").glob("*.md")))
}
ALL = "\n".join(PAGES.values())
README_LINES = 215
PACKAGES = ("dashboards", "objectives", "search", "spaces", "storage")

LISTINGS = re.findall(r"^```\w*\n(.*?)^```", ALL, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```\w*\n.*?^```", "", ALL, flags=re.MULTILINE | re.DOTALL)
INLINE = sorted(set(re.findall(r"`([^`\n]+)`", PROSE)))
# In a listing a command ends where its explanation begins, two spaces further.
TYPED = re.compile(r"^(?:\w+=\S+ )*(search [a-z].*?)(?:  .*)?$", re.MULTILINE)
LISTED = sorted({line for listing in LISTINGS for line in TYPED.findall(listing)})
MENTIONED = [word for word in INLINE if word.startswith("search ")]
MADE = sorted(
    {word for word in INLINE if word.startswith("make ")}
    | {line for listing in LISTINGS for line in re.findall(r"^(make .*?)(?:  .*)?$", listing, re.M)}
)
TESTS = sorted(set(re.findall(r"(?<![\w/.])test_\w+", ALL)))  # no path (see FILES), no table
DEFINED = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in (file.stem, *re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
}
FILES = [
    word
    for word in INLINE
    if re.fullmatch(rf"(?:{'|'.join(PACKAGES)}|tests|benchmarks|docs)/[\w/]+\.\w+", word)
    and Path(word).stem.removeprefix("test_") != "NAME"  # the thing that a recipe adds
]
LINKS = sorted(
    (page, link)
    for page, text in PAGES.items()
    for link in re.findall(r"\]\(([^)\s]+)\)", text)
    if "://" not in link
)
DECLARATIONS = [
    word
    for word in INLINE
    if re.fullmatch(rf"(?:{'|'.join(kind.__name__ for kind in data.KINDS.values())})\(.*\)", word)
    and "(...)" not in word
]


def test_the_pages_show_commands() -> None:
    assert len(LISTED) >= 25
    assert len(MENTIONED) >= 15
    assert {"make run", "make test", "make check", "make acceptance"} <= set(MADE)


@pytest.mark.parametrize("line", LISTED)
def test_a_listed_command_is_understood(line: str) -> None:
    assert understood(line, whole=True)


@pytest.mark.parametrize("line", MENTIONED)
def test_a_mentioned_command_is_understood(line: str) -> None:
    assert understood(line, whole=False)


@pytest.mark.parametrize("line", ["search walk", "search run --trial N", "search data"])
def test_a_command_that_cannot_be_typed_is_found(line: str) -> None:
    assert not understood(line, whole=False)


def test_a_listing_leaves_nothing_out() -> None:
    assert not understood("search run --workers 2", whole=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_help_is_shown(command: str) -> None:
    assert any(re.match(rf"search {command}\b", line) for line in (*LISTED, *MENTIONED))


@pytest.mark.parametrize("line", MADE)
def test_a_make_target_exists_and_reads_its_variables(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    target, *variables = line.split()[1:]

    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert all(f"$({each.split('=')[0]})" in makefile for each in variables)


def test_every_fault_names_its_test() -> None:
    recovery = PAGES["docs/recovery.md"]
    rows = re.search(r"\n\|---\|---\|---\|\n((?:\|.*\n)+)", recovery)

    assert rows
    assert [row for row in rows[1].splitlines() if "`test_" not in row] == []


@pytest.mark.parametrize("name", TESTS)
def test_a_named_test_exists(name: str) -> None:
    assert name in DEFINED


@pytest.mark.parametrize("path", FILES)
def test_a_named_file_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_to_a_page_and_a_heading(page: str, link: str) -> None:
    path, _, heading = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page

    assert target.is_file()
    assert not heading or heading in headings(target.read_text())


def headings(page: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_fields_of_a_study_stand_in_the_studies_page() -> None:
    section = PAGES["docs/studies.md"].partition("## Fields")[2].partition("##")[0]
    rows = re.findall(r"^\| (`.*?`) \| .* \| .* \|$", section, re.MULTILINE)

    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert told == {field.name for field in dataclasses.fields(Study)}


@pytest.mark.parametrize("objective", ["image_classifier", "volume_classifier"])
def test_every_hyperparameter_stands_in_the_studies_page(objective: str) -> None:
    images, volumes = PAGES["docs/studies.md"].split("\n## Hyperparameters of volumes\n")
    fields = catalog.describe(objective).fields
    rows = hyperparameters(images)
    if objective == "volume_classifier":
        rows |= hyperparameters(volumes)

    told = {name: rows.get(name) for name in fields}

    assert told == {name: (values(field), default(field)) for name, field in fields.items()}


def hyperparameters(text: str) -> dict[str, tuple[str, str]]:
    """Values and default of each hyperparameter, from tables with four columns."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| [^|]* \|$", text, re.MULTILINE)
    return {name: (values, default) for name, values, default in rows}


def values(field: dict[str, Any]) -> str:
    """What a hyperparameter may be, as the page writes it."""
    match field["type"]:
        case "bool":
            return "true, false"
        case "choice":
            return ", ".join(field["choices"])
        case "name":
            return ", ".join((*field["choices"], "..."))
    return f"{field['low']:g} to {field['high']:g} {field['unit']}".rstrip()


def default(field: dict[str, Any]) -> str:
    """A hyperparameter's default, as the page writes it."""
    return str(field["default"]).lower()


def test_the_study_of_the_readme_can_be_run(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "my_study.py").write_text(code)

    study = load_study(str(tmp_path / "my_study.py"))

    assert len(study.space) == 6


def test_the_studies_of_ones_own_code_can_be_read(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGES["docs/own-code.md"], re.M | re.DOTALL)
    studies = [block for block in blocks if "study = Study(" in block]

    for code in studies:
        (tmp_path / "my_study.py").write_text(code)
        assert load_study(str(tmp_path / "my_study.py")).space.names

    assert studies


@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_a_declaration_of_data_can_be_written_so(declaration: str) -> None:
    assert type(eval(declaration, vars(data))) in data.KINDS.values()


def test_the_docs_show_every_declaration_of_data() -> None:
    shown = {declaration.partition("(")[0] for declaration in DECLARATIONS}
    assert shown == {kind.__name__ for kind in data.KINDS.values()} - {"NoData"}


def test_the_docs_name_every_pruning_rule() -> None:
    section = PAGES["docs/studies.md"].partition("## Pruning\n")[2].partition("\n## ")[0]
    assert set(re.findall(r'`Pruning\("(\w+)"\)`', section)) == PRUNING_RULES.keys()


def test_the_variables_are_those_that_are_read() -> None:
    readers = [ROOT / "search" / name for name in ("settings.py", "secrets_file.py")]
    text = "".join(reader.read_text() for reader in readers)
    read = set(re.findall(r'"(SEARCH_\w+)"', text))
    told_to_scripts = {environment.TRIAL_FILE, environment.REPORT_FILE}

    assert set(re.findall(r"SEARCH_[A-Z_]+", ALL)) == read | told_to_scripts


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(README.read_text().splitlines()) <= README_LINES


def test_the_house_names_every_folder_and_no_other() -> None:
    named = re.findall(rf"^\| `((?:{'|'.join(PACKAGES)})/[\w/]*)` ", PAGES["docs/house.md"], re.M)
    folders = {
        f"{file.parent.relative_to(ROOT).as_posix()}/"
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
    }

    assert sorted(named) == sorted(folders)
