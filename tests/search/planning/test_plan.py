"""The predicted cost of a study, measured on this machine."""

import json
import os
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from objectives.probes.cost import Cost, Inputs, SharedDevice, measure_costs
from objectives.recipe.image import ImageRecipe
from search.cli import main
from search.commands.plan import print_plan
from search.planning.costs import CostRow, combinations
from search.planning.kept import excluded_here, remember, room_note
from search.planning.plan import Plan, as_mapping
from search.processes.devices import DeviceShare, assign, memory_share
from search.processes.gpus import Gpu
from search.processes.machine import device_class
from search.settings import Settings
from search.studies.declare import resolved
from spaces.load import load_study
from spaces.params import Choice, Value
from spaces.stored import StoredStudy, fingerprint, from_json
from spaces.study import Study
from storage.store import Store
from tests.log_handlers import kept_log_handlers


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return tmp_path


def plan(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["plan", "--study", "digits", "--set", "image_size=16", "--json", *words]) == 0
    printed: dict = json.loads(capsys.readouterr().out)
    return printed


def digits(**pins: Value) -> StoredStudy:
    return resolved(load_study("digits")).pinned(pins)


CPU = SharedDevice(device="cpu", memory=1.0, environment=os.environ)


def share(workers: int) -> DeviceShare:
    return assign(workers, (), 1)[0]


def cost(micro_batch: int, seconds: float = 1.0) -> Cost:
    return Cost(
        step_seconds=seconds,
        micro_batch=micro_batch,
        memory_bytes=1e9 if micro_batch else 8e9,
        capacity_bytes=8e9,
        measured_images=micro_batch,
    )


def row(backbone: str, batch_size: int, weight: float, cost: Cost, seconds: float) -> CostRow:
    return CostRow(
        backbone=backbone,
        batch_size=batch_size,
        weight=weight,
        cost=cost,
        epoch_seconds=seconds,
    )


def plan_of(stored: StoredStudy, rows: list[CostRow]) -> Plan:
    machine = device_class("cpu")
    return Plan(
        study=stored.study.name,
        fingerprint=fingerprint(stored),
        device_class=machine,
        workers=1,
        rows=rows,
        epochs=5.0,
        trials=3,
    )


@pytest.mark.slow
def test_every_backbone_and_batch_size_of_the_space_is_measured(home: Path, capsys) -> None:
    planned = plan(capsys)
    rows = planned["rows"]
    named = {(row["backbone"], row["batch_size"]) for row in rows}
    assert named == {(net, size) for net in ("small_cnn", "resnet18") for size in (32, 64, 128)}
    assert sum(row["weight"] for row in rows) == pytest.approx(1)
    assert all(row["cost"]["micro_batch"] == row["batch_size"] for row in rows)
    small, resnet = (
        min(row["cost"]["step_seconds"] for row in rows if row["backbone"] == net)
        for net in ("small_cnn", "resnet18")
    )
    assert resnet > 2 * small > 0
    assert planned["excluded"] == []
    # 12 trials of 4 to 8 epochs, by what each row takes and how likely it is drawn.
    mean = 6 * sum(row["weight"] * row["epoch_seconds"] for row in rows)
    assert planned["hours"] == pytest.approx(12 * mean / 3600)


def test_every_backbone_is_measured_as_a_trial_draws_it_at_its_dearest() -> None:
    space = [
        Choice("backbone", {"resnet18": 0.75, "convnextv2_tiny": 0.25}),
        Choice("stem", ("small", "standard"), when={"backbone": "resnet18"}),
        Choice("image_size", (224, 128)),
    ]
    study = Study(
        name="mine",
        objective="image_classifier",
        metric="val_loss",
        direction="minimize",
        space=space,
    )
    (resnet, likely), (convnext, unlikely) = combinations(resolved(study))
    assert (resnet["stem"], resnet["image_size"], likely) == ("small", 224, 0.75)
    assert (convnext["stem"], convnext["image_size"], unlikely) == ("standard", 224, 0.25)


