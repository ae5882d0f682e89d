"""The classes in the best trial, from files in a real artifact store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dashboards.analysis.snapshot import read_snapshot
from dashboards.analysis.trials import kept
from dashboards.analysis.trials.classes import (
    MOST_CLASSES,
    Classes,
    ClassesReader,
    parse_classes,
    parse_confusion,
)
from dashboards.analysis.trials.kept import KeptTables
from objectives.contract import CONFUSION_MATRIX, PER_CLASS
from storage.artifacts import artifact_store, keep
from storage.store import Store
from tests.dashboards.analysis.toy_trials import begin_trial, make_study
from tests.storage.samples import finished

HEADER = "class,images,groups,recall,recall_low,recall_high,precision,f1,auc\n"
RECALLS = (
    HEADER
    + 'Benign,2954,96,0.936,0.91,0.95,0.9,0.9,0.97\n"<b>G, 5</b>",122,19,0.5,0.3,0.7,,,\n'
    + "absent,0,0,,,,,,\n"
)
CONFUSION = (
    "true class,taken for Benign,taken for G5,taken for absent\n"
    'Benign,2765,189,0\n"<b>G, 5</b>",61,61,0\nabsent,0,0,0\n'
)

Finish = Callable[..., None]


@pytest.fixture
def finish(store: Store, tmp_path: Path) -> Finish:
    make_study(store)

    def finish(value: float, **files: str) -> None:
        """End a trial with a value and the files that it kept."""
        claim, links = begin_trial(store), {}
        for name, content in files.items():
            path = tmp_path / f"{name}.csv"
            path.write_text(content)
            links |= keep(artifact_store(str(tmp_path / "artifacts")), claim, path)
        store.tell(claim, finished(value, links=links))

    return finish


@pytest.fixture
def read(store: Store, tmp_path: Path) -> Callable[[], Classes]:
    reader = ClassesReader(KeptTables(str(tmp_path / "artifacts"), "toy"))
    return lambda: reader.read(store, read_snapshot(store, "toy"))


def test_the_classes_are_those_of_the_best_trial(
    finish: Finish, read: Callable[[], Classes]
) -> None:
    assert read().reason == "no trial has finished yet"
    finish(0.5, per_class=RECALLS, confusion_matrix=CONFUSION)
    finish(0.7, per_class=HEADER)

    found = read()

    assert (found.trial, found.total, found.by_group, found.reason) == (0, 3, True, "")
    assert [(row.name, row.images, row.groups, row.recall) for row in found.rows] == [
        ("Benign", 2954, 96, 0.936),
        ("<b>G, 5</b>", 122, 19, 0.5),
        ("absent", 0, 0, None),
    ]
    assert found.weakest == found.rows[1]
    assert found.confusion is not None
    assert found.confusion.counts == [[2765, 189, 0], [61, 61, 0], [0, 0, 0]]
    assert read() is found


def test_a_better_trial_takes_over_and_one_without_files_says_so(
    finish: Finish, read: Callable[[], Classes]
) -> None:
    finish(0.5, per_class=RECALLS, confusion_matrix=CONFUSION)
    read()
    finish(0.4)

    assert read() == Classes(trial=1, reason="trial 1 has no per_class.csv")


def test_a_file_of_another_program_gives_a_reason_and_no_error(
    finish: Finish, read: Callable[[], Classes]
) -> None:
    finish(0.5, per_class="class,images\nBenign", confusion_matrix=CONFUSION)

    assert read().reason == "per_class.csv of trial 0 cannot be read"


def test_a_store_that_does_not_answer_is_a_reason_and_is_asked_again_later(
    finish: Finish, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(0.5, per_class=RECALLS, confusion_matrix=CONFUSION)
    place = tmp_path / "artifacts"
    place.rename(tmp_path / "elsewhere")
    place.write_text("a file where the folder was")
    reader = ClassesReader(KeptTables(str(place), "toy"))
    snapshot = read_snapshot(store, "toy")

    away = reader.read(store, snapshot)
    place.unlink()
    (tmp_path / "elsewhere").rename(place)
    soon = reader.read(store, snapshot)
    monkeypatch.setattr(kept, "RETRY_SECONDS", 0.0)
    later = reader.read(store, snapshot)

    assert "does not answer" in away.reason
    assert soon == away
    assert later.total == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "class,images,recall\n",
        "class,images,recall,recall_low,recall_high\na\n",
        "class,images,recall,recall_low,recall_high\na,many,1,1,1\n",
        "class,images,recall,recall_low,recall_high\na,-1,1,1,1\n",
        "class,images,recall,recall_low,recall_high\na,1,nan,1,1\n",
        "class,images,recall,recall_low,recall_high\na,1,2,1,1\n",
        "class,images,recall,recall_low,recall_high\na," + "9" * 5000 + ",1,1,1\n",
    ],
    ids=["empty", "header", "short", "word", "negative", "nan", "share", "huge"],
)
def test_another_table_has_no_classes(text: str) -> None:
    assert parse_classes(text) == []


@pytest.mark.parametrize(
    "text", ["", "a,b\n", "t,a,b\na,1,2\n", "t,a\na,x\n", "t,a\n\n"], ids=list("abcde")
)
def test_a_table_that_is_not_square_is_no_confusion_matrix(text: str) -> None:
    assert parse_confusion(text) is None


def test_of_many_classes_the_weakest_are_listed_and_no_matrix_is_drawn(
    finish: Finish, read: Callable[[], Classes]
) -> None:
    rows = [f"class {n},10,10,{n / 100},0,1,,,\n" for n in range(MOST_CLASSES + 10, 0, -1)]
    finish(0.5, per_class=HEADER + "".join(rows), confusion_matrix=CONFUSION)

    found = read()

    assert (len(found.rows), found.total) == (MOST_CLASSES, MOST_CLASSES + 10)
    assert found.rows[0].name == "class 1"
    assert found.confusion is None
    assert CONFUSION_MATRIX in found.reason
    assert PER_CLASS not in found.reason


def test_a_class_whose_name_holds_a_line_break_is_one_class() -> None:
    text = HEADER + '"one\u2028line\nand another",5,5,1,1,1,,,\n'

    assert [row.name for row in parse_classes(text)] == ["one\u2028line\nand another"]
