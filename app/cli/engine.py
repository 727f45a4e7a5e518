"""Commands for developers: gradient-check, augment, default-model, teaching-model."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.completion import complete_recipe
from app.cli.context import load_data, read_settings, reporting_errors, write_file
from app.cli.output import Code, CommandError, say

SHIPPED_VALIDATION = 0.1
"""The share of training images for the calibration of the shipped model, if its recipe sets none."""
SHIPPED_EFFORT = 10
"""The effort of the shipped model's calibration, relative to other trainings."""
TRAINING_LOG = "training.jsonl"
"""The log of a shipped model's training, one event per line, stored with its weights."""
TEACHING: Mapping[str, Any] = {
    "dataset": "mnist + 2*strokes",
    "validation": "test",
    "network": {
        "layers": [
            {"type": "dense", "units": 32, "initializer": {"type": "he"}},
            {"type": "relu"},
            {"type": "dense", "units": 10},
        ]
    },
    "optimizer": {"type": "adam", "learning_rate": 0.003},
    "weight_decay": 0.003,
    "batch_size": 100,
    "epochs": 10,
}
"""The differences of the teaching model's config from the recipe `quick`: no batch normalization, dropout, label
smoothing or temperature, so that a step for one drawing does what the lessons say. The weight decay leaves it a little
unsure of most drawings, so that the step can be seen."""


def default_model(
    recipe: Annotated[str, typer.Option(help="the recipe to train", autocompletion=complete_recipe)] = "small-mlp",
    name: Annotated[str, typer.Option(help="the model's name")] = "mnist-mlp",
) -> None:
    """Train the model that ships with digitpad anew, and make it the default. Only in a checkout."""
    from app.recipes import get_recipe

    with reporting_errors():
        fields = get_recipe(recipe).config
    # always calibrate on images held out from training
    share = fields["validation"] if isinstance(fields.get("validation"), float) else SHIPPED_VALIDATION
    _ship({**fields, "validation": share}, name, calibrated=True)


def teaching_model() -> None:
    """Train the small model that the page “Look inside” begins with anew. Only in a checkout."""
    from app.learn.inspection.subject import TEACHING_MODEL
    from app.recipes import get_recipe

    _ship({**get_recipe("quick").config, **TEACHING}, TEACHING_MODEL, calibrated=False)


def _ship(fields: Mapping[str, Any], name: str, *, calibrated: bool) -> None:
    """Train a model with the config `fields`, and store it among those that ship.

    If it is to be `calibrated`, it becomes the default; otherwise its probabilities are the network's own.
    """
    from app.models import ModelStore
    from app.models.evaluation_cache import EvaluationCache
    from app.resources import is_installed
    from app.runs.config.run_config import parse_config
    from app.runs.training.distillation import load_teachers, with_teachers
    from app.runs.training.hardware import MAX_PROCESSES, cores
    from app.runs.training.run_training import RunEvent, Training
    from app.settings import SHIPPED_MODELS
    from app.storage.atomic import write_atomic

    settings = read_settings()
    if is_installed():
        raise CommandError(
            "the shipped model can only be rebuilt in a source checkout; to train your own, use digitpad train"
        )
    _select_kernels(settings.blas_kernel)
    with reporting_errors():
        config = parse_config(dict(fields))
        dataset = load_data(settings, config.dataset)
    store = ModelStore(SHIPPED_MODELS)
    with reporting_errors():
        config = with_teachers(config, store, dataset.labels)
    training = Training(
        config,
        dataset,
        processes=min(cores(), MAX_PROCESSES),
        teachers=load_teachers(config, store),
        cache_dir=settings.cache_dir,
        effort=SHIPPED_EFFORT if calibrated else 1,
    )
    lines = []
    for step in training.run():
        if isinstance(step, RunEvent):
            lines.append(json.dumps({"type": step.type, "data": step.data}, ensure_ascii=False) + "\n")
            say(" ".join([f"{step.type:10}", *(f"{key} {_short(value)}" for key, value in step.data.items())]))
            sys.stdout.flush()
    if not calibrated:
        training.calibrated = None
    card = store.save(training.card(name, shipped=True), training.network, replace=True, arrays=training.arrays())
    if calibrated:
        training.keep_evaluation(EvaluationCache(settings.cache_dir), card)
        store.set_default(card.name)
    write_atomic(store.path(card.name, TRAINING_LOG), "".join(lines).encode(), prefix=".log.")
    folder = store.path(card.name, TRAINING_LOG).parent
    folder.chmod(0o755)  # it ships with the program, whoever runs that
    for file in folder.iterdir():
        file.chmod(0o644)
    say(f"saved      {card.name}, {card.parameters:,} parameters, SHA-256 {card.sha256}")


