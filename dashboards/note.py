"""The study note in Markdown: its data and methods, on the study's page among Optuna's."""

import re
from collections.abc import Iterator

from dashboards.analysis.methods.description import Methods
from dashboards.analysis.methods.sections import Code, Phrase, Section, Strong, Table
from spaces.shown import shown

# What Markdown gives a meaning within a line, and at its begin; not the _ within a word.
MARKS = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])|^[#+=-]|(?<=\d)[.)](?=\s)")


def study_note(methods: Methods) -> str:
    """Write a study's data and methods in Markdown."""
    parts = [
        *(f"**{_literal(warning)}**" for warning in methods.warnings),
        _literal(methods.question),
        *(part for section in methods.sections for part in _section(section)),
    ]
    return "\n\n".join(part for part in parts if part)


def _section(section: Section) -> Iterator[str]:
    yield f"### {section.title}"
    yield from map(_phrase, section.sentences)
    if section.table:
        yield _table(section.table)


def _table(table: Table) -> str:
    rows = [list(map(_phrase, row)) for row in table.rows]
    lines = [table.headings, ["---"] * len(table.headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _phrase(phrase: Phrase) -> str:
    return "".join(map(_part, phrase))


def _part(part: str | Code | Strong) -> str:
    match part:
        case Code(text):
            return _code(text)
        case Strong(text):
            return f"**{_literal(text)}**"
        case str():
            return _literal(part)


def _literal(text: str) -> str:
    """Return a text that Markdown, HTML and formulas leave as it is, in one line."""
    return MARKS.sub(r"\\\g<0>", shown(text))


def _code(text: str) -> str:
    """Return a text as code within a table; a table takes no | in code either."""
    return "`" + shown(text).replace("`", "'").replace("|", r"\|") + "`"
