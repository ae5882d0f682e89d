"""An exported trial trains again: its weights, its numbers, and the message when they differ."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from objectives import catalog
from objectives.contract import Attempt, DataSource
from search.cli import main
from search.errors import UsageError
from search.exports.exported import Exported, ExportedEpoch
from search.exports.out import write_out
from search.exports.read import read_export
from search.exports.trial import as_yaml
from search.exports.verify import compare
from spaces.script import Lines, Script
from tests.search.exports.an_export import make_export

Edit = Callable[[dict[str, Any]], object]
TOY = {"learning_rate": 0.01, "epochs": 4, "seconds_per_epoch": 0.0}
DIGITS = {
    "backbone": "small_cnn",
    "weights": "none",
    "image_size": 32,
    "batch_size": 256,
    "epochs": 1,
    "warmup_epochs": 0,
    "augmentation": "none",
    "max_train_samples": 300,
    "max_val_samples": 100,
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to type in, on the CPU."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return tmp_path


def exported(
    objective: str, config: Mapping[str, Any], layout: Mapping[str, Any], folder: Path, epochs: int
) -> Exported:
    """The export of a trial with these values, trained here and now."""
    folder.mkdir()
    attempt = Attempt(folder=folder, data=DataSource(layout=layout), seed=7)
    results = list(catalog.load(objective)(config, attempt))[:epochs]
    known = catalog.describe(objective).metrics
    metrics = {name: value for name, value in results[-1].metrics.items() if known[name]["exact"]}
    return make_export(objective, config, layout, ExportedEpoch(len(results), metrics))


@pytest.fixture
def toy(place: Path) -> dict[str, Any]:
    """An export's fields, to be damaged."""
    return exported("toy_curve", TOY, {"kind": "none"}, place / "first", 4).as_mapping()


def digits(config: Mapping[str, Any], place: Path) -> dict[str, Any]:
    """The fields of an export of one epoch on the digits."""
    return exported("image_classifier", config, {"kind": "digits"}, place / "first", 1).as_mapping()


def retrain(trial: Mapping[str, Any], *words: str) -> int:
    """Type `search retrain` on this export."""
    Path("best.yaml").write_text(yaml.safe_dump(dict(trial)))
    return main(["retrain", "best.yaml", *words])


@pytest.fixture
def scripted(place: Path) -> dict[str, Any]:
    """The fields of an export of a script, whose numbers differ a little each time."""
    noisy = "import random\nprint(f'epoch 1 val_loss {0.5 + random.random() / 1000}')\n"
    (place / "train.py").write_text(noisy)
    script = Script("python train.py", results=Lines(r"epoch (\d+) val_loss (\S+)"))
    own = catalog.read_code({"kind": "script", **script.as_mapping("val_loss")}, place)
    last = ExportedEpoch(1, {"val_loss": 0.5})
    trial = make_export("toy_curve", {}, {"kind": "none"}, last)
    return replace(trial, objective="python train.py", own=own).as_mapping()


def elsewhere(trial: dict[str, Any]) -> None:
    trial["trained_on"]["device_class"] = "cuda: another"


def scale(name: str, factor: float) -> Edit:
    """Change a recorded number of the last epoch."""

    def edit(trial: dict[str, Any]) -> None:
        trial["metrics"]["last_epoch"][name] *= factor

    return edit


