"""A run's config: recipes, overrides, and what is refused before a row is written."""

import math

import pytest

from app.recipes import get_recipe, load_recipes
from app.runs.config.run_config import deep_merge, parse_config, request_config


@pytest.mark.parametrize("name", load_recipes())
def test_every_recipe_builds(name):
    recipe = get_recipe(name)
    config = request_config({"recipe": name})
    assert config.recipe == name
    assert config.build_network().output_shape == (10,)
    assert 0.8 < recipe.expected_accuracy < 1
    assert recipe.title
    assert recipe.summary
    assert recipe.source


def test_the_recipes_are_those_of_the_tutorials():
    outlines = {
        name: [layer["units"] for layer in recipe.config["network"]["layers"] if "units" in layer]
        for name, recipe in load_recipes().items()
    }
    known = {
        "quick": [256, 10],
        "from-scratch": [100, 50, 10],
        "tf-tutorial": [128, 10],
        "sigmoid-sgd": [512, 10],
        "keras-mlp": [500, 250, 100, 10],
        "lenet": [120, 84, 10],
        "batchnorm-mlp": [256, 128, 10],
        "perceptron": [10],
        "small-mlp": [900, 400, 10],
        "best-mlp": [1200, 1000, 700, 10],
        "best-cnn": [256, 10],
    }
    assert {name: outlines[name] for name in known} == known


def test_overrides_are_merged_deeply_and_lists_are_replaced():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert deep_merge(base, {"a": {"c": [3]}, "e": 2}) == {"a": {"b": 1, "c": [3]}, "d": 1, "e": 2}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


def test_an_override_changes_what_it_names_and_nothing_else():
    plain = request_config({"recipe": "tf-tutorial"})
    changed = request_config({"recipe": "tf-tutorial", "overrides": {"optimizer": {"learning_rate": 0.01}}})
    assert changed.optimizer == {"type": "adam", "learning_rate": 0.01}
    assert changed.model_copy(update={"optimizer": plain.optimizer}) == plain


def test_a_whole_config_comes_back_as_it_was():
    config = request_config({"recipe": "from-scratch"})
    assert parse_config(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"epochs": -1}, "epochs: expected a whole number ≥ 1; got -1"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 1.5}, "epochs: expected a whole number; got 1.5"),
        ({"epochs": "3"}, "epochs"),
        ({"epochs": 10**9}, "epochs"),
        ({"batch_size": 0}, "batch_size: expected a whole number ≥ 1; got 0"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**40}, "seed"),
        ({"input_scale": 0}, "input_scale: expected a number > 0; got 0.0"),
        ({"input_scale": True}, "input_scale"),
        ({"input_scale": math.nan}, "input_scale"),
        ({"weight_decay": -1}, "weight_decay"),
        ({"clip_norm": 0}, "clip_norm: expected a number > 0; got 0.0"),
        ({"patience": 0}, "patience: expected a whole number ≥ 1; got 0"),
        ({"patience": 2, "validation": None}, "patience: expected a validation set to watch"),
        ({"loss": {"type": "cross_entropy", "label_smoothing": 1.5}}, "label_smoothing"),
        ({"validation": 1}, "validation: expected a share between 0 and 1"),
        ({"validation": "train"}, "validation"),
        ({"optimizer": {"learning_rate": math.nan}}, "optimizer.learning_rate: expected a number > 0; got nan"),
        ({"optimizer": {"learning_rate": 0}}, "optimizer.learning_rate"),
        ({"optimizer": {"type": "newton"}}, "optimizer: expected a type of adagrad"),
        ({"schedule": {"type": "never"}}, "schedule: expected a type of constant, cosine"),
        ({"loss": "hinge"}, "loss: expected a type of cross_entropy, squared_error; got 'hinge'"),
        ({"network": {"layers": []}}, "layers: expected 1 to 200 layers; got 0"),
        ({"network": {"layers": [{"type": "dense", "units": 10}, "softmax"]}}, "leave out the last layer, softmax"),
        ({"dtype": "float16"}, "dtype"),
        ({"shuffle": "yes"}, "shuffle"),
        ({"speed": 9}, "speed"),
        ({"recipe": "../x"}, "recipe"),
    ],
)
def test_a_bad_override_names_the_field(overrides, message):
    with pytest.raises(ValueError, match=r".") as refused:
        request_config({"recipe": "quick", "overrides": overrides})
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([], "expected an object with a recipe, or a whole config; got []"),
        ({}, "recipe: expected a recipe's name; got null"),
        ({"recipe": "slow"}, "recipe: expected one of quick, from-scratch"),
        ({"recipe": "quick", "override": {}}, "override: unknown field"),
        ({"recipe": "quick", "overrides": [1]}, "overrides: expected an object"),
    ],
)
def test_a_bad_request_is_refused(request_, message):
    with pytest.raises(ValueError, match=r".") as refused:
        request_config(request_)
    assert message in str(refused.value)
