"""The Open Inference Protocol, version 2, over REST, with the binary-tensor extension: `/v2/...`."""

import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import __version__
from app.data import PreparedImage
from app.errors import InputError, Message, RequestError, message_of
from app.models import DamagedModelError, Predictor, Predictors, UnknownModelError
from app.models.cost import QUICK_WORK, check_affordable
from app.nn import abbreviate
from app.web.api.inference_v2_tensors import INPUT, PIXELS, Output, check_parameters, read_input
from app.web.api.request_body import parse_json, read_body
from app.web.api.routing import ResponseBody, errors
from app.web.dependencies import CountersDep, PredictorsDep, StoreDep
from app.web.preferences import AnswerLanguage, language_headers
from app.web.prometheus.counters import PredictionTimer, outcome_of

HEADER_LENGTH = "inference-header-content-length"
VERSION = "1"
"""The one version that every model has."""

PROBABILITIES, LABEL = "probabilities", "label"
BODY_TYPES = ("", "application/json", "application/octet-stream", "application/x-www-form-urlencoded")
"""The last is what `curl -d` says unless it is told otherwise; some clients name no type at all."""

LONGEST_ID = 1000


def _check_version(name: str, version: Annotated[str, Path(description="always 1")]) -> None:
    if version != VERSION:
        raise RequestError(
            404,
            "expected version {version} of {name}, the only one; got {got}",
            version=VERSION,
            name=name[:64],
            got=repr(version[:20]),
        )


router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
models = APIRouter(prefix="/models/{name}")
versions = APIRouter(prefix="/models/{name}/versions/{version}", dependencies=[Depends(_check_version)])
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string"},
                        "parameters": {"type": "object"},
                        "inputs": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "object"}},
                        "outputs": {"type": "array", "items": {"type": "object"}},
                    },
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    },
}


class ServerMetadata(ResponseBody):
    """The server and the protocol's extensions that it has."""

    name: str
    version: str
    extensions: list[str]


class ServerHealth(ResponseBody):
    """The server's state: that it answers, and whether a model can be used; `error` says why not."""

    live: bool
    ready: bool
    error: str | None = None


class TensorMetadata(ResponseBody):
    """A tensor; -1 in its shape is the number of images."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(ResponseBody):
    """A model; `properties.labels` is the JSON of its labels, in the probabilities' order."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    properties: dict[str, str]


class ModelReady(ResponseBody):
    """The state of a model."""

    name: str
    ready: bool


class OutputTensor(TensorMetadata):
    """An output: its `data`, or the size of its binary data in `parameters`."""

    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class InferenceResponse(ResponseBody):
    """The outputs that were asked for."""

    model_name: str
    model_version: str
    id: str
    outputs: list[OutputTensor]


