"""`search check` and the runs that it stops: every finding shown, errors refused, some skipped."""

import json
import re
from pathlib import Path

import pytest
import yaml
from optuna_dashboard import get_note
from PIL import Image

from search.cli import main
from search.studies.splits import write_partition
from spaces.stored import from_json
from storage.store import Store
from tests.log_handlers import kept_log_handlers

STUDY = """
from spaces.data import ClassFolders
from spaces.params import Toggle
from spaces.study import Study
study = Study(name="skin", objective="image_classifier", data=ClassFolders(), metric="val_loss",
    direction="minimize", trials=1, space=[Toggle("ldam"), Toggle("weighted_sampler")],
    fixed={"backbone": "small_cnn", "weights": "none", "image_size": 16, "epochs": 1,
    "warmup_epochs": 0, "batch_size": 4})
"""
OWN = """
from spaces.data import ClassFolders
from spaces.params import Float
from spaces.script import Script
from spaces.study import Study
study = Study(name="skin", objective=Script("python train.py"), data=ClassFolders(group=r"^(.)"),
    metric="leaks", direction="minimize", trials=1, space=[Float("x", 0, 1)])
"""
TRAIN = """
from search.script import trial
train, val = ({row.group for row in trial.rows(split)} for split in ("train", "val"))
trial.report(1, leaks=len(train & val), patients=len(train | val))
"""
EMPTY = ("bruise", "C08")  # a class folder without an image, and the rule that finds it
RUN = ("run", "--study", "skin.py", "--workers", "0")  # stores the study; `work` trains it
CHECK = ("check", "--study", "skin.py", "--no-throughput")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    """A folder to type in, with 2 x 20 small images under data/skin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "skin.py").write_text(STUDY)
    for number in range(40):
        folder = tmp_path / "data" / "skin" / ("mole", "wart")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        noise = bytes(((number + 1) * pixel * 7919) % 251 for pixel in range(16 * 16 * 3))
        Image.frombytes("RGB", (16, 16), noise).save(folder / f"{number:02}.png")
    return tmp_path


@pytest.fixture
def broken(place: Path) -> None:
    """The same data with an error."""
    (place / "data" / "skin" / EMPTY[0]).mkdir()


def work() -> None:
    """Train the trials of the stored study, in this process."""
    with kept_log_handlers():
        assert main(["worker", "--study", "skin"]) == 0


def in_folder_order(place: Path) -> dict[str, str]:
    """Another split than would be carved: path -> split."""
    data = place / "data" / "skin"
    paths = sorted(str(path.relative_to(data)) for path in data.rglob("*.png"))
    turns = ("test", "val", "train", "train")
    return {path: turns[row % 4] for row, path in enumerate(paths)}


def leaky(data: Path, patients: str = "abcdefgh") -> dict[Path, bytes]:
    """Lay the images out by split and patient, who stand in both; give the images' bytes."""
    for number, path in enumerate(sorted(data.rglob("*.png"))):
        split = ("val", "test", "train", "train", "train")[number % 5]
        patient = patients[number % len(patients)]
        target = data / split / path.parent.name / f"{patient}{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    for name in ("mole", "wart"):
        (data / name).rmdir()
    return {path: path.read_bytes() for path in data.rglob("*.png")}


def write_splits(place: Path, splits: dict[str, str]) -> Path:
    """Put a split file where `search check --fix` does."""
    rows = [(path, split, "0") for path, split in splits.items()]
    return write_partition(place / "home" / "splits" / "skin.csv", rows)


def test_warnings_alone_are_no_reason_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CHECK]) == 0

    out = capsys.readouterr().out
    assert "D04 warn: " in out
    assert "error" not in out


@pytest.mark.usefixtures("broken")
def test_an_error_of_the_data_stands_before_a_warning_of_the_rules(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*CHECK]) == 2

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{EMPTY[1]} error: ")
    assert any(line.startswith("D04 warn: ") for line in lines[1:])


