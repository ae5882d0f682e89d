from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from objectives.data.manifest.manifest import Manifest, read_manifest
from objectives.practice.make import make_practice
from tests.objectives.data.practice_layouts import practice_source


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The derm practice set at its usual size."""
    folder = tmp_path_factory.mktemp("derm")
    make_practice("derm", folder)
    return folder


@pytest.fixture(scope="module")
def table(practice: Path) -> pd.DataFrame:
    return pd.read_csv(practice / "metadata.csv", dtype=str)


@pytest.fixture(scope="module")
def manifest(practice: Path) -> Manifest:
    return read_manifest(practice_source("derm", practice))


def test_table_and_photographs_agree_and_are_named_as_the_real_ones(
    practice: Path, table: pd.DataFrame
) -> None:
    files = sorted(path.name for path in practice.glob("images/imgs_part_[123]/*.jpg"))
    assert files == sorted(table["img_id"])
    assert table["img_id"].str.fullmatch(r"PAT_\d+_\d+_\d+\.jpg").all()
    assert all(
        name.startswith(f"{patient}_{lesion}_")
        for name, patient, lesion in zip(
            table["img_id"], table["patient_id"], table["lesion_id"], strict=True
        )
    )


def test_diagnoses_are_as_rare_as_published(table: pd.DataFrame) -> None:
    shares = table["diagnostic"].value_counts(normalize=True)
    assert shares["BCC"] == pytest.approx(845 / 2298, abs=0.01)
    assert shares["MEL"] == pytest.approx(52 / 2298, abs=0.005)
    assert len(shares) == 6


def test_patients_come_again_and_stay_in_one_split(table: pd.DataFrame) -> None:
    patients = table.groupby("patient_id")
    assert (patients["lesion_id"].nunique() > 1).sum() > 20
    assert (table.groupby("lesion_id").size() > 1).sum() > 50
    assert patients["split"].nunique().max() == 1
    assert all(
        set(part["diagnostic"]) == set(table["diagnostic"]) for _, part in table.groupby("split")
    )


def test_a_skin_tells_its_patient_so_that_an_image_split_would_leak(
    practice: Path, manifest: Manifest
) -> None:
    colours = np.array(
        [np.asarray(Image.open(practice / row.path))[:6].mean((0, 1)) for row in manifest.rows]
    )
    distances = np.linalg.norm(colours[:, None] - colours, axis=2)
    np.fill_diagonal(distances, np.inf)
    patients = [row.group for row in manifest.rows]
    counts = Counter(patients)
    by_chance = np.mean([(counts[each] - 1) / (len(patients) - 1) for each in patients])
    same = [patients[row] == patients[near] for row, near in enumerate(distances.argmin(axis=1))]
    assert np.mean(same) > 3 * by_chance


def test_the_table_tells_a_part_and_lacks_answers(table: pd.DataFrame) -> None:
    ages = table["age"].astype(float).groupby(table["diagnostic"]).mean()
    assert ages["NEV"] + 15 < ages["SCC"]
    lacking = table["fitspatrick"].isna()
    assert 0.1 < lacking.mean() < 0.6
    regions = table.loc[table["diagnostic"] == "ACK", "region"].value_counts(normalize=True)
    assert 0.25 < regions["FOREARM"] < 0.55
    assert (table["itch"] == "UNK").any()


def test_the_reader_types_its_columns(practice: Path) -> None:
    source = practice_source("derm", practice)
    only = replace(source, layout={**source.layout, "metadata": {"age": "number"}})
    ages = [row.metadata[0] for row in read_manifest(only).rows]
    assert all(isinstance(age, float) and 5 < age < 95 for age in ages)
