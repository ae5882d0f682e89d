"""What a recipe declares of when its hyperparameters act, against what training does.

A field that is never read cannot act, so reading is recorded; a field that is read need not act, so
results are compared to the last bit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from sklearn.datasets import load_digits

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult, RecipeError
from objectives.recipe.image import ImageRecipe
from spaces.rules.conditions import can_act

KNOWN = catalog.describe("image_classifier")
FIELDS = KNOWN.fields
DEFAULTS = {name: field["default"] for name, field in FIELDS.items()}
CONDITIONAL = [name for name, field in FIELDS.items() if field["acts_when"]]
# Asked when weights are to be had, which these trials do without.
ASKED_BEFORE_TRAINING = {"allow_noncommercial"}

TABLE = {
    "kind": "table",
    "table": "table.csv",
    "label": "digit",
    "metadata": {"age": "number", "itch": "category"},
}
SMALL = {
    "backbone": "small_cnn",
    "image_size": 16,
    "max_train_samples": 48,
    "max_val_samples": 20,
    "batch_size": 16,
    "epochs": 4,
    "learning_rate": 3e-3,
}
# At this rate nothing gets better after the first epochs, which plateau and patience wait for.
STALLING = {"learning_rate": 1.0, "optimizer": "sgd", "warmup_epochs": 0}
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "weights": {"balancing": "class_weights", "head": "hidden", "warmup_steps": 2},
    "ldam": {"ldam": True, "optimizer": "sgd"},
    "sampler": {"weighted_sampler": True},
    "drw": {"balancing": "ldam_drw", "drw_start": 0.6, "max_train_samples": 45},
    "phases": {"frozen_epochs": 1, "trained_stages": 2, "epochs_per_stage": 1},
    "plateau": {"schedule": "plateau", "plateau_patience": 0, **STALLING},
    "table": {"use_metadata": True, "head": "hidden"},
    "stopping": {"schedule": "constant", "patience": 1, **STALLING},
}
# Some fields are for a kind of backbone only; recipes refuse them beside another.
RESNET = {"backbone": "resnet18", "image_size": 32, "epochs": 1, "warmup_epochs": 0}
# Another value for each field that acts under a condition only.
OTHERS: Mapping[str, Any] = {
    "allow_noncommercial": False,
    "balancing": "sampler",
    "ldam": True,
    "weighted_sampler": True,
    "ldam_max_margin": 0.3,
    "ldam_scale": 10.0,
    "drw_start": 0.3,
    "drw_beta": 0.9,
    "label_smoothing": 0.1,
    "momentum": 0.5,
    "warmup_epochs": 2,
    "plateau_factor": 0.1,
    "plateau_patience": 2,
    "hidden_units": 64,
    "frozen_learning_rate": 1e-2,
    "epochs_per_stage": 2,
    "min_epochs": 4,
    "metadata_units": 32,
    "metadata_dropout": 0.5,
}


def config_of(name: str) -> dict[str, Any]:
    return {**DEFAULTS, **SMALL, **CONFIGS[name]}


def train(config: Mapping[str, Any], folder: Path) -> list[EpochResult]:
    folder.mkdir(exist_ok=True)
    data = DataSource(layout={"kind": "digits"}, split_seed=3)
    if config["use_metadata"]:
        data = DataSource(
            layout=TABLE, folder=digits_with_a_table(folder.parent / "digits"), split_seed=3
        )
    attempt = Attempt(folder=folder, data=data, seed=5)
    results = []
    with closing(catalog.load("image_classifier")(config, attempt)) as training:  # type: ignore[type-var]
        for result in training:
            results.append(result)
            if result.epoch == config["epochs"]:
                break  # before the records are drawn, which takes longer than all of this
    return results


def digits_with_a_table(folder: Path) -> Path:
    """Write some digits as files, with a table that says something of each."""
    if not folder.exists():
        folder.mkdir()
        digits = load_digits()
        lines = ["image,digit,age,itch"]
        for number, digit in enumerate(digits.target[:200]):
            pixels = (digits.images[number] * 15).astype("uint8")
            Image.fromarray(pixels).save(folder / f"{number}.png")
            lines.append(f"{number}.png,{digit},{20 + 3 * digit},{'yes' if digit % 2 else 'no'}")
        (folder / "table.csv").write_text("\n".join(lines))
    return folder


def exact(results: list[EpochResult]) -> list[dict[str, float]]:
    """What the same configuration and seed give again."""
    return [
        {name: value for name, value in result.metrics.items() if KNOWN.metrics[name]["exact"]}
        for result in results
    ]


@contextmanager
def recording() -> Iterator[set[str]]:
    """Note which fields of a recipe are read once it has been made: checking it reads them all."""
    read: set[str] = set()

    def noting(recipe: ImageRecipe, name: str) -> Any:
        if name in FIELDS and object.__getattribute__(recipe, "__dict__").get("_is_made"):
            read.add(name)
        return object.__getattribute__(recipe, name)

    checked = ImageRecipe.__post_init__

    def made(recipe: ImageRecipe) -> None:
        checked(recipe)
        vars(recipe)["_is_made"] = True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageRecipe, "__getattribute__", noting)
        patch.setattr(ImageRecipe, "__post_init__", made)
        yield read


class Trained(NamedTuple):
    """The exact metrics of a configuration as it is, and the fields that its training read."""

    metrics: list[dict[str, float]]
    read: set[str]


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    """Train each configuration as it is, once."""

    @cache
    def trained(name: str) -> Trained:
        with recording() as read:
            return Trained(exact_with(name, [], tmp_path_factory.mktemp("unchanged")), read)

    return trained


@pytest.mark.parametrize("name", CONFIGS)
def test_training_reads_whatever_can_act_under_its_condition(
    name: str, unchanged: Callable[[str], Trained]
) -> None:
    acting = {each for each in CONDITIONAL if can_act(FIELDS[each], config_of(name))}
    assert acting - unchanged(name).read - ASKED_BEFORE_TRAINING == set()


def test_training_reads_every_field_that_acts_without_a_condition(
    tmp_path: Path, unchanged: Callable[[str], Trained]
) -> None:
    with recording() as read:
        train({**DEFAULTS, **SMALL, **RESNET}, tmp_path)
    assert set(FIELDS) - set(CONDITIONAL) - read - unchanged("plain").read == set()


@pytest.mark.parametrize("field", sorted(set(CONDITIONAL) - ASKED_BEFORE_TRAINING))
def test_a_field_acts_where_its_condition_holds(
    field: str, tmp_path: Path, unchanged: Callable[[str], Trained]
) -> None:
    under = [name for name in CONFIGS if can_act(FIELDS[field], config_of(name))]
    assert any(exact_with(name, [field], tmp_path) != unchanged(name).metrics for name in under), (
        under
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_no_field_acts_where_its_condition_does_not_hold(
    name: str, tmp_path: Path, unchanged: Callable[[str], Trained]
) -> None:
    idle = [each for each in CONDITIONAL if not can_act(FIELDS[each], config_of(name))]
    assert exact_with(name, idle, tmp_path) == unchanged(name).metrics, idle


def exact_with(name: str, others: Sequence[str], folder: Path) -> list[dict[str, float]]:
    """Train a configuration with other values of these fields, but for those that it refuses."""
    config = config_of(name)
    for other in others:
        changed = {**config, other: OTHERS[other]}
        with suppress(RecipeError):
            catalog.check("image_classifier", changed)
            config = changed
    return exact(train(config, folder / "-".join((name, *others))[:200]))


def test_a_licence_is_asked_for_where_weights_are() -> None:
    config = {"backbone": "convnextv2_tiny", "weights": "pretrained"}
    with pytest.raises(RecipeError, match="allow_noncommercial"):
        catalog.check("image_classifier", {**config, "allow_noncommercial": False})
    catalog.check("image_classifier", {**config, "weights": "none", "allow_noncommercial": False})