@pytest.mark.usefixtures("broken")
def test_programs_get_every_finding_with_its_paths_and_what_the_look_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*CHECK, "--json"]) == 2

    told = json.loads(capsys.readouterr().out)
    first = told["findings"][0]
    assert (first["rule"], first["level"]) == (EMPTY[1], "error")
    assert {"message", "paths", "can_fix"} <= first.keys()
    assert sum(told["data"]["counts"]["train"].values()) > 20
    assert len(told["fingerprint"]) == 64
    assert told["seconds"] > 0
    assert (told["trouble"], told["fixed"], told["throughput"]) == (None, None, None)


def test_every_error_of_the_rules_is_reported_at_once(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = STUDY.replace("minimize", "maximize").replace('"epochs"', '"epoch"')
    (place / "skin.py").write_text(worse)

    assert main([*CHECK]) == 2

    told = capsys.readouterr()
    assert "did you mean 'epochs'" in told.out
    assert "O01 error: " in told.out
    assert "mole" in told.out
    assert told.err == ""


def test_where_weights_cannot_be_had_the_classes_are_shown_all_the_same(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "skin.py").write_text(STUDY.replace('"none"', '"nowhere.pt"'))

    assert main([*CHECK]) == 2

    told = capsys.readouterr()
    assert "mole" in told.out
    assert "nowhere.pt" in told.err
    assert told.err.count("\n") == 1


def test_a_batch_of_more_images_than_there_are_hides_nothing_of_the_data(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "skin.py").write_text(STUDY.replace('"batch_size": 4', '"batch_size": 64'))

    assert main([*CHECK]) == 2

    told = capsys.readouterr()
    assert "S01 info: " in told.out
    assert re.search("^D06 error: .*batch_size 64 is more than the 28 images", told.out)
    assert told.err == ""


def test_a_pattern_that_is_none_is_a_finding_as_the_file_has_it(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "skin.py").write_text(STUDY.replace("ClassFolders()", r'ClassFolders(r"(\d+")'))

    for command in (RUN, CHECK, [*CHECK, "--rules-only"]):
        assert main([*command]) == 2
        told = capsys.readouterr()
        said = told.out + told.err
        assert r"the group pattern '(\d+' is not a regular expression: missing ), " in said
        assert said.count("regular expression") == 1


def test_programs_get_the_trouble_of_an_examination_with_its_fix(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (place / "data").rglob("*.png"):
        path.unlink()

    assert main([*CHECK, "--json"]) == 2

    told = capsys.readouterr()
    trouble = json.loads(told.out)["trouble"]
    assert told.err == f"search: {trouble['error']}; {trouble['fix']}\n"
    assert trouble["fix"]


@pytest.mark.slow
def test_what_limits_training_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--study", "skin.py", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)["throughput"]
    assert told["loader"] > 0
    assert told["model"] > 0
    assert (told["backbone"], told["batch_size"]) == ("small_cnn", 4)


@pytest.mark.usefixtures("broken")
def test_a_run_is_refused_by_an_error_of_the_data_in_one_line(
    capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    assert main([*RUN]) == 2

    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("search: skin: ")
    assert line.endswith(f"({EMPTY[1]}); see `search check --study skin.py`")
    assert store.studies() == []


@pytest.mark.parametrize("rule", ["C99", "c01", "D04", "C14", "C16"])
def test_only_a_rule_of_the_data_can_be_skipped(
    rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*RUN, "--skip-check", f"C01,{rule}"]) == 2

    line = capsys.readouterr().err
    assert f"'{rule}' is not a check of the data that may be skipped" in line
    assert "C01, C02" in line
    assert line.count("\n") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("broken")
def test_a_skipped_rule_is_stored_with_the_study_and_stays_skipped(
    place: Path, capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    assert main([*RUN, "--skip-check", EMPTY[1]]) == 0

    assert f"1 error of the data skipped by --skip-check ({EMPTY[1]})" in (capsys.readouterr().err)
    assert f"Skipped checks of the data: {EMPTY[1]}" in get_note(store.optuna_study("skin"))
    work()
    capsys.readouterr()
    main(["status", "--study", "skin", "--json"])
    assert json.loads(capsys.readouterr().out)["skipped_checks"] == [EMPTY[1]]
    main(["export", "--study", "skin", "--trial", "0"])
    assert yaml.safe_load(capsys.readouterr().out)["skipped_checks"] == [EMPTY[1]]

    assert main([*RUN, "--skip-check", "C11"]) == 0

    assert from_json(store.study("skin").definition).found.skipped_checks == (EMPTY[1], "C11")
    assert f"Skipped checks of the data: {EMPTY[1]}, C11" in get_note(store.optuna_study("skin"))
    capsys.readouterr()
    assert main([*CHECK]) == 0
    assert capsys.readouterr().out.startswith(f"{EMPTY[1]} error, skipped: ")


def test_a_new_study_is_split_as_the_fix_wrote_it_and_says_so(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = in_folder_order(place)
    file = write_splits(place, splits)

    assert main([*CHECK]) == 0

    out = capsys.readouterr().out
    assert f"skin is split as `search check --fix` wrote it into {file}" in out
    counts = [list(splits.values()).count(split) // 2 for split in ("train", "val", "test")]
    assert ["mole", *map(str, counts)] in [line.split() for line in out.splitlines()]


def test_a_fix_without_anything_to_mend_writes_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CHECK, "--fix"]) == 0

    assert "no split was written" in capsys.readouterr().err
    assert not (place / "home" / "splits").exists()


@pytest.mark.slow
def test_code_of_ones_own_gets_the_mended_split(
    place: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "skin.py").write_text(OWN)
    (place / "train.py").write_text(TRAIN)
    leaky(place / "data" / "skin")
    assert main([*RUN]) == 2
    assert "C01" in capsys.readouterr().err

    assert main([*CHECK, "--fix"]) == 0
    assert main([*RUN]) == 0
    work()

    (epoch,) = store.epochs("skin", 0)
    assert epoch.metrics == {"leaks": 0, "patients": 7}  # the eighth is in test


def test_where_no_split_can_mend_it_both_are_reported(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "skin.py").write_text(STUDY.replace("ClassFolders()", "ClassFolders(group=r'^(.)')"))
    leaky(place / "data" / "skin", patients="ab")

    assert main([*CHECK, "--fix"]) == 2

    told = capsys.readouterr()
    assert "C01 error: " in told.out
    assert "images of only 2 groups" in told.err


def test_a_split_file_that_lacks_new_images_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = in_folder_order(place)
    splits.pop("mole/00.png")
    write_splits(place, splits)

    assert main([*CHECK]) == 2
    assert "C04 error: 1 image is in no split" in capsys.readouterr().out
    assert main([*CHECK, "--fix"]) == 0
    assert main([*CHECK]) == 0


def test_the_fix_writes_a_split_that_the_check_then_passes_and_touches_no_image(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patients = STUDY.replace("ClassFolders()", "ClassFolders(group=r'^(.)')")
    (place / "skin.py").write_text(patients)
    images = leaky(place / "data" / "skin")
    assert main([*CHECK]) == 2
    assert "C01 error: " in capsys.readouterr().out

    assert main([*CHECK, "--fix"]) == 0

    out = capsys.readouterr().out
    assert "fixed by another split: " in out
    assert "all images were divided anew, test included" in out
    assert "C01" not in out
    assert (place / "home" / "splits" / "skin.csv").is_file()
    assert {path: path.read_bytes() for path in images} == images
    assert main([*CHECK]) == 0


@pytest.mark.slow
def test_an_export_of_a_study_that_was_split_by_a_file_retrains_to_the_bit(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_splits(place, in_folder_order(place))
    assert main([*RUN]) == 0
    file.unlink()
    assert main([*RUN, "--trials", "1"]) == 0  # goes on with its own splits
    work()
    assert main(["export", "--study", "skin", "--out", "best.yaml"]) == 0

    again = ("retrain", "best.yaml", "--verify", "--data", "data/skin")
    assert main([*again]) == 0

    exported = yaml.safe_load(Path("best.yaml").read_text())
    assert exported["test_uses"] == 0
    del exported["data"]["splits"]
    Path("best.yaml").write_text(yaml.safe_dump(exported))
    assert main([*again]) == 2  # what would be carved is another split
    assert "differs from the data that trial 0 was trained on" in capsys.readouterr().err


def test_a_stored_study_keeps_its_splits_and_its_files(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*RUN]) == 0
    write_splits(place, in_folder_order(place))

    assert main([*RUN, "--trials", "1"]) == 0
    assert main([*CHECK, "--fix"]) == 2
    assert "search check --fix --as skin-2" in capsys.readouterr().err
    (place / "data" / "skin" / "mole" / "00.png").unlink()
    for command in (RUN, CHECK):
        assert main([*command]) == 4
        told = capsys.readouterr()
        assert "1 image differs: mole/00.png is missing here" in told.out + told.err


def test_a_changed_study_is_reported_as_changed_and_not_its_data(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*RUN]) == 0
    for declared, instead, field in (
        ("trials=1", "trials=1, folds=3", "folds"),
        ("ClassFolders()", "ClassFolders(group=r'^(.)')", r"data\.group"),
    ):
        (place / "skin.py").write_text(STUDY.replace(declared, instead))
        for command in (RUN, CHECK):
            capsys.readouterr()
            assert main([*command]) == 2
            said = capsys.readouterr().err
            assert re.search(rf"has changed since it began \({field}: .*--as skin-2", said)


PRIORS = STUDY.replace(
    'space=[Toggle("ldam"), ',
    'space=[Float("learning_rate", 1e-5, 1e-1, log=True,'
    ' prior=Prior(1e-3, "high")), Toggle("ldam", 0.3), '
    'Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True}), ',
).replace("import Toggle", "import Float, Toggle\nfrom spaces.priors import Prior")


def test_the_draws_of_each_prior_are_shown_before_anything_runs(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "skin.py").write_text(PRIORS)

    main([*CHECK, "--rules-only"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    main([*CHECK, "--rules-only", "--json"])
    told = {each["name"]: each for each in json.loads(capsys.readouterr().out)["priors"]}

    assert "▁▁▁▁▁▂▂▃▅▆▇██▇▆▅▃▂▂▁▁▁▁▁" in lines["learning_rate"]
    assert "2.3e−4 to 4.4e−3" in " ".join(lines["learning_rate"].split())
    assert lines["ldam"].replace("\N{NARROW NO-BREAK SPACE}", " ").rstrip().endswith("70 %, 30 %")
    assert lines["ldam_max_margin"].rstrip().endswith("ldam is on")
    assert told["ldam"]["shares"] == pytest.approx({"off": 0.7, "on": 0.3})
    assert len(told["learning_rate"]["density"]) == 24
    assert told["learning_rate"]["middle"] == pytest.approx([2.3e-4, 4.3e-3], rel=0.05)


def test_the_course_of_a_study_is_told_before_anything_runs(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "skin.py").write_text(
        PRIORS.replace('"epochs": 1,', '"epochs": 12,').replace("trials=1", "trials=9")
    )

    main([*CHECK, "--rules-only"])
    lines = capsys.readouterr().out.splitlines()
    main([*CHECK, "--rules-only", "--json"])
    course = json.loads(capsys.readouterr().out)["course"]

    assert lines[-1] == "trials are compared at epochs 2, 4 and 8 of 12"
    assert "after that by a Gaussian process" in lines[-3]
    assert course["first"]["learning_rate"] == 1e-3
    assert course["rungs"] == {"12": [2, 4, 8]}
    assert [course["sampler"], course["pruning"]] == lines[-3:-1]


def test_the_course_of_code_that_tells_no_epochs_has_no_rungs(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "train.py").write_text(
        "from dataclasses import dataclass\n@dataclass\nclass Config:\n    rate: float = 0.1\n\n"
        "def train(config: Config, attempt):\n    yield {'epoch': 1, 'loss': config.rate}\n"
    )
    (place / "own.py").write_text(
        "from spaces.params import Float\nfrom spaces.study import Study\n"
        "study = Study(name='own', objective='train.py:train', metric='loss',\n"
        "    direction='minimize', space=[Float('rate', 0.1, 1.0)])\n"
    )

    assert main(["check", "--study", "own.py", "--rules-only", "--json"]) == 0

    course = json.loads(capsys.readouterr().out)["course"]
    assert (course["first"], course["rungs"]) == ({"rate": 0.55}, {})
