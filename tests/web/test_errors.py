"""What the pages can say in another language of the server's refusals is what the server really says."""

import re

import pytest

from app.data.drawings.drawing import check_label, check_set_name
from app.errors import LimitError
from app.models import ModelStore
from app.models.card import check_name
from app.nn import LAYERS, build
from app.nn.errors import Diverged
from app.runs.config.annotations import check_tags
from app.runs.config.run_config import request_config
from app.runs.config.sweep import race_configs
from app.runs.training.source_models import UnusableModelError, load_pinned
from app.settings import PROJECT, SHIPPED_MODELS
from app.web.middleware.limits import BodyReservation, Capacity

PATTERN = re.compile(r"^  \[/(\^.*\$)/, \(", re.MULTILINE)
FIELD = re.compile(r"[a-z]\w*(?:\.[a-z]\w*|\[\d+\]|\.\d+)*: ")
OUTPUTS = {"type": "dense", "units": 10}

SETTINGS = [
    {"optimizer": {"learning_rate": -1}},
    {"optimizer": {"type": "x"}},
    {"augmentation": {"rotation": 500}},
    {"batch_size": 0},
    {"batch_size": 10**7},
    {"epochs": 2.5},
    {"input_scale": "abc"},
    {"dtype": "x"},
    {"validation": 2.0},
    {"validation": None, "patience": 2},
    {"patience": 2, "averaging": 2},
    {"start": {"run": 0}},
    {"distillation": {"model": "A b"}},
    {"distillation": {"model": "a + a"}},
    {"network": {"layers": []}},
    {"network": {"layers": [{"type": "conv2d", "filters": 2, "kernel_size": 50}, OUTPUTS]}},
    {"network": {"layers": [{"type": "max_pool2d", "size": 3}, OUTPUTS]}},
    {"network": {"layers": [{"type": "dense"}]}},
    {"network": {"layers": [{"type": "dense", "units": 100_000}] * 2}},
    {"network": {"layers": [{**OUTPUTS, "initializer": {"type": "uniform", "low": "x"}}]}},
    {"network": {"layers": [OUTPUTS, {"type": "conv2d", "filters": 2, "kernel_size": 3}]}},
]
CALLS = [
    lambda: race_configs(request_config({"recipe": "quick"}), "batch_size", [1]),
    lambda: check_tags(["x"] * 100),
    lambda: check_label("x" * 200),
    lambda: check_label("a\x07"),
    lambda: check_set_name("A b"),
    lambda: check_name("A b"),
    lambda: BodyReservation(Capacity(bodies=0)).take(1),
    lambda: build("layer", LAYERS, {"type": "dropout", "rate": 2}),
    lambda: load_pinned(ModelStore(SHIPPED_MODELS), "nobody", None, "the model to learn from"),
    lambda: load_pinned(ModelStore(SHIPPED_MODELS), "mnist-mlp", None, "the model to learn from"),
]
WRITTEN = {
    "there is no run 7": "app/runs/log/event_log.py",
    "there is no model x": "app/models/store.py",
    "there is no model yet: train one, or restore the one that ships with digitpad": "app/models/predictor.py",
    "there is no such drawing": "app/data/drawings/store.py",
    "the database is busy or cannot be reached; try again in a moment": "app/web/errors.py",
    "expected fewer evaluations at one time; try again in a moment": "app/web/job_queue.py",
    "there is no room left on the disk; nothing was changed": "app/web/errors.py",
    "something went wrong in the server; its log says what": "app/web/errors.py",
    "expected a body of at most 32 MB; got more": "app/web/api/request_body.py",
    "expected a still image; got an animated PNG": "app/data/preprocessing/decode.py",
    "expected an image of at most 20 megapixels; got 8000×8000": "app/data/preprocessing/decode.py",
    "expected a PNG or JPEG image; got x": "app/data/preprocessing/decode.py",
    "expected at most 100 runs to wait; 100 do: cancel some, or wait as well": "app/web/middleware/limits.py",
    "run 7 is running; cancel it first": "app/runs/log/event_log.py",
    "run 7 has not ended; resume it, or let it come to its end first": "app/runs/service.py",
    "run 7 left no checkpoint to go on from: it ended before its first epoch did": "app/runs/service.py",
    "run 7 has saved no model yet: it is running": "app/web/api/evaluation.py",
    "there is a model named x already": "app/models/store.py",
    "the model x ships with digitpad and keeps its name": "app/models/store.py",
    "the model x cannot be used: x": "app/models/store.py",
    "the drawings of x are others than when run 7 was trained": "app/web/api/run_monitor.py",
    "there are no drawings in the set “x” any more: draw some first": "app/data/catalog.py",
    "The MNIST file x is neither in DIGITPAD_DATA_DIR nor in the cache, and could not be downloaded. x": (
        "app/data/sources/mnist.py"
    ),
    "there was not enough memory; a smaller network or batch size may help": "app/runs/worker/job.py",
    "a model that is made somebody's own is compared with its parent at the end, and not before": "app/runs/training/saved_models.py",  # noqa: E501
    "expected at most 7 drawings in a set; x has 7 already": "app/data/drawings/store.py",
    "expected at most 7 sets of drawings; there would be more": "app/data/drawings/store.py",
    "there is a set named x already, with 7 drawings": "app/data/drawings/store.py",
    "there is no set named x": "app/data/drawings/store.py",
    "the folder where digitpad keeps its files cannot be written; its permissions may be wrong": "app/web/errors.py",
    'expected a token, as "Authorization: Bearer ..."; x': "app/web/middleware/gatekeeper.py",
    "Too few: x.": "app/data/catalog.py",
    "the drawings “x” are too few to train on: x": "app/data/sources/drawings.py",
    "expected drawings of at least 7 labels; got 7": "app/data/sources/drawings.py",
    "expected at most 7 labels; got 7": "app/data/sources/drawings.py",
    "expected at least 7 drawings of each label; got 7 of x": "app/data/sources/drawings.py",
    "there are 7 drawings in x: delete them first": "app/data/drawings/store.py",
    "network.layers: expected 10 outputs, one for each label of x; got 3": "app/runs/service.py",
    "distillation.model: expected a model with the data set's 7 labels; x has others, 7 of them": (
        "app/runs/training/distillation.py"
    ),
    "distillation.sha256: expected the models that it is of; they are others now": "app/runs/training/distillation.py",
    "distillation: expected null beside personal, which has a model to compare with already": "app/runs/config/run_config.py",  # noqa: E501
    "the model to learn from, x, says numbers that are not finite": "app/runs/training/distillation.py",
    "epochs: expected a whole number from 1 to 100000; got 0": "app/web/api/runs.py",
}
"""Messages that take a server's mishap to hear, and where each is written; numbers and `x` are filled in."""


