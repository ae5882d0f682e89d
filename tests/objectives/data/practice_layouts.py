"""How the practice sets are read: as each one's study says."""

from pathlib import Path

from objectives.contract import DataSource
from spaces.load import load_study
from spaces.stored import data_to_json

SMALLEST = {"gleason": 120, "derm": 120, "cifar10": 120, "anemia": 60, "brats": 28}


def practice_source(name: str, folder: Path) -> DataSource:
    """Where a practice set lies and how its study reads it."""
    study = load_study(name).for_practice()
    return DataSource(
        layout=data_to_json(study),
        folder=folder,
        split_seed=study.seed,
        folds=study.folds,
        has_test=study.has_test,
    )
