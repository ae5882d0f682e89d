"""Tests of what a configuration may say."""

import pytest

from objectives.contract import RecipeError
from objectives.fields import declared
from objectives.recipe import ImageRecipe, ToyRecipe


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
        ("backbone", "resnet51", "choose one of resnet18"),
    ],
)
def test_a_wrong_type_or_value_is_refused_with_what_would_do(
    name: str, value: object, fix: str
) -> None:
    with pytest.raises(RecipeError, match=f"{name} is .*{fix}"):
        ImageRecipe.from_config({name: value})


@pytest.mark.parametrize(
    "config",
    [
        {"ldam": True, "label_smoothing": 0.1},
        {"backbone": "small_cnn", "weights": "imagenet"},
        {"stem": "small", "weights": "imagenet"},
        {"epochs": 3, "warmup_epochs": 3},
    ],
)
def test_a_combination_without_a_definition_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="set "):
        ImageRecipe.from_config(config)


@pytest.mark.parametrize("recipe", [ImageRecipe, ToyRecipe])
def test_the_defaults_are_a_recipe_and_every_condition_names_a_field(
    recipe: type[ImageRecipe],
) -> None:
    known = declared(recipe)
    assert recipe.from_config({name: field["default"] for name, field in known.items()}) == recipe()
    assert all(name in known for field in known.values() for name in field["acts_when"])
