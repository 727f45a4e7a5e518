"""A model as one file, a zip of its card and its weights, for export and import."""

import hashlib
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from pydantic import ValidationError
from pydantic_core import from_json
from safetensors import SafetensorError
from safetensors.numpy import load

from app.data import PreparedImage
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError, Message
from app.i18n.pydantic_errors import json_message, pydantic_message
from app.models.card import ModelCard
from app.models.cost import LARGEST_PREDICTION, prediction_cost
from app.models.formats.foreign import refuse_foreign, refuse_foreign_zip
from app.models.ood.detector import ARRAYS, OutOfDistributionDetector
from app.models.predictor import Predictor
from app.models.store import CARD, WEIGHTS, DamagedModelError
from app.nn import LAYERS, Network, abbreviate, build
from app.nn.arrays import Array
from app.storage.zip_file import open_zip, read_entry

CARD_LIMIT = 2**20
"""The most bytes of a card."""
HEADER_LIMIT = 2**20
"""The most bytes of the list of the weights."""
WEIGHTS_LIMIT = 64 * 2**20
"""The most bytes of weights."""
ENTRIES = 1000
"""The most entries of a zip, whose names are listed in a refusal."""
LABELS = 1000
LABEL_LENGTH = 64
ACTIVATIONS = 4_000_000
"""The most outputs of all layers for one image: 16 MB of float32."""


@dataclass(frozen=True)
class Package:
    """A model that has been loaded, checked and tried. `arrays` are those of its calibration."""

    card: ModelCard
    network: Network
    arrays: Mapping[str, Array]


