"""O01, O03, C14: check that the metric can rank the trials, and without the test split."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePath

from spaces.data import Table
from spaces.rules.fields import Fields
from spaces.rules.finding import Finding
from spaces.study import Study

_TEST = re.compile(r"(?<![A-Za-z])test|Test|(?<![A-Z])TEST")  # the word: `latest.csv` has none


def wrong_metric(study: Study, metrics: Fields) -> Iterator[Finding]:
    """Find a metric that is not reported or cannot compare the trials, and a wrong direction."""
    if study.metric.startswith("test_"):
        return  # C14 reports it
    ranking = _ranking(study, metrics)
    if study.metric not in metrics:
        meant = _meant(study, metrics)
        fix = f"did you mean {meant!r}?" if meant else f"use one of {', '.join(ranking)}"
        message = f"{study.objective} reports no {study.metric!r}; {fix}"
        yield Finding("O01", "error", message)
    elif not metrics[study.metric]["ranks"]:
        yield Finding(
            "O01",
            "error",
            f"{study.metric} does not say how good an epoch is, or is not known after each epoch;"
            f" use one of {', '.join(ranking)}",
        )
    elif metrics[study.metric]["direction"] != study.direction:
        yield Finding(
            "O01",
            "error",
            f"{study.metric} is a metric to {metrics[study.metric]['direction']}, but the study"
            f" says {study.direction}; change the direction or the metric",
        )
    for name in metrics.get(study.metric, {}).get("changed_by", ()):
        if name in study.space.names:
            yield Finding(
                "O03",
                "error",
                f"{study.metric} is a different measure for each value of {name!r}, which is"
                " searched, so that trials cannot be compared by it; use val_loss",
            )


def read_test_split(study: Study, metrics: Fields) -> Iterator[Finding]:
    """Find a metric or a table that would let the search look at the test images."""
    if study.metric.startswith("test_"):
        yield Finding(
            "C14",
            "error",
            f"{study.metric} is measured on the test split, which no search opens; use"
            f" {_meant(study, metrics) or ' or '.join(_ranking(study, metrics))}",
        )
    if isinstance(study.data, Table) and isinstance(study.data.table, Mapping):
        for split, table in study.data.table.items():
            if split != "test" and _is_test_table(table, study.data.table):
                yield Finding(
                    "C14",
                    "error",
                    f"the {split} images are those of {table!r}, the test split's table, which no"
                    " search opens; call that split 'test', and leave out val to have it carved"
                    " from train",
                )


def _ranking(study: Study, metrics: Fields) -> list[str]:
    """Return the metrics that may rank trials, those of the study's direction first."""
    ranking = [name for name, metric in metrics.items() if metric["ranks"]]
    return sorted(ranking, key=lambda name: metrics[name]["direction"] != study.direction)


def _meant(study: Study, metrics: Fields) -> str:
    """Return the metric that the study most likely means by another word; "" where none is near."""
    ranking, asked = _ranking(study, metrics), _word(study.metric)
    words = {word: name for name in ranking for word in (_word(name), *metrics[name]["called"])}
    if asked in words:
        return words[asked]
    same = [word for word in words if metrics[words[word]]["direction"] == study.direction]
    close = get_close_matches(asked, same, 1, 0.7) or get_close_matches(asked, words, 1, 0.7)
    return words[close[0]] if close else ""


def _word(metric: str) -> str:
    """Return the name of a metric in small letters and without the word for its split."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", metric).lower()  # valAcc
    word = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    return re.sub(r"^(val|valid|validation|test)_|_(val|valid|validation|test)$", "", word)


def _is_test_table(table: str, tables: Mapping[str, str]) -> bool:
    return table == tables.get("test") or bool(_TEST.search(PurePath(table).stem))
