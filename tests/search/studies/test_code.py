"""An author's own code that has changed since its study began: refused, or accepted and noted."""

from pathlib import Path

import pytest

from search.settings import Settings
from search.studies.code import code_here, code_used, same_code
from search.studies.declare import resolved
from spaces.errors import StudyError
from spaces.own import code_digest
from spaces.params import Float
from spaces.stored import StoredStudy
from spaces.study import Study

TRAIN = """
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    learning_rate: float = 0.1
    augment: bool = True


def train(recipe: Recipe, attempt):
    yield
"""
STUDY = Study(
    name="own",
    objective="train.py:train",
    metric="dice",
    direction="maximize",
    trials=3,
    space=[Float("learning_rate", 1e-3, 1.0)],
)


@pytest.fixture
def stored(tmp_path: Path) -> StoredStudy:
    """A study of one's own code."""
    (tmp_path / "train.py").write_text(TRAIN)
    return resolved(STUDY, tmp_path)


def test_accepted_code_is_the_studys_and_the_code_before_it_is_kept(
    stored: StoredStudy, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(TRAIN + "\n# changed\n")
    with pytest.raises(StudyError, match=r"has changed since it began \(train.py\)"):
        same_code(stored, tmp_path, accepts=False)

    own, before = same_code(stored, tmp_path, accepts=True).found.own, stored.found.own

    assert own["sources"]["train.py"].endswith("# changed\n")
    assert code_used(own, code_digest(before)) == before
    assert code_used(own, code_digest(own))["sources"] == own["sources"]


def test_code_that_no_longer_takes_the_studys_values_cannot_be_accepted(
    stored: StoredStudy, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(TRAIN.replace("    augment: bool = True\n", ""))
    with pytest.raises(StudyError, match=r"no parameter 'augment'.*--as own-2"):
        same_code(stored, tmp_path, accepts=True)


def test_a_folder_of_code_that_is_not_there_is_told_apart_from_other_code(
    stored: StoredStudy, tmp_path: Path
) -> None:
    with pytest.raises(StudyError, match="nowhere is no folder; name the folder that has the code"):
        code_here(stored, Settings(home=tmp_path), tmp_path / "nowhere")