def test_the_weights_of_a_finished_trial_are_written_and_its_numbers_come_back(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = digits(DIGITS, place)

    assert retrain(trial, "--out", "again", "--verify") == 0
    assert (place / "again" / "best.pt").is_file()
    assert "weights: again/best.pt" in capsys.readouterr().err

    elsewhere(trial)
    trial["metrics"]["last_epoch"]["val_top1"] += 0.04
    assert retrain(trial, "--verify") == 0
    trial["metrics"]["last_epoch"]["val_top1"] += 0.02
    assert retrain(trial, "--verify") == 1
    assert "fractions within 0.05" in " ".join(capsys.readouterr().err.split())


def test_a_batch_that_memory_took_apart_is_trained_in_the_same_parts_again(place: Path) -> None:
    in_parts = {**DIGITS, "micro_batch": 100}
    trial = digits(in_parts, place)
    trial["config"]["micro_batch"] = 0  # nobody asked for them: it was all that fitted
    assert retrain(trial, "--verify") == 0


def test_a_trial_that_did_not_finish_stops_where_it_stopped(place: Path) -> None:
    trial = exported("toy_curve", TOY, {"kind": "none"}, place / "first", 2).as_mapping()
    trial["outcome"] = "pruned"
    trial["value"]["value"] = None

    assert retrain(trial, "--out", "again", "--verify") == 0
    assert [path.name[:10] for path in sorted(Path("again").iterdir())] == [
        "epoch-0001",
        "epoch-0002",
    ]


def test_one_changed_digit_is_reported(
    toy: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrain(toy, "--verify") == 0
    scale("val_loss", 1 + 1e-12)(toy)

    assert retrain(toy, "--verify") == 1
    assert "1 numbers did not come back to the last bit" in capsys.readouterr().err


@pytest.mark.parametrize(("factor", "code"), [(1.04, 0), (1.06, 1), (0.94, 1)])
def test_on_another_machine_a_loss_may_differ_by_five_percent_of_itself(
    toy: dict[str, Any], factor: float, code: int
) -> None:
    elsewhere(toy)
    scale("train_loss", factor)(toy)

    assert retrain(toy, "--verify") == code


def test_code_that_promises_no_bits_may_differ_as_on_another_machine(
    scripted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrain(scripted, "--verify") == 0
    assert "own code does not promise the same bits: losses within 5 %" in capsys.readouterr().err
    scale("val_loss", 1.2)(scripted)
    assert retrain(scripted, "--verify") == 1


def test_an_export_whose_code_was_changed_and_undone_can_be_read(scripted: dict[str, Any]) -> None:
    files = scripted["own"]["files"]
    scripted["own"]["accepted"] = [{"files": files}]  # the same object, for which YAML has a sign
    Path("best.yaml").write_text(as_yaml(Exported.from_mapping(scripted)))
    assert read_export(Path("best.yaml")).own["accepted"] == [{"files": files}]


@pytest.mark.parametrize("field", ["kind", "files", "sources", "deterministic", "fields"])
def test_an_export_that_lacks_a_part_of_its_own_code_is_refused(
    scripted: dict[str, Any], field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del scripted["own"][field]
    assert retrain(scripted, "--verify") == 2
    assert f"no usable 'own.{field}'; export the trial again" in capsys.readouterr().err


def test_own_code_that_fails_when_it_is_trained_again_is_told_in_a_line(
    scripted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    scripted["own"]["sources"] = {"train.py": "import nothere\n"}
    scripted["own"]["files"] = {"train.py": sha256(b"import nothere\n").hexdigest()}
    assert retrain(scripted, "--verify") == 2
    said = capsys.readouterr().err
    assert "trial 3 cannot be trained again (train.py ended with exit code 1: ModuleNotFou" in said
    assert "give this machine what the code needs" in said


def test_an_export_without_its_code_asks_for_it_and_takes_no_other(
    scripted: dict[str, Any], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted["own"]["sources"] = {}
    assert retrain(scripted, "--verify") == 2
    assert "give its folder with --code DIR" in capsys.readouterr().err
    assert retrain(scripted, "--verify", "--code", ".") == 0
    (place / "train.py").write_text("print('epoch 1 val_loss 0.5')\n")
    assert retrain(scripted, "--verify", "--code", ".") == 2
    assert "differs from that of trial 3 (train.py)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recorded", "again", "is_near"),
    [(0.0, 4e-3, True), (1e-6, 3e-6, True), (2e-3, 9e-3, False), (0.2, 0.212, False)],
)
def test_on_another_machine_losses_near_zero_are_compared_by_their_difference(
    recorded: float, again: float, is_near: bool
) -> None:
    last = ExportedEpoch(1, {"val_loss": recorded})
    export = make_export("toy_curve", TOY, {"kind": "none"}, last)
    differences = compare(export, {1: {"val_loss": again}}, exactly=False)
    assert bool(differences) != is_near


def test_nothing_is_trained_only_to_be_thrown_away(
    toy: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrain(toy) == 2
    assert "add --out DIR for its weights, or --verify" in capsys.readouterr().err


def test_training_that_ends_earlier_than_recorded_is_reported(
    toy: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    toy["metrics"]["last_epoch"]["epoch"] = 6

    assert retrain(toy, "--out", "again") == 0
    assert "training ended after epoch 4, not as recorded after 6" in capsys.readouterr().err
    assert retrain(toy, "--verify") == 1
    assert "2 numbers did not come back" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda trial: trial.pop("seed"), "'seed'; export the trial again"),
        (lambda trial: trial.update(seed="seven"), "'seed'"),
        (lambda trial: trial.pop("weights"), "'weights'"),
        (lambda trial: trial.update(practice_data=0), "'practice_data'"),
        (lambda trial: trial.update(badges=[1]), "'badges.0'"),
        (lambda trial: trial.update(metrics=[1]), "'metrics'"),
        (lambda trial: trial["metrics"]["value_epoch"].pop("epoch"), "'metrics.value_epoch.epoch'"),
        (lambda trial: trial["data"]["layout"].update(kind="dgits"), "'data.layout.kind'"),
        (lambda trial: trial["value"].update(epoch=3), "'value.epoch'"),
        (lambda trial: trial["value"].pop("value"), "'value.value'"),
        (lambda trial: trial["value"].update(metric="val_los"), "'value.metric'"),
        (lambda trial: trial["metrics"]["last_epoch"].update(train_loss="x"), "epoch.train_loss'"),
        (lambda trial: trial["metrics"]["last_epoch"].update(val_los=0.1), "last_epoch.val_los'"),
        (lambda trial: trial["trained_on"].update(versions=None), "'trained_on.versions'"),
        (lambda trial: trial.update(objective="toy_curv"), "did you mean 'toy_curve'"),
        (lambda trial: trial["config"].update(learning_rat=1.0), "learning_rate"),
        (lambda trial: trial["config"].update({1: 2}), "'config'"),
        (lambda trial: trial.update(seed=10**30), "'seed'"),
        (lambda trial: trial["data"].update(fingerprint="a\nb"), "--data"),
        (lambda trial: trial.update(format=0), "search export"),
    ],
)
def test_a_damaged_export_is_one_line(
    toy: dict[str, Any], capsys: pytest.CaptureFixture[str], damage: Edit, says: str
) -> None:
    damage(toy)

    assert retrain(toy, "--verify") == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


STRANGE = (
    b"[" * 5000,
    b"a: &a [1]\nb: [*a, *a]",
    b"a: !!int ''",
    b"a: !!bool x",
    b"a: !!timestamp x",
)


@pytest.mark.parametrize("text", [b"\xff\xfe", b"a: [", b"day: 2026-99-99", b"", b"3", *STRANGE])
def test_a_file_that_is_no_export_is_one_line(
    capsys: pytest.CaptureFixture[str], text: bytes
) -> None:
    Path("best.yaml").write_bytes(text)

    assert main(["retrain", "best.yaml"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("out", [".", "best.yaml/x.yaml", "/proc/none/x.yaml"])
def test_an_export_that_cannot_be_written_is_one_error(place: Path, out: str) -> None:
    Path("best.yaml").touch()
    trial = exported("toy_curve", TOY, {"kind": "none"}, place / "first", 4)

    with pytest.raises((UsageError, OSError)) as refused:
        write_out(Path(out), as_yaml(trial))
    assert isinstance(refused.value, UsageError) or refused.value.filename
    assert [path.name for path in Path.cwd().parent.glob("*.partial")] == []
