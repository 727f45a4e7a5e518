"""The model store over HTTP."""

from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request

from app.errors import RequestError
from app.learn.inspection.subject import TEACHING_MODEL
from app.models import ModelCard, ModelStore, StoredModel
from app.models.card import Personalization, RobustnessResult, SeedResult, SourceResult
from app.models.formats.archive import check
from app.models.formats.incoming import read_model
from app.models.formats.registry import FORMATS, exported
from app.nn import abbreviate
from app.web.api.request_body import read_body, read_form
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.dependencies import LogDep, StoreDep

router = APIRouter(prefix="/api/models", tags=["models"], route_class=ApiRoute)

ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
ONNX_TYPE = "application/onnx"
ONNX_ENDING = ".onnx"
FORM = "multipart/form-data"
_BINARY = {"type": "string", "format": "binary"}
_IMPORT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            ZIP_TYPES[0]: {"schema": _BINARY},
            ONNX_TYPE: {"schema": _BINARY},
            FORM: {"schema": {"type": "object", "properties": dict.fromkeys(("file", "weights", "card"), _BINARY)}},
        },
    }
}


class RenameRequest(RequestBody):
    """The new name of a model."""

    name: Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"})]


class ModelSummary(ResponseBody):
    """A model of the store; one that is damaged is not `available`, has a `reason`, and nothing that follows it.

    `for_teaching` is true of the small one that ships for the page "Look inside".
    """

    name: str
    available: bool
    reason: str | None
    bytes: int
    network: str | None = None
    labels: list[str] | None = None
    parameters: int | None = None
    metrics: dict[str, float] | None = None
    recipe: str | None = None
    dataset: str | None = None
    created: str | None = None
    shipped: bool | None = None
    for_teaching: bool | None = None
    run: int | None = None
    seed: int | None = None
    software: dict[str, str] | None = None
    mine: Personalization | None = None
    sources: list[SourceResult] | None = None
    robustness: list[RobustnessResult] | None = None
    seeds: list[SeedResult] | None = None


class ModelList(ResponseBody):
    """All models, and which is the default."""

    models: list[ModelSummary]
    default: str | None


class DefaultModel(ResponseBody):
    """The default model."""

    default: str | None


_CARD = set(ModelSummary.model_fields) & set(ModelCard.model_fields) - {"name", "network"}
"""The fields of a card that a summary has."""


def summaries(store: ModelStore) -> dict[str, Any]:
    """All models, and which is the default."""
    models = store.list()
    return {"models": [_summary(model) for model in models], "default": store.default(models)}


@router.get("", response_model=ModelList, response_model_exclude_unset=True)
def models(store: StoreDep) -> dict[str, Any]:
    """All models, the damaged ones with the reason."""
    return summaries(store)


@router.post("", status_code=201, openapi_extra=_IMPORT, responses=errors(409, 413, 415, 422, 501, 507))
async def import_model(request: Request, store: StoreDep) -> ModelCard:
    """Import a model: the zip that a download gives, or an ONNX file of a network of dense layers (501 without the
    package onnx), by itself or as the field `file` of a form, or a form with the safetensors file as `weights` and the
    card as `card`. It keeps its name, or gets "-2" behind it where that is taken.
    """
    files = await _model_files(request)

    def save() -> ModelCard:
        card, weights = files()
        package = check(card, weights)
        return store.save(package.card, package.network, arrays=package.arrays)

    return await run_in_threadpool(save)


@router.get("/{name}", responses=errors(404, 409))
def model(store: StoreDep, name: str) -> ModelCard:
    """A model's card."""
    return store.get(name)


