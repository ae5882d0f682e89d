"""The weights that a study starts from: found at its creation, and the same ones ever after."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from objectives import catalog
from objectives.contract import DataSource
from objectives.files.digest import sha256
from objectives.models.small_cnn import SmallCNN
from search.cli import main
from search.errors import MachineMismatch
from search.exports.trial import export_trial
from search.settings import Settings
from search.studies import networks
from search.studies.create import store_study
from search.studies.joining import Joining, Request
from search.studies.networks import check_networks_here, check_weights, licence_notes, weights_notes
from search.studies.overrides import Overrides
from search.studies.prepare import prepare
from search.worker.endings import Finished
from spaces.data import Digits
from spaces.errors import StudyError
from spaces.found import Found
from spaces.stored import StoredStudy, fingerprint, from_json, to_json
from spaces.study import Study
from storage.store import Store
from tests.search.toy_worker import end, lease, make_worker
from tests.storage.samples import new_study

STUDY = """
from spaces.data import Digits
from spaces.params import Choice
from spaces.study import Study
study = Study(name="mine", objective="image_classifier", data=Digits(), metric="val_loss",
    direction="minimize", trials=1, space=[Choice("weights", ("none", "{path}"))],
    fixed={{"backbone": "small_cnn", "image_size": 32, "epochs": 2}})
