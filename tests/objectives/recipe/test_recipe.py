"""The configurations that a recipe accepts and refuses."""

import pytest

from objectives.contract import RecipeError
from objectives.recipe.backbones import timm_names
from objectives.recipe.fields import declared
from objectives.recipe.image import ImageRecipe
from objectives.recipe.toy import ToyRecipe


@pytest.mark.parametrize(
    ("written", "meant"),
    [("lr", "learning_rate"), ("learning_rat", "learning_rate"), ("weightdecay", "weight_decay")],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(written: str, meant: str) -> None:
    with pytest.raises(RecipeError, match=f"'{written}'; did you mean '{meant}'"):
        ImageRecipe.from_config({written: 0.1})


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("epochs", 2.5, "give it a whole number, like 10"),
        ("epochs", True, "give it a whole number"),
        ("ldam", 1, "give it true or false"),
        ("learning_rate", float("nan"), "choose a value from 1e-08 to 10"),
        ("batch_size", 1, "choose a value from 2"),
    ],
)
def test_a_wrong_type_or_value_is_refused_with_an_accepted_one(
    name: str, value: object, fix: str
) -> None:
    with pytest.raises(RecipeError, match=f"{name} is .*{fix}"):
        ImageRecipe.from_config({name: value})


@pytest.mark.parametrize(
    "config",
    [
        {"ldam": True, "label_smoothing": 0.1},
        {"backbone": "small_cnn", "weights": "pretrained"},
        {"stem": "small", "weights": "pretrained"},
        {"epochs": 3, "warmup_epochs": 3},
        {"epochs": 3, "frozen_epochs": 2},
        {"balancing": "ldam_drw", "label_smoothing": 0.1},
        {"balancing": "sampler", "weighted_sampler": True},
        {"balancing": "class_weights", "ldam": True},
        {"backbone": "resnet26d", "stem": "small"},
        {"epochs_per_stage": 2},
        {"epochs_per_stage": 5, "trained_stages": 3},
        {"patience": 3, "min_epochs": 11},
    ],
)
def test_a_combination_without_a_definition_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="set "):
        ImageRecipe.from_config(config)


def test_frozen_epochs_that_fill_the_schedule_are_named_in_the_fix() -> None:
    # No warm-up is short enough beside five frozen epochs of five.
    with pytest.raises(RecipeError, match="set frozen_epochs and warmup_epochs to 4 or less"):
        ImageRecipe.from_config({"epochs": 5, "frozen_epochs": 5})


@pytest.mark.parametrize("recipe", [ImageRecipe, ToyRecipe])
def test_the_defaults_are_a_recipe_and_every_condition_names_a_field(
    recipe: type[ImageRecipe],
) -> None:
    known = declared(recipe)
    assert recipe.from_config({name: field["default"] for name, field in known.items()}) == recipe()
    assert all(
        name in known
        for field in known.values()
        for condition in field["acts_when"]
        for name in condition
    )


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"backbone": "resnet51"}, "no backbone 'resnet51'; did you mean 'resnet50'"),
        ({"backbone": "resnet26dd"}, "did you mean 'resnet26d'"),
        ({"weights": "imagenet"}, "give it none, pretrained or the path"),
        ({"backbone": "dinov2_vits14", "image_size": 225}, "use 224 or another multiple of 14"),
        ({"image_size": 8}, "use 16 or more"),
        (
            {"backbone": "convnextv2_tiny", "weights": "pretrained", "allow_noncommercial": False},
            "licensed cc-by-nc-4.0, non-commercial use only",
        ),
    ],
)
def test_a_network_that_cannot_be_had_is_refused_by_its_name_alone(
    config: dict[str, object], says: str
) -> None:
    with pytest.raises(RecipeError, match=says):
        ImageRecipe.from_config(config)


@pytest.mark.parametrize(
    "config",
    [
        {"backbone": "resnet26d.bt_in1k", "weights": "pretrained"},
        {"backbone": "resnet50", "weights": "weights/mine.pth"},
        {"backbone": "dinov2_vits14", "image_size": 0},
        {"backbone": "convnextv2_tiny", "weights": "none", "allow_noncommercial": False},
        {"balancing": "ldam_drw", "label_smoothing": 0.0},
    ],
)
def test_what_has_a_definition_is_taken(config: dict[str, object]) -> None:
    assert ImageRecipe.from_config(config)


def test_every_network_of_timm_is_known_by_name_without_loading_it() -> None:
    import timm

    assert timm_names() == set(timm.list_models())


@pytest.mark.parametrize(
    ("config", "settled"),
    [
        ({"warmup_epochs": 0}, 0),
        ({"warmup_epochs": 3}, 3),
        ({"warmup_epochs": 3, "warmup_steps": 200}, 0),
        ({"frozen_epochs": 5, "warmup_epochs": 0}, 6),
        ({"frozen_epochs": 2, "warmup_epochs": 3}, 5),
        # The head from epoch 1, stages from 3, 5 and 7 on.
        ({"frozen_epochs": 2, "trained_stages": 3, "epochs_per_stage": 2}, 7),
    ],
)
def test_a_schedule_is_settled_after_warm_up_and_the_last_unfreezing(
    config: dict[str, object], settled: int
) -> None:
    assert ImageRecipe.from_config(config).settled_epoch == settled