def patterns() -> list[str]:
    return PATTERN.findall((PROJECT / "static" / "js" / "api" / "errors.js").read_text("utf-8"))


def refusals() -> list[str]:
    found = []
    for overrides in SETTINGS:
        with pytest.raises(ValueError, match=r".") as refused:
            request_config({"recipe": "quick", "overrides": {"dataset": "strokes", **overrides}})
        found.append(str(refused.value))
    for call in CALLS:
        with pytest.raises((ValueError, LimitError, UnusableModelError)) as refused:
            call()
        found.append(str(refused.value))
    return [*found, str(Diverged(3, 5)), *WRITTEN]


def test_every_refusal_that_the_pages_translate_is_said_by_the_server() -> None:
    said = [FIELD.sub("", message, count=1) if FIELD.match(message) else message for message in refusals()]
    known = patterns()
    assert len(known) > 40
    unheard = [pattern for pattern in known if not any(re.search(pattern, message) for message in said)]
    unknown = [message for message in said if not any(re.search(pattern, message) for pattern in known)]
    assert (unheard, unknown) == ([], [])


@pytest.mark.parametrize(("message", "path"), WRITTEN.items())
def test_a_message_is_written_where_it_is_said_to_be(message: str, path: str) -> None:
    source = re.sub(r'"\s*\n\s*f?"', "", (PROJECT / path).read_text("utf-8"))
    pieces = re.split(r"\b\d+(?:×\d+)?\b|\bx\b|\brunning\b", message)
    assert not [piece for piece in pieces if piece.strip() and piece.strip() not in source]