"""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pt"
    torch.save(SmallCNN().state_dict(), path)
    return path


@pytest.fixture
def file(weights: Path) -> Path:
    path = weights.with_name("study.py")
    path.write_text(STUDY.format(path=weights))
    return path


@pytest.fixture
def study(weights: Path) -> StoredStudy:
    """A study as it is stored, without the seconds that its creation takes."""
    record = {"file": str(weights), "sha256": sha256(weights)}
    study = Study(
        name="mine",
        objective="image_classifier",
        metric="val_loss",
        direction="minimize",
        space=[],
        fixed={"backbone": "small_cnn", "weights": str(weights)},
    )
    return StoredStudy(study, Found(weights={f"small_cnn {weights}": record}))


def join(study: str, settings: Settings, store: Store) -> None:
    """Make every check that a worker of this machine makes before its first claim."""
    Joining(request=Request(study=study), settings=settings, store=store).check()


@pytest.mark.slow
def test_a_new_study_notes_its_files_and_goes_on_with_the_same_ones_only(
    store: Store, file: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, overrides = Settings(home=file.parent), Overrides(str(file))
    prepared = prepare(overrides, settings)

    row = store_study(prepared, overrides, settings, store)

    noted = from_json(row.definition).found.weights
    assert noted == {
        f"small_cnn {weights}": {
            "file": str(weights),
            "sha256": sha256(weights),
            "licence": "unknown",
            # Four 3x3 convolutions from 3 to 128 channels without bias, and their norms.
            "parameters": str(
                9 * (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128) + 2 * (16 + 32 + 64 + 128)
            ),
        }
    }
    assert store_study(prepared, overrides, settings, store) == row
    with monkeypatch.context() as patch:  # a process that builds the network once more takes 2 s
        patch.setattr(networks, "check_networks", lambda _: noted)
        join("mine", settings, store)

    torch.save(SmallCNN().state_dict(), weights)  # another random start
    with pytest.raises(
        MachineMismatch, match=r"mine\.pt differs from the one that study 'mine' was created"
    ):
        store_study(prepared, overrides, settings, store)
    with pytest.raises(MachineMismatch, match="bring the same file here"):
        join("mine", settings, store)


@pytest.mark.slow
def test_a_check_finds_a_file_of_another_network(
    file: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"conv1.weight": torch.zeros(3)}, weights)

    assert main(["check", "--study", str(file), "--rules-only"]) == 0
    assert main(["check", "--study", str(file)]) == 2
    error = capsys.readouterr().err
    assert "mine.pt are not the weights of small_cnn: it has no layers.0.0.weight" in error
    assert error.count("\n") == 1


def test_a_machine_without_the_file_is_refused(study: StoredStudy, weights: Path) -> None:
    check_weights(study)
    weights.unlink()
    with pytest.raises(MachineMismatch, match=r"cannot be read here .*bring that file to the same"):
        check_weights(study)


def test_published_weights_that_are_another_file_here_are_refused(
    study: StoredStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, here = ({"resnet18 pretrained": {"sha256": each * 64}} for each in "fe")
    monkeypatch.setattr(networks, "check_networks", lambda _: here)
    check_networks_here(replace(study, found=Found(weights=here)))
    with pytest.raises(MachineMismatch, match="resnet18 pretrained are another file here"):
        check_networks_here(replace(study, found=Found(weights=noted)))


@pytest.mark.slow
def test_a_machine_that_cannot_have_the_weights_joins_no_study(
    store: Store, study: StoredStudy, database_url: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    fixed = {"backbone": "resnet18", "weights": "pretrained"}
    lacking = StoredStudy(replace(study.study, data=Digits(), fixed=fixed))
    data = catalog.read_data("image_classifier", DataSource(layout={"kind": "digits"})).fingerprint
    new = {"definition": to_json(lacking), "data_fingerprint": data, "trials": 3, "queue": [{}]}
    store.create(new_study("mine", **new))
    surroundings = {
        **{"SEARCH_HOME": str(tmp_path), "SEARCH_DATABASE_URL": database_url},
        **{"TORCH_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9"},  # nobody answers
    }
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)

    assert main(["worker", "--study", "mine"]) == 4
    assert "cannot be fetched" in capsys.readouterr().err
    assert all(trial.state == "WAITING" for trial in store.trials("mine"))


def test_a_file_that_is_found_later_does_not_change_a_study(study: StoredStudy) -> None:
    assert from_json(to_json(study)) == study
    assert fingerprint(study) == fingerprint(replace(study, found=Found()))


def test_an_export_says_what_its_trial_started_from(store: Store, tmp_path: Path) -> None:
    config = {"backbone": "small_cnn", "weights": "none"}
    worker = make_worker(store, tmp_path, objective="image_classifier", fixed=config, space=[])
    known = {"small_cnn none": {"sha256": "ab"}, "small_cnn pretrained": {"sha256": "cd"}}
    store.update_definition("toy", to_json(StoredStudy(worker.study, Found(weights=known))), 1)
    leased = lease(worker)
    leased.folder.mkdir(parents=True)
    store.record(leased.claim, 1, {"val_loss": 0.5}, 0.5, seconds=1.0, images=10)
    end(leased, Finished(0.5, (1,)))

    assert export_trial(store, "toy", "best").weights == {"sha256": "ab"}


@pytest.mark.parametrize(
    ("fixed", "space", "says"),
    [
        ({}, '"batch_size", (64, 2048)', r"batch_size 2048 is more than the \d{4} images"),
        (
            {"batch_size": 64, "max_train_samples": 60},
            '"stem", ("standard",)',
            "set batch_size to 60",
        ),
        ({"micro_batch": 1500}, '"batch_size", (64,)', r"micro_batch 1500 .*set micro_batch to"),
        (
            {},
            '"max_val_samples", (0, 9)',
            "max_val_samples 9 is less than one image",
        ),
    ],
)
def test_a_batch_or_sample_that_does_not_suit_the_set_is_found_before_anything_runs(
    tmp_path: Path, fixed: dict[str, object], space: str, says: str
) -> None:
    path = tmp_path / "study.py"
    text = STUDY.replace('"weights", ("none", "{path}")', space).format()
    path.write_text(text.replace('"epochs": 2', f'"epochs": 2, **{fixed}'))

    with pytest.raises(StudyError, match=f"^mine: image_classifier: .*{says}"):
        prepare(Overrides(str(path)), Settings(home=tmp_path))


def test_noncommercial_weights_are_reported() -> None:
    records = {
        "convnextv2_tiny pretrained": {"licence": "cc-by-nc-4.0"},
        "resnet50 pretrained": {"licence": "bsd-3-clause"},
    }
    (note,) = licence_notes(records)
    assert "convnextv2_tiny pretrained are licensed cc-by-nc-4.0" in note
    assert note.endswith("allow_noncommercial=false refuses such")


def test_weights_that_were_unwrapped_are_reported_and_published_ones_are_not() -> None:
    read = {"licence": "unknown", "reading": "read from state_dict without the prefix 'model.'"}
    notes = list(weights_notes({"resnet18 own.pth": read, "resnet18 pretrained": read}))
    assert notes == [
        "the weights of resnet18 own.pth are read from state_dict without the prefix 'model.'"
    ]
