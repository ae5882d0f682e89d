import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from spaces.data import Brats, ClassFolders, Data, FileNames, Table
from spaces.errors import StudyError
from spaces.load import load_study
from spaces.stored import StoredStudy, data_to_json, from_json, to_json

WHOLE = Table(
    ("India/India.xlsx", "Italy/Italy.xlsx"),
    path=("{table}/{Number}/*[0-9]_palpebral.png",),
    label="Hgb",
    cuts=(7.0, 12.0),
    group="{table}/{Number}",
    group_pattern=r"^(.+)$",
    site="table",
    names={"<7": "severe"},
    metadata={"Age": "number"},
)


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        Table({"train": "Train.xlsx", "test": "Test.xlsx"}, one_hot=("NC", "G3")),
        ClassFolders(group=r"^(\d+)_"),
        Brats(modalities=("flair", "t1ce")),
    ],
)
def test_a_declaration_survives_the_database(data: Data) -> None:
    study = replace(load_study("gleason"), data=data)
    assert from_json(json.loads(json.dumps(to_json(StoredStudy(study))))).study.data == data


def test_a_layout_is_told_every_field_also_those_at_their_default() -> None:
    study = replace(load_study("gleason"), data=Table("t.csv", label="y"))
    told = json.loads(json.dumps(data_to_json(study)))
    assert told == {"kind": "table", **json.loads(json.dumps(asdict(study.data)))}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": None}, "a label column, or one_hot columns"),
        ({"one_hot": ("a", "b")}, "and not both"),
        ({"label": None, "one_hot": ("a", "b")}, "cuts and label_pattern read a label column"),
        ({"cuts": (12.0, 7.0)}, "do not rise; give the lowest first"),
        ({"group": None}, "group_pattern reads a group column; name it"),
        ({"table": ()}, "table names no file"),
        ({"skip": "45"}, "skip is '45'; give it a tuple, each item text"),
        ({"cuts": ("7",)}, "each item a number"),
        ({"cuts": (float("nan"),)}, "each item a number"),
        ({"encoding": "hex"}, "encoding='hex' is unknown; cp1252 is one"),
        ({"site": 3}, "site is 3; give it text or None"),
        ({"names": {"<7": None}}, "give it a mapping from text to text"),
        ({"table": {"train": 1}}, "table is {'train': 1}; give it text or a tuple, each item text"),
        ({"path": "image", "metadata": {"image": "file"}}, "'image' is the image; leave it out"),
        ({"metadata": {"Age": "float"}}, "'Age' is 'float'; number, category, text or file"),
        ({"metadata": {"Age": "number", "Hgb": "number"}}, "'Hgb' is the label; leave it out"),
    ],
)
def test_a_table_declared_against_itself_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(StudyError, match=reason):
        replace(WHOLE, **change)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: FileNames(label=None),  # type: ignore[arg-type]
        lambda: FileNames(label="a", skip="45"),  # type: ignore[arg-type]
        lambda: ClassFolders(group=3),  # type: ignore[arg-type]
        lambda: Brats(modalities="t1"),  # type: ignore[arg-type]
    ],
)
def test_a_declaration_of_other_types_is_refused(declare: Callable[[], Data]) -> None:
    with pytest.raises(StudyError, match="; give it "):
        declare()