@router.get(
    "/{name}/download",
    response_class=Response,
    responses=errors(404, 409, 422, 501)
    | {200: {"content": {kind.media_type: {"schema": _BINARY} for kind in FORMATS.values()}}},
)
def download(
    store: StoreDep,
    name: str,
    file: Annotated[str, Query(alias="format", json_schema_extra={"enum": list(FORMATS)})] = "safetensors",
) -> Response:
    """A model in one of the formats: the `zip`, which `POST /api/models` takes, its weights as `safetensors`, its
    `card`, or for other programs as `onnx` (501 without the package onnx), `npz`, `keras` or `html`."""
    content = exported(store, name, file)
    headers = {"content-disposition": f'attachment; filename="{name}{FORMATS[file].ending}"'}
    return Response(content, media_type=FORMATS[file].media_type, headers=headers)


@router.post("/{name}/default", responses=errors(404, 409))
def set_default(store: StoreDep, name: str, force: bool = False) -> DefaultModel:
    """Make a model the default; one that reads clearly less than its parent only with `force`: else 409 with the
    figures."""
    store.set_default(name, force=force)
    return DefaultModel(default=store.default())


@router.post("/{name}/rename", responses=errors(404, 409, 422))
def rename(log: LogDep, store: StoreDep, name: str, body: RenameRequest) -> ModelCard:
    """Give a model another name; if it was the default it stays that, and runs name it by its new name."""
    card = store.rename(name, body.name)
    log.rename_model(name, body.name)
    return card


@router.delete("/{name}", status_code=204, response_class=Response, responses=errors(404, 409))
def delete(store: StoreDep, name: str) -> None:
    """Delete a model; the one that ships with digitpad stays."""
    store.delete(name)


async def _model_files(request: Request) -> Callable[[], tuple[bytes, bytes]]:
    """Return a function that gives the card and the weights of an import, or raises ValueError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in (*ZIP_TYPES, ONNX_TYPE):
        return partial(read_model, await read_body(request), is_onnx=kind == ONNX_TYPE)
    if kind != FORM:
        raise RequestError(
            415,
            "expected a body of {zip}, {onnx} or {form}; got {type}",
            zip=ZIP_TYPES[0],
            onnx=ONNX_TYPE,
            form=FORM,
            type=repr(kind[:80]),
        )
    async with read_form(request) as form:
        uploads = {name: file for name, file in form.items() if isinstance(file, UploadFile)}
        files = {name: await file.read() for name, file in uploads.items()}
    if set(files) == {"file"}:
        is_onnx = PurePath(uploads["file"].filename or "").suffix.lower() == ONNX_ENDING
        return partial(read_model, files["file"], is_onnx=is_onnx)
    if set(files) == {"weights", "card"}:
        return lambda: (files["card"], files["weights"])
    raise RequestError(
        422,
        "expected a file in the field file, or two in weights and card; got {names}",
        names=abbreviate(sorted(files)),
    )


def _summary(model: StoredModel) -> dict[str, Any]:
    card = model.card
    if card is None:
        return {"name": model.name, "available": False, "reason": model.reason, "bytes": model.bytes}
    return {
        "name": model.name,
        "available": True,
        "reason": None,
        "bytes": model.bytes,
        "network": outline(card.network),
        "for_teaching": card.shipped and card.name == TEACHING_MODEL,
        "sources": [source.model_dump() for source in card.sources],
        **card.model_dump(include=_CARD),
    }


def outline(network: dict[str, Any]) -> str:
    """The network's sizes from input to output: "784 → 256 → 10", or "28×28 → 6@5×5 → 120 → 10" with convolutions."""
    kernels = [layer for layer in network["layers"] if layer["type"] == "conv2d"]
    inputs = "×".join(map(str, network["input_shape"][-2:])) if kernels else str(prod(network["input_shape"]))
    return " → ".join([inputs, *(size for layer in network["layers"] if (size := _layer_size(layer)) is not None)])


def _layer_size(layer: dict[str, Any]) -> str | None:
    """The channels and kernel of a layer, or its units; None of a layer without either."""
    if layer["type"] == "conv2d":
        size = layer["kernel_size"]
        height, width = (size, size) if isinstance(size, int) else size
        return f"{layer['filters']}@{height}×{width}"
    return str(layer["units"]) if "units" in layer else None