def augment(
    recipe: Annotated[
        str, typer.Argument(help="whose augmentation is shown", autocompletion=complete_recipe)
    ] = "best-cnn",
    out: Annotated[Path, typer.Option(help="the PNG to write")] = Path("augmentation.png"),
    digits: Annotated[int, typer.Option(min=1, max=100, help="how many digits are shown")] = 20,
    epochs: Annotated[int, typer.Option(min=1, max=100, help="in how many epochs")] = 9,
    seed: Annotated[int, typer.Option(min=0, help="which digits, and how they are changed")] = 1,
) -> None:
    """Write a picture of digits as they are, in the top row, and as each epoch of a recipe changes them."""
    from app.data.augmentation.augment import make_augmentation
    from app.data.augmentation.preview import changed_digits, contact_sheet
    from app.recipes import get_recipe
    from app.runs.config.run_config import parse_config

    settings = read_settings()
    with reporting_errors():
        config = parse_config(get_recipe(recipe).config)
        augmentation = make_augmentation(config.augmentation)
        if augmentation is None:
            raise CommandError("the recipe {recipe} has no augmentation", recipe=recipe, exit_code=Code.USAGE)
        split = load_data(settings, config.dataset).train
    indices, after = changed_digits(split, augmentation, seed=seed, count=digits, epochs=epochs)
    write_file(out, contact_sheet(split.images[indices], after))
    say(f"{out}: {len(indices)} digits of {config.dataset}, each in {epochs} epochs")
    say(", ".join(f"{name} {value:g}" for name, value in augmentation.spec().items() if value))


def check_gradient(
    recipe: Annotated[str, typer.Argument(help="whose network is checked", autocompletion=complete_recipe)] = "lenet",
    images: Annotated[int, typer.Option(min=1, max=1000, help="how many drawn digits it is checked on")] = 20,
    sample: Annotated[int, typer.Option(min=1, help="how many numbers of each parameter array are checked")] = 20,
) -> None:
    """Numerical differentiation beside backpropagation: the largest relative error of each layer, and both times."""
    from app.data import make_strokes
    from app.nn import LOSSES, build, gradient_check
    from app.recipes import get_recipe
    from app.runs.config.run_config import parse_config

    with reporting_errors():
        config = parse_config({**get_recipe(recipe).config, "dtype": "float64"})
    network = config.build_network()
    network.initialize(config.seed)
    drawn = make_strokes(train=images, test=1).train
    x = (drawn.images / config.input_scale).reshape(len(drawn), *network.input_shape)
    loss = build("loss", LOSSES, config.loss)
    say(gradient_check(network, x, drawn.labels.astype(int), loss=loss, sample=sample).table())
    if any(layer.type == "step" for layer in network.layers):
        say("\nThe step function has no useful derivative: backpropagation passes the gradient straight through it.")


def _select_kernels(choice: str) -> None:
    """Restart the process if BLAS needs other kernels, as it selects them when NumPy is loaded."""
    from app.runs.training.hardware import kernel_environment
    from app.settings import PROJECT

    environment = kernel_environment(choice)
    if any(os.environ.get(key) != value for key, value in environment.items()):
        # the same `app`, not one in the working folder
        code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); from app.cli import main; main()"
        os.execve(sys.executable, [sys.executable, "-P", "-c", code, *sys.argv[1:]], {**os.environ, **environment})


def _short(value: object) -> object:
    return f"{value:.4f}" if isinstance(value, float) else value