@pytest.mark.slow
def test_what_does_not_fit_into_a_workers_share_of_memory_is_kept_for_the_run(
    home: Path, capsys
) -> None:
    # A five-hundredth of the memory is less than torch itself takes.
    pins = {"backbone": "small_cnn", "batch_size": 32}
    words = [word for key, value in pins.items() for word in ("--set", f"{key}={value}")]
    planned = plan(capsys, "--workers", "500", *words)
    assert planned["excluded"] == ["small_cnn"]
    for row in planned["rows"]:
        assert row["alone_bytes"] > row["cost"]["capacity_bytes"] > 0
    study = digits(image_size=16, **pins)
    assert excluded_here(study, share(500), Settings(home=home)) == ["small_cnn"]
    assert excluded_here(study, share(2), Settings(home=home)) == []  # two have more room


def test_a_trial_of_folds_takes_as_many_times_its_epochs() -> None:
    once = plan_of(digits(), [row("resnet18", 32, 1.0, cost(4), 10.0)])
    folded = replace(once, folds=4)
    assert (once.trial_seconds, folded.trial_seconds) == (50.0, 200.0)
    assert folded.hours == pytest.approx(3 * 200 / 3600)
    assert as_mapping(folded)["folds"] == 4


def test_a_backbone_is_left_out_only_where_no_batch_size_of_it_fits() -> None:
    fits, does_not = cost(4), cost(0)
    rows = [
        row("resnet18", 32, 0.25, fits, 10.0),
        row("resnet18", 64, 0.25, does_not, 0.0),
        row("resnet50", 32, 0.25, does_not, 0.0),
        row("resnet50", 64, 0.25, does_not, 0.0),
    ]
    planned = plan_of(digits(), rows)
    assert planned.excluded == ["resnet50"]
    assert planned.trial_seconds == 50.0


def test_what_was_too_large_in_another_form_of_the_study_is_not_left_out(tmp_path: Path) -> None:
    too_large = [row("resnet18", 32, 1.0, cost(0), 0.0)]
    settings = Settings(home=tmp_path)
    remember(plan_of(digits(image_size=1024), too_large), settings)
    assert excluded_here(digits(image_size=1024), share(1), settings) == ["resnet18"]
    assert excluded_here(digits(), share(1), settings) == []


def on_gpu(backbone: str, gigabytes: float, workers: int, total: float = 80.0) -> CostRow:
    """A row of a GPU that several workers share, of a network whose memory was measured."""
    memory = memory_share(workers, total * 1e9)
    fits = gigabytes <= memory * total
    measured = replace(
        cost(64 if fits else 32), memory_bytes=gigabytes * 1e9, capacity_bytes=memory * total * 1e9
    )
    plain = row(backbone, 64, 1.0, measured, 10.0)
    alone = gigabytes * 1e9 if gigabytes <= total else 0.0
    return replace(plain, alone_bytes=alone, device_bytes=total * 1e9)


@pytest.mark.parametrize(
    ("gigabytes", "most"),
    [
        # CUDA takes .6 GB more for each: 80 / 20.6 is 3.9, and 4 x 19.4 + 2.4 is just 80.
        ([20.0], 3),
        ([19.4], 4),
        ([2.0, 30.0], 2),  # the largest decides
        ([60.0], 1),
        ([79.9], 1),
        ([2.0, 90.0], 1),  # a whole batch of it does not fit even alone
    ],
)
def test_a_plan_says_how_many_workers_fit_on_a_gpu(gigabytes: list[float], most: int) -> None:
    rows = [on_gpu(f"net{index}", each, 1) for index, each in enumerate(gigabytes)]
    planned = replace(plan_of(digits(), rows), device_class="cuda: made up")
    assert planned.most_per_device == as_mapping(planned)["most_per_device"] == most


def test_a_plan_for_too_many_workers_names_what_does_not_fit(capsys) -> None:
    rows = [on_gpu("resnet18", 4.0, 3), on_gpu("resnet152", 30.0, 3)]
    planned = replace(plan_of(digits(), rows), device_class="cuda: made up", per_device=3)
    assert [row.backbone for row in planned.crowded] == ["resnet152"]
    print_plan(planned, None)
    assert (
        "3 workers do not fit on one GPU with whole batches, 2 would: resnet152 at batch 64 would"
        " train in parts" in capsys.readouterr().out
    )
    print_plan(replace(planned, per_device=2), None)
    assert "at most 2 workers fit on one GPU (--per-gpu 2)" in capsys.readouterr().out