def pack(card: bytes, weights: bytes) -> bytes:
    """The zip of a model's two files; equal files give equal bytes."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in ((CARD, card), (WEIGHTS, weights)):
            archive.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()


def unpack(data: bytes) -> tuple[bytes, bytes]:
    """The card and the weights in a zip, which must contain nothing else. Raises ValueError.

    Names in it are never used as paths, and the unpacked size is limited, whatever the zip declares.
    """
    expected = Message("expected a zip of {card} and {weights}", card=CARD, weights=WEIGHTS)
    if not data:
        raise InputError("{expected}; got an empty file", expected=expected)
    refuse_foreign(data)
    damaged = Message("{expected}; got one that is damaged or none at all", expected=expected)
    try:
        with open_zip(BytesIO(data), entries=ENTRIES, damaged=damaged) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            files = {entry.filename.rpartition("/")[2]: entry for entry in entries}
            if sorted(files) != sorted((CARD, WEIGHTS)) or len(files) < len(entries):
                names = sorted(entry.filename.rpartition("/")[2] for entry in entries)
                raise InputError("{expected}; got {names}", expected=expected, names=abbreviate(names))
            return read_entry(archive, files[CARD], CARD_LIMIT), read_entry(archive, files[WEIGHTS], WEIGHTS_LIMIT)
    except InputError:
        refuse_foreign_zip(data)
        raise


def check(card_json: bytes, weights: bytes) -> Package:
    """Load a card and its weights, build the network, and try it on images.

    Raises ValueError with the expected and the given value.
    """
    card = _parse_card(card_json)
    if hashlib.sha256(weights).hexdigest() != card.sha256:
        raise InputError(
            "expected the file that {card} describes; got one with another SHA-256", field=WEIGHTS, card=CARD
        )
    size = _activations(card)
    if size > ACTIVATIONS:
        raise InputError(
            "expected layers that give at most {most} numbers per image; got {count}",
            field="network",
            most=f"{ACTIVATIONS:,}",
            count=f"{size:,}",
        )
    if int.from_bytes(weights[:8], "little") > HEADER_LIMIT:
        raise InputError("expected a header of at most {most} MB", field=WEIGHTS, most=HEADER_LIMIT // 2**20)
    try:
        arrays = load(weights)
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError, MemoryError):
        raise InputError("expected a safetensors file; got something else, or a damaged one", field=WEIGHTS) from None
    network = Network.from_spec(card.network, dtype=card.dtype)
    rejection = card.calibration.rejection if card.calibration is not None else None
    calibration = {key: arrays.pop(key) for key in ARRAYS if key in arrays} if rejection is not None else {}
    wrong = next((name for name, array in arrays.items() if array.dtype != network.dtype), None)
    if wrong is not None:
        raise InputError(
            "expected {dtype}; got {got}", field=f"weights[{wrong[:80]}]", dtype=network.dtype, got=arrays[wrong].dtype
        )
    cost = prediction_cost(network)
    if cost > LARGEST_PREDICTION:
        raise InputError(
            "expected a network of at most {most} multiplications per image; got {count}",
            field="network",
            most=f"{LARGEST_PREDICTION:,}",
            count=f"{cost:,}",
        )
    network.load_weights(arrays)
    detector = None
    if rejection is not None:
        detector = OutOfDistributionDetector(rejection, len(card.labels), calibration, features=network.feature_count)
    _try(Predictor(card, network, detector))
    return Package(card, network, calibration)


def _parse_card(data: bytes) -> ModelCard:
    if len(data) > CARD_LIMIT:
        raise InputError("expected at most {most} MB; got more", field=CARD, most=CARD_LIMIT // 2**20)
    try:
        # not `model_validate_json`, whose errors bring a copy of the whole card with each field that is missing
        card = ModelCard.model_validate(from_json(data, allow_inf_nan=False))
    except ValidationError as error:
        reason = pydantic_message(error.errors()[0])
        raise InputError("{file} is not a model card: {reason}", file=CARD, reason=reason) from None
    except ValueError as error:
        reason = json_message(str(error))
        raise InputError("{file} is not a model card: {reason}", file=CARD, reason=reason) from None
    labels = card.labels
    if len(set(labels)) != len(labels) or len(labels) > LABELS:
        raise InputError(
            "expected up to {most} different labels; got {count}", field="labels", most=LABELS, count=len(labels)
        )
    if not all(0 < len(label) <= LABEL_LENGTH and label.isprintable() for label in labels):
        raise InputError(
            "expected 1 to {most} printable characters each; got others",
            field="labels",
            most=LABEL_LENGTH,
        )
    # The runs and the shipped models of another store mean nothing here.
    return card.model_copy(update={"shipped": False, "run": None})


def _activations(card: ModelCard) -> int:
    """The number of outputs of all layers for one image, computed from shapes without allocation."""
    layers, shape = card.network.get("layers"), card.network.get("input_shape")
    if not isinstance(layers, list) or not isinstance(shape, list) or not all(type(size) is int for size in shape):
        raise InputError("expected layers and input_shape, two lists; got something else", field="network")
    if not 0 < len(shape) <= 4 or math.prod(shape) != IMAGE_SIZE * IMAGE_SIZE or min(shape) < 1:
        raise InputError(
            "expected {count} numbers in all; got {shape}",
            field="network.input_shape",
            count=IMAGE_SIZE * IMAGE_SIZE,
            shape=shape[:8],
        )
    total, now = 0, tuple(shape)
    for index, spec in enumerate(layers[:1000]):
        now = build(f"layers[{index}]", LAYERS, spec).build(now, np.dtype(np.float32))
        total += math.prod(now)
        if total > ACTIVATIONS:
            break
    return total


def _try(predictor: Predictor) -> None:
    """Predict no ink, all ink and noise. Raises ValueError if the results are not probabilities."""
    shape = (IMAGE_SIZE, IMAGE_SIZE)
    noise = np.random.default_rng(0).random(shape, np.float32)
    images = [np.zeros(shape, np.float32), np.ones(shape, np.float32), noise, (noise > 0.8).astype(np.float32)]
    try:
        predictor.predict([PreparedImage(image, blank=False) for image in images])
    except DamagedModelError:
        raise InputError(
            "expected a network that gives probabilities; got one whose outputs are not finite numbers", field="weights"
        ) from None