_INFER = errors(400, 404, 409, 415) | {
    200: {
        "model": InferenceResponse,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("")
async def server() -> ServerMetadata:
    """The server and its version."""
    return ServerMetadata(name="digitpad", version=__version__, extensions=["binary_tensor_data"])


@router.get("/health/live", response_model_exclude_unset=True)
def live(predictors: PredictorsDep) -> ServerHealth:
    """Return that the server answers."""
    return ServerHealth(live=True, ready=_is_ready(predictors))


@router.get("/health/ready", responses={200: {"model": ServerHealth}, 503: {"model": ServerHealth}})
def ready(predictors: PredictorsDep, language: AnswerLanguage) -> Response:
    """Say if there is a model to ask."""
    if _is_ready(predictors):
        return JSONResponse({"live": True, "ready": True})
    message = language.translate(Message("there is no model that can be used"))
    headers = language_headers(language.language, {"retry-after": "5"})
    return JSONResponse({"error": message, "live": True, "ready": False}, 503, headers)


@models.get("", response_model=ModelMetadata, responses=errors(404, 409))
@versions.get("", response_model=ModelMetadata, responses=errors(404, 409))
def metadata(store: StoreDep, name: str) -> dict[str, Any]:
    """The inputs and outputs of a model."""
    card = store.get(name)
    return {
        "name": name,
        "versions": [VERSION],
        "platform": "digitpad_numpy",
        "inputs": [{"name": INPUT, "datatype": "FP32", "shape": [-1, PIXELS]}],
        "outputs": [
            {"name": PROBABILITIES, "datatype": "FP32", "shape": [-1, len(card.labels)]},
            {"name": LABEL, "datatype": "BYTES", "shape": [-1]},
        ],
        "properties": {"labels": json.dumps(card.labels, ensure_ascii=False)},
    }


@models.get("/ready", responses=errors(404, 409))
@versions.get("/ready", responses=errors(404, 409))
def model_ready(predictors: PredictorsDep, name: str) -> ModelReady:
    """Say if a model can be used."""
    predictors.get(name)
    return ModelReady(name=name, ready=True)


@models.post("/infer", openapi_extra=_BODY, responses=_INFER)
@versions.post("/infer", openapi_extra=_BODY, responses=_INFER)
async def infer(request: Request, predictors: PredictorsDep, counters: CountersDep, name: str) -> Response:
    """Read images: a tensor `input`, FP32 (0 to 1) or UINT8 (0 to 255), ink high, of [N, 784] or [N, 1, 28, 28].

    Gives `probabilities` and `label`, which is empty where there is no ink.
    """
    with PredictionTimer(counters) as reading:
        return await _infer(request, predictors, name, reading)


async def _infer(request: Request, predictors: Predictors, name: str, reading: PredictionTimer) -> Response:
    predictor = predictors.get(name)
    reading.model = name
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in BODY_TYPES:
        raise RequestError(
            415,
            "expected a body of {types} or no type; got {type}",
            types=", ".join(BODY_TYPES[1:3]),
            type=repr(kind[:80]),
        )
    body = await read_body(request)
    try:
        split = _json_length(request, len(body))
        asked = parse_json(body[:split])
        if not isinstance(asked, Mapping):
            raise InputError("expected an object with inputs; got {value}", value=abbreviate(asked))
        identity = _identity(asked.get("id"))
        wanted = _wanted(asked)
        images = read_input(asked.get("inputs"), body[split:])
    except ValueError as error:
        raise RequestError(400, message_of(error)) from None
    except RequestError as error:
        raise RequestError(400, error.message) from None  # the protocol's own status for what cannot be read
    check_affordable(name, predictor.cost, len(images))
    if predictor.cost * len(images) < QUICK_WORK:
        outputs = _read(predictor, images, reading)
    else:
        outputs = await run_in_threadpool(_read, predictor, images, reading)
    return _answer(name, identity, wanted, outputs)


def _read(predictor: Predictor, images: Any, reading: PredictionTimer) -> dict[str, Output]:
    said = predictor.predict([PreparedImage(image, blank=not image.any()) for image in images])
    reading.came_to(map(outcome_of, said))
    rows = np.array([list(prediction.probabilities.values()) for prediction in said], np.float32)
    return {
        PROBABILITIES: Output(PROBABILITIES, "FP32", rows),
        LABEL: Output(LABEL, "BYTES", [prediction.label or "" for prediction in said]),
    }


def _answer(name: str, identity: str, wanted: dict[str, bool], outputs: dict[str, Output]) -> Response:
    """The answer with the outputs that are `wanted`, binary where the value is true."""
    tensors, blobs = [], []
    for key, binary in wanted.items():
        output = outputs[key]
        tensor: dict[str, Any] = {"name": key, "datatype": output.datatype, "shape": output.shape}
        if binary:
            blob = output.to_bytes()
            blobs.append(blob)
            tensor["parameters"] = {"binary_data_size": len(blob)}
        else:
            tensor["data"] = output.values()
        tensors.append(tensor)
    answer = {"model_name": name, "model_version": VERSION, "id": identity, "outputs": tensors}
    header = json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()
    if not blobs:
        return Response(header, media_type="application/json")
    headers = {HEADER_LENGTH: str(len(header))}
    return Response(b"".join((header, *blobs)), media_type="application/octet-stream", headers=headers)


def _wanted(asked: Mapping[str, Any]) -> dict[str, bool]:
    """The outputs that a request asks for, each once, and whether they are to be binary."""
    parameters = check_parameters("parameters", asked.get("parameters"))
    binary = _flag("parameters.binary_data_output", parameters.get("binary_data_output", False))
    outputs = asked.get("outputs")
    if outputs is None or outputs == []:
        return {PROBABILITIES: binary, LABEL: binary}
    if not isinstance(outputs, list) or not all(isinstance(output, Mapping) for output in outputs):
        raise InputError(
            "expected a list of objects with a name; got {value}", field="outputs", value=abbreviate(outputs)
        )
    wanted: dict[str, bool] = {}
    for index, output in enumerate(outputs):
        place = f"outputs[{index}]"
        name = output.get("name")
        if name not in (PROBABILITIES, LABEL) or name in wanted:
            raise InputError(
                "expected {probabilities} and {label}, each at most once; got {value}",
                field=f"{place}.name",
                probabilities=PROBABILITIES,
                label=LABEL,
                value=abbreviate(name),
            )
        own = check_parameters(f"{place}.parameters", output.get("parameters"))
        wanted[name] = _flag(f"{place}.parameters.binary_data", own.get("binary_data", binary))
    return wanted


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InputError("expected true or false; got {value}", field=name, value=abbreviate(value))
    return value


def _identity(value: object) -> str:
    if value is None or value == "":
        return str(uuid.uuid4())
    if not isinstance(value, str) or len(value) > LONGEST_ID:
        raise InputError(
            "expected a string of at most {most} characters; got {value}",
            field="id",
            most=LONGEST_ID,
            value=abbreviate(value),
        )
    return value


def _json_length(request: Request, size: int) -> int:
    """The number of bytes of the body that are JSON; the rest is binary."""
    text = request.headers.get(HEADER_LENGTH)
    if text is None:
        return size
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= size):
        raise InputError(
            "expected 1 to {length}, the body's length; got {got}",
            field="Inference-Header-Content-Length",
            length=size,
            got=repr(text[:20]),
        )
    return int(text)


def _is_ready(predictors: Predictors) -> bool:
    try:
        predictors.get()
    except (UnknownModelError, DamagedModelError):
        return False
    return True


router.include_router(models)
router.include_router(versions)
