"""The catalog's answers to the other packages' questions about objectives."""

import subprocess
import sys
from pathlib import Path

import pytest

from objectives import catalog
from objectives.contract import DataSource, RecipeError
from objectives.data.manifest.summary import DataSummary

DIGITS = DataSource(layout={"kind": "digits"})


def test_the_catalog_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, objectives.catalog; print({'torch', 'numpy', 'PIL'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert printed.stdout.strip() == b"set()"


def test_a_schedule_is_read_with_the_recipes_defaults() -> None:
    assert catalog.schedule("image_classifier", {"epochs": 7}) == {"epochs": 7, "settled_epoch": 1}


def test_an_unknown_objective_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match="did you mean 'image_classifier'"):
        catalog.describe("image_clasifier")


def test_preflight_refuses_a_configuration_that_no_recipe_takes() -> None:
    with pytest.raises(RecipeError, match="did you mean 'epochs'"):
        catalog.preflight("toy_curve", [{"epochs": 3}, {"epoch": 3}], DIGITS)


NEEDS_WEIGHTS = [{"backbone": "resnet18", "weights": "pretrained"}]


def test_preflight_ignores_packages_of_our_name_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "objectives").mkdir()
    (tmp_path / "objectives" / "__init__.py").write_text("raise SystemExit('not ours')")
    damaged = tmp_path / "own.pth"
    damaged.write_bytes(b"")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(RecipeError, match="is damaged; set weights to another"):
        catalog.preflight(
            "image_classifier", [{"backbone": "small_cnn", "weights": str(damaged)}], DIGITS
        )


def test_a_preflight_that_is_killed_without_a_word_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "python"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(killed))

    with pytest.raises(RecipeError, match=r"resnet18 was killed by SIGKILL .*; free some memory"):
        catalog.preflight("image_classifier", NEEDS_WEIGHTS, DIGITS)


def summary(images: int, columns: tuple[str, ...] = ()) -> DataSummary:
    counts = {"train": {"naevus": images // 2, "melanoma": images - images // 2}}
    return DataSummary(
        fingerprint="",
        classes=tuple(counts["train"]),
        counts=counts,
        groups={},
        is_practice=False,
        columns=columns,
    )


def test_a_warm_up_in_steps_must_end_within_the_schedule() -> None:
    config = {"epochs": 4, "batch_size": 32, "frozen_epochs": 1, "warmup_steps": 38}
    catalog.check_fit("image_classifier", config, summary(images=400))  # 3 epochs of 13 steps
    too_long = {**config, "warmup_steps": 39}
    with pytest.raises(RecipeError, match="39 steps of 3 epochs; set warmup_steps to 38 or less"):
        catalog.check_fit("image_classifier", too_long, summary(images=400))


def test_a_table_is_learned_from_only_where_there_is_one() -> None:
    config = {"use_metadata": True}
    catalog.check_fit("image_classifier", config, summary(images=400, columns=("age",)))
    with pytest.raises(RecipeError, match="no table beside them; name its columns in `metadata`"):
        catalog.check_fit("image_classifier", config, summary(images=400))
