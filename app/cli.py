"""The command line."""

import errno
import json
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.runs.log import Log
from app.settings import SettingError, Settings

cli = typer.Typer(help="Draw a digit and watch a neural network, written in NumPy, read it.", no_args_is_help=True)

SHUTDOWN_SECONDS = 2
SHIPPED_VALIDATION = 0.1
"""Share of the training images that is set aside to calibrate the shipped model on, where its recipe sets no share."""
TRAINING_LOG = "training.jsonl"
"""What the training of a shipped model said, an event a line, beside its weights."""
TOKEN_BYTES = 24
SOCKET_MESSAGE_BYTES = 64 * 1024
"""The largest message that a reader may send; nothing it says is listened to."""
OPEN_FILES = 8192
WILDCARDS = ("", "0.0.0.0", "::")
"""Values of DIGITPAD_HOST that listen on all addresses."""


@cli.command()
def serve() -> None:
    """Serve the pad, the dashboard and /predict; settings are DIGITPAD_* in the environment or in .env."""
    from app.main import create_app
    from app.web.access import needs_token
    from app.web.wire import BoundedProtocol

    settings = _settings()
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"digitpad: DIGITPAD_HOME, {settings.home}, cannot be made: {error.strerror}")
    try:
        Log(settings.log_url).close()
    except (SQLAlchemyError, ImportError) as error:
        sys.exit(f"digitpad: the database of DIGITPAD_DATABASE_URL cannot be opened: {str(error).splitlines()[0]}")
    made = secrets.token_urlsafe(TOKEN_BYTES) if needs_token(settings) and settings.token is None else None
    if made is not None:
        settings = settings.model_copy(update={"token": SecretStr(made)})
    try:
        app = create_app(settings)
    except SettingError as error:
        sys.exit(f"digitpad: {error}")
    listener = _listen(settings.host, settings.port)
    _allow_many_sockets()
    _announce(settings, listener.getsockname()[1], made)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        server_header=False,
        ws_max_size=SOCKET_MESSAGE_BYTES,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # a thousand readers would each cost its memory, and the messages are short
    )
    uvicorn.Server(config).run(sockets=[listener])


@cli.command("default-model")
def default_model(
    recipe: Annotated[str, typer.Option(help="the recipe to train")] = "small-mlp",
    name: Annotated[str, typer.Option(help="the model's name")] = "mnist-mlp",
) -> None:
    """Train the model that ships with digitpad anew, and make it the default."""
    from app.data import DatasetUnavailable, load_dataset
    from app.data.files import write_whole
    from app.models import ModelStore
    from app.recipes import get_recipe
    from app.runs.compute import LARGEST_CREW, cores
    from app.runs.config import parse_config
    from app.runs.training import Said, Training
    from app.settings import SHIPPED_MODELS

    settings = _settings()
    _take_kernels(settings.blas_kernel)
    try:
        fields = get_recipe(recipe).config
    except ValueError as error:
        sys.exit(f"digitpad: {error}")
    # calibrated on images that were no part of training, whatever the recipe does
    share = fields["validation"] if isinstance(fields.get("validation"), float) else SHIPPED_VALIDATION
    config = parse_config({**fields, "validation": share})
    try:
        dataset = load_dataset(config.dataset, data_dir=settings.data_dir, cache_dir=settings.cache_dir)
    except DatasetUnavailable as error:
        sys.exit(str(error))
    training = Training(config, dataset, processes=min(cores(), LARGEST_CREW), cache_dir=settings.cache_dir)
    said = []
    for step in training.run():
        if isinstance(step, Said):
            said.append(json.dumps({"type": step.type, "data": step.data}, ensure_ascii=False) + "\n")
            print(f"{step.type:10}", *(f"{key} {_short(value)}" for key, value in step.data.items()), flush=True)
    store = ModelStore(SHIPPED_MODELS)
    card = store.save(training.card(name, shipped=True), training.network, replace=True, arrays=training.arrays())
    write_whole(store.path(card.name, TRAINING_LOG), "".join(said).encode(), prefix=".log.")
    store.set_default(card.name)
    print(f"saved      {card.name}, {card.parameters:,} parameters, SHA-256 {card.sha256}")


