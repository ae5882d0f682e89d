"""Another machine's data: refused with the rows that differ, split as the study was (C16)."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from objectives.contract import DataSource
from objectives.data.manifest.manifest import read_manifest
from search.cli import main
from search.errors import MachineMismatch
from search.settings import Settings
from search.studies.create import store_study
from search.studies.mismatch import differing
from search.studies.overrides import Overrides
from search.studies.prepare import prepare
from search.studies.reopen import open_study
from storage.store import Store

STUDY = """
from spaces.data import ClassFolders
from spaces.params import Toggle
from spaces.study import Study
study = Study(name="skin", objective="image_classifier", data=ClassFolders(), metric="val_loss",
    direction="minimize", trials=1, space=[Toggle("ldam")], fixed={"backbone": "small_cnn",
    "weights": "none", "image_size": 32, "epochs": 1, "warmup_epochs": 0, "batch_size": 4})
"""
HEADER = "path,label,class_index,group,site,split,fold,sha1,age\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A machine with a study file and 2 x 20 small images."""
    (tmp_path / "skin.py").write_text(STUDY)
    for number in range(40):
        folder = tmp_path / "data" / ("mole", "wart")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number:02}.png")
    return tmp_path


@pytest.fixture
def there(here: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another machine with the same files, after the study was stored from the first one."""
    overrides = Overrides(str(here / "skin.py"), here / "data")
    settings = Settings(home=here / "home")
    store_study(prepare(overrides, settings), overrides, settings, store)
    folder = tmp_path_factory.mktemp("there")
    shutil.copytree(here / "data", folder / "data")
    return folder


def opened(store: Store, machine: Path) -> Path | None:
    """Join the study as a worker of that machine does; give the partition that it trains on."""
    _, source = open_study("skin", machine / "data", Settings(home=machine / "home"), store)
    return source.partition


def damaged(folder: Path) -> None:
    (folder / "mole" / "00.png").unlink()
    (folder / "mole" / "02.png").write_bytes((folder / "mole" / "04.png").read_bytes())
    (folder / "wart" / "01.png").rename(folder / "mole" / "01.png")


def test_the_first_rows_that_differ_are_named_and_the_others_counted(
    store: Store, there: Path
) -> None:
    damaged(there / "data")

    with pytest.raises(MachineMismatch) as refused:
        opened(store, there)

    assert refused.value.exit_code == 4
    assert str(refused.value) == (
        f"the data in {there / 'data'} differs from the data that study 'skin' was created on"
        " (4 images differ: mole/00.png is missing here; mole/01.png is only here; mole/02.png:"
        " contents differ and 1 more) (C16); bring the same files here, or start a new study with"
        " --as NAME"
    )


def test_a_run_that_goes_on_is_refused_for_the_same_reason(store: Store, there: Path) -> None:
    damaged(there / "data")
    overrides = Overrides(str(there / "skin.py"), there / "data")
    (there / "skin.py").write_text(STUDY)
    settings = Settings(home=there / "home")

    with pytest.raises(MachineMismatch, match=r"mole/00\.png is missing here"):
        store_study(prepare(overrides, settings, store), overrides, settings, store)


def test_another_scikit_learn_does_not_reshuffle_a_study(
    store: Store, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from objectives.data.manifest import partition

    mine = (opened(store, there) or Path()).read_text()
    other = ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    monkeypatch.setattr(partition, "carve", lambda *_: iter(other))

    assert (opened(store, there) or Path()).read_text() == mine
    anew = read_manifest(DataSource(layout={"kind": "class_folders"}, folder=there / "data"))
    assert [row.split for row in anew.rows] == other  # a study without stored splits would be


@pytest.mark.parametrize(
    ("stored", "here", "says"),
    [
        ("a,x,0,a,,train,0,1,3.0", "a,y,1,a,,train,0,1,3.0", "a: label x -> y"),
        ("a,x,0,a,,train,0,1,3.0", "a,x,1,a,,train,0,1,3.0", "a: the order of the classes differs"),
        ("a,x,0,a,,train,0,1,3.0", "a,x,0,a,,val,2,1,3.0", "a: split train -> val, fold 0 -> 2"),
        ("a,x,0,a,,train,0,1,3.0", "a,x,0,b,,train,0,1,", "a: group a -> b, age 3.0 -> none"),
    ],
)
def test_the_differences_of_a_row_are_named_in_words(stored: str, here: str, says: str) -> None:
    assert list(differing(HEADER + stored, HEADER + here)) == [says]


def test_a_wider_table_differs_in_every_row() -> None:
    stored, here = "a,x,0,a,,train,0,1,3.0", "a,x,0,a,,train,0,1,3.0,f"

    found = differing(HEADER + stored, HEADER.replace("age", "age,sex") + here)

    assert list(found) == ["a: sex none -> f"]


def test_a_check_tells_other_data_before_a_worker_claims(
    store: Store,
    there: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damaged(there / "data")
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    monkeypatch.setenv("SEARCH_HOME", str(there / "home"))

    assert main(["worker", "--study", "skin", "--data", str(there / "data"), "--check"]) == 4

    (line,) = capsys.readouterr().err.splitlines()
    assert "images differ: mole/00.png is missing here" in line
    assert line.endswith("bring the same files here, or start a new study with --as NAME")
    assert store.workers("skin") == []