def test_a_run_is_told_whether_its_workers_fit_on_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.planning.kept.device_class", lambda _: "cuda: made up")
    settings, study = Settings(home=tmp_path), digits()
    rows = [on_gpu("resnet18", 4.0, 3), on_gpu("resnet152", 30.0, 3)]
    planned = replace(plan_of(study, rows), device_class="cuda: made up", per_device=3)
    remember(planned, settings)
    gpu = Gpu(visible="GPU-1", label="0", total_bytes=80_000_000_000)

    def note(workers: int) -> str:
        return room_note(study, assign(workers, [gpu], 8)[0], settings)

    assert note(3).startswith("3 workers do not fit on one GPU with whole batches, 2 would")
    assert "`search plan --study digits --per-gpu 2` does it" in note(2)  # not measured
    assert note(1) == ""
    remember(replace(planned, rows=rows[:1]), settings)
    assert note(3) == ""
    assert room_note(study, share(3), settings) == ""


@pytest.mark.parametrize("said", [b"", b"\xff", b"[]", b"null", b"[" * 100_000])
def test_a_plan_that_is_none_leaves_nothing_out(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "digits.json").write_bytes(said)
    assert excluded_here(digits(), share(1), Settings(home=tmp_path)) == []


@pytest.mark.parametrize("excluded", [None, 5, "resnet18", [["resnet18"]]])
def test_a_plan_of_another_version_leaves_nothing_out(tmp_path: Path, excluded: object) -> None:
    settings = Settings(home=tmp_path)
    remember(plan_of(digits(), []), settings)
    path = tmp_path / "plans" / "digits.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "excluded": excluded}))
    assert excluded_here(digits(), share(1), settings) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--gpu-hours", "-1"), "give one above 0"),
        (("--gpu-hours", "soon"), "give one above 0"),
        (("--gpu-hours", "1e308"), "at most 1000000"),
        (("--set", "backbone=resnet81"), "did you mean"),
    ],
)
def test_a_plan_that_cannot_be_made_is_one_line(home: Path, capsys, words, says: str) -> None:
    try:
        code = main(["plan", "--study", "digits", *words])
    except SystemExit as error:
        code = error.code
    said = capsys.readouterr().err.strip()
    assert code == 2
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_plan_that_could_not_be_kept_is_refused_before_it_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("search.commands.plan.measure_plan", lambda *_: pytest.fail("measured"))
    assert main(["plan", "--study", "digits"]) == 2
    assert "choose another place" in capsys.readouterr().err


@pytest.mark.slow
def test_a_study_begins_without_what_its_plan_found_too_large(
    home: Path, store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    rows = [
        row("small_cnn", 32, 0.7, cost(32, seconds=0.1), 4.0),
        row("resnet18", 32, 0.3, cost(0), 0.0),
    ]
    remember(plan_of(digits(epochs=2, image_size=16), rows), Settings(home=home))
    pins = ["--set", "epochs=2", "--set", "image_size=16"]
    run = ["run", "--study", "digits", "--trials", "1", "--workers", "0", *pins]
    assert main([*run]) == 0
    assert "leaves out resnet18" in capsys.readouterr().err
    assert main([*run]) == 0  # and goes on so, without its plan
    with kept_log_handlers():
        assert main(["worker", "--study", "digits"]) == 0
    study = from_json(store.study("digits").definition).study
    assert study.space.get("backbone") == Choice("backbone", {"small_cnn": 0.7})
    (trial,) = store.trials("digits")
    assert trial.params["backbone"] == "small_cnn"


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_plan_that_is_ended_leaves_no_process_and_no_half_a_plan(
    home: Path, signum: signal.Signals
) -> None:
    large = ["--set", "backbone=resnet50", "--set", "batch_size=64", "--set", "image_size=512"]
    command = [sys.executable, "-P", "-m", "search.cli", "plan", "--study", "digits", *large]
    planning = psutil.Popen(command)
    deadline = time.monotonic() + 240  # a busy machine takes long to start torch
    # Torch alone takes .5 GB: with 1 GB, the first step of minutes is under way.
    while not (children := planning.children()) or children[0].memory_info().rss < 1e9:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    planning.send_signal(signum)
    planning.wait(timeout=30)
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert not list(home.glob("plans/*"))


@pytest.mark.slow
def test_more_configurations_are_measured_than_a_command_line_holds() -> None:
    recipe = ImageRecipe(backbone="small_cnn", image_size=16, batch_size=2)
    costs = measure_costs([asdict(recipe)] * 1000, Inputs("image_classifier", 3, 3), CPU)
    assert next(costs).micro_batch == 2
    costs.close()