@cli.command()
def augment(
    recipe: Annotated[str, typer.Argument(help="whose augmentation is shown")] = "best-cnn",
    out: Annotated[Path, typer.Option(help="the PNG to write")] = Path("augmentation.png"),
    digits: Annotated[int, typer.Option(min=1, max=100, help="how many digits are shown")] = 20,
    epochs: Annotated[int, typer.Option(min=1, max=100, help="in how many epochs")] = 9,
    seed: Annotated[int, typer.Option(min=0, help="which digits, and how they are changed")] = 1,
) -> None:
    """Write a picture of digits as they are, in the top row, and as each epoch of a recipe changes them."""
    from app.data import DatasetUnavailable, load_dataset
    from app.data.augment import make_augmentation
    from app.data.contact_sheet import changed_digits, contact_sheet
    from app.recipes import get_recipe
    from app.runs.config import parse_config

    settings = _settings()
    try:
        config = parse_config(get_recipe(recipe).config)
        augmentation = make_augmentation(config.augmentation)
        if augmentation is None:
            sys.exit(f"digitpad: the recipe {recipe} has no augmentation")
        split = load_dataset(config.dataset, data_dir=settings.data_dir, cache_dir=settings.cache_dir).train
    except (ValueError, DatasetUnavailable) as error:
        sys.exit(f"digitpad: {error}")
    indices, after = changed_digits(split, augmentation, seed=seed, count=digits, epochs=epochs)
    try:
        out.write_bytes(contact_sheet(split.images[indices], after))
    except OSError as error:
        sys.exit(f"digitpad: {out} cannot be written: {error.strerror}")
    print(f"{out}: {len(indices)} digits of {config.dataset}, each in {epochs} epochs")
    print(*(f"{name} {value:g}" for name, value in augmentation.spec().items() if value), sep=", ")


@cli.command("gradient-check")
def check_gradient(
    recipe: Annotated[str, typer.Argument(help="whose network is checked")] = "lenet",
    images: Annotated[int, typer.Option(min=1, max=1000, help="how many drawn digits it is checked on")] = 20,
    sample: Annotated[int, typer.Option(min=1, help="how many numbers of each parameter array are checked")] = 20,
) -> None:
    """Numerical differentiation beside backpropagation: the largest relative error of each layer, and both times."""
    from app.data import make_strokes
    from app.nn import LOSSES, build, gradient_check
    from app.recipes import get_recipe
    from app.runs.config import parse_config

    try:
        config = parse_config({**get_recipe(recipe).config, "dtype": "float64"})
    except ValueError as error:
        sys.exit(f"digitpad: {error}")
    network = config.build_network()
    network.initialize(config.seed)
    drawn = make_strokes(train=images, test=1).train
    x = (drawn.images / config.input_scale).reshape(len(drawn), *network.input_shape)
    loss = build("loss", LOSSES, config.loss)
    print(gradient_check(network, x, drawn.labels.astype(int), loss=loss, sample=sample).table())
    if any(layer.type == "step" for layer in network.layers):
        print("\nThe step function has no useful derivative: backpropagation passes the gradient straight through it.")


def main() -> None:
    """Run the command line."""
    cli()


def _settings() -> Settings:
    """The settings; leaves with a line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for entry in error.errors():
            name = str(entry["loc"][0])
            came = "" if "token" in name else f"; got {entry['input']!r}"  # a secret stays one
            lines.append(f"DIGITPAD_{name.upper()}: {entry['msg']}{came}")
        sys.exit("digitpad: " + "\n".join(lines))


def _take_kernels(choice: str) -> None:
    """Begin anew where BLAS is to take other kernels: it chose them when NumPy was loaded."""
    from app.runs.compute import kernel_environment

    wanted = kernel_environment(choice)
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, "-m", "app", *sys.argv[1:]], {**os.environ, **wanted})


def _announce(settings: Settings, port: int, made: str | None) -> None:
    """Print where the server is: with the token that was made for it, and without one that was given."""
    everywhere = settings.host in WILDCARDS
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}[settings.host] if everywhere else settings.host
    shown = f"[{host}]" if ":" in host else host
    print(f"digitpad: http://{shown}:{port}" + ("" if made is None else f"/?token={made}"), flush=True)
    if made is not None:
        print("digitpad: this token is good until the server ends; DIGITPAD_TOKEN sets one that stays", flush=True)
    if everywhere:
        print(f"digitpad: from elsewhere, put this machine's name or address in place of {shown}", flush=True)


def _allow_many_sockets() -> None:
    """Raise the number of files that this process may open, which is often 1,024, as far as it may be."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; leaves with a plain message where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"digitpad: port {port} is in use on {host}; choose another, e.g. make run PORT={port + 1}")
        sys.exit(f"digitpad: cannot listen on {host} port {port}: {error.strerror}")
    listener.listen(2048)
    return listener


def _short(value: object) -> object:
    return f"{value:.4f}" if isinstance(value, float) else value
