"""The model store over HTTP."""

from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request

from app.errors import RequestError, message_of
from app.models import ModelCard, ModelStore, StoredModel
from app.models.formats.archive import check, unpack
from app.models.formats.onnx_import import convert_onnx
from app.models.formats.registry import FORMATS, exported
from app.models.formats.source import MissingExtraError
from app.models.store import NameTakenError
from app.nn import abbreviate
from app.web.api.request_body import json_body, read_body, read_form, read_json
from app.web.dependencies import State
from app.web.errors import Error

router = APIRouter(prefix="/api/models", tags=["models"])

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

_RENAME: dict[str, Any] = json_body(
    {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"}},
    }
)


def summaries(store: ModelStore) -> dict[str, Any]:
    """All models, and which is the default."""
    models = store.list()
    return {"models": [_summary(model) for model in models], "default": store.default(models)}


@router.get("")
def models(state: State) -> dict[str, Any]:
    """All models, the damaged ones with the reason."""
    return summaries(state.store)


@router.post("", status_code=201, openapi_extra=_IMPORT, responses={415: {"model": Error}, 501: {"model": Error}})
async def take_in(request: Request, state: State) -> ModelCard:
    """Import a model: the zip that a download gives, or an ONNX file of a network of dense layers (501 without the
    package onnx), by itself or as the field `file` of a form, or a form with the safetensors file as `weights` and the
    card as `card`. It keeps its name, or gets "-2" behind it where that is taken.
    """
    files = await _model_files(request)

    def keep() -> ModelCard:
        try:
            package = check(*files())
        except ValueError as error:
            raise RequestError(422, message_of(error)) from None
        except MissingExtraError as error:
            raise RequestError(501, message_of(error)) from None
        return state.store.save(package.card, package.network, arrays=package.arrays)

    return await run_in_threadpool(keep)


@router.get("/{name}")
def model(state: State, name: str) -> ModelCard:
    """A model's card."""
    return state.store.get(name)


@router.get(
    "/{name}/download",
    response_class=Response,
    responses={
        200: {"content": {kind.media_type: {"schema": _BINARY} for kind in FORMATS.values()}},
        422: {"model": Error},
        501: {"model": Error},
    },
)
def download(
    state: State,
    name: str,
    file: Annotated[str, Query(alias="format", json_schema_extra={"enum": list(FORMATS)})] = "safetensors",
) -> Response:
    """A model in one of the formats: the `zip`, which `POST /api/models` takes, its weights as `safetensors`, its
    `card`, or for other programs as `onnx` (501 without the package onnx), `npz`, `keras` or `html`."""
    try:
        content = exported(state.store, name, file)
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None
    except MissingExtraError as error:
        raise RequestError(501, message_of(error)) from None
    headers = {"content-disposition": f'attachment; filename="{name}{FORMATS[file].ending}"'}
    return Response(content, media_type=FORMATS[file].media_type, headers=headers)


@router.post("/{name}/default", responses={409: {"model": Error}})
def choose(state: State, name: str, force: bool = False) -> dict[str, Any]:
    """Make a model the default; one that was made somebody's own, and forgot too much of what its parent knew, only
    with `force`: else 409 with the figures."""
    state.store.set_default(name, force=force)
    return {"default": state.store.default()}


@router.post("/{name}/rename", openapi_extra=_RENAME, responses={409: {"model": Error}, 422: {"model": Error}})
async def rename(request: Request, state: State, name: str) -> ModelCard:
    """Give a model another name; if it was the default it stays that, and runs name it by its new name."""
    body = await read_json(request)
    new = body.get("name") if isinstance(body, dict) and set(body) == {"name"} else None
    if not isinstance(new, str):
        raise RequestError(422, "expected an object with the new name as name; got {value}", value=abbreviate(body))

    def give() -> ModelCard:
        try:
            card = state.store.rename(name, new)
        except ValueError as error:
            raise RequestError(422, message_of(error)) from None
        except NameTakenError as error:
            raise RequestError(409, message_of(error)) from None
        state.log.rename_model(name, new)
        return card

    return await run_in_threadpool(give)


@router.delete("/{name}", status_code=204)
def delete(state: State, name: str) -> Response:
    """Remove a model; the one that ships with digitpad stays."""
    state.store.delete(name)
    return Response(status_code=204)


async def _model_files(request: Request) -> Callable[[], tuple[bytes, bytes]]:
    """What gives the card and the weights of an import, and raises ValueError where they are not in what came."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ZIP_TYPES:
        return partial(unpack, await read_body(request))
    if kind == ONNX_TYPE:
        return partial(convert_onnx, await read_body(request))
    if kind != FORM:
        raise RequestError(
            415,
            "expected a body of {zip_types}, {onnx_type} or {form}; got {kind}",
            zip_types=ZIP_TYPES[0],
            onnx_type=ONNX_TYPE,
            form=FORM,
            kind=repr(kind[:80]),
        )
    async with read_form(request) as form:
        uploads = {name: file for name, file in form.items() if isinstance(file, UploadFile)}
        files = {name: await file.read() for name, file in uploads.items()}
    if set(files) == {"file"}:
        is_onnx = PurePath(uploads["file"].filename or "").suffix.lower() == ONNX_ENDING
        return partial(convert_onnx if is_onnx else unpack, files["file"])
    if set(files) == {"weights", "card"}:
        return lambda: (files["card"], files["weights"])
    came = ", ".join(sorted(name[:40] for name in files))[:200] or "none"
    raise RequestError(422, "expected a file in the field file, or two in weights and card; got {got}", got=came)


def _summary(model: StoredModel) -> dict[str, Any]:
    card = model.card
    if card is None:
        return {"name": model.name, "available": False, "reason": model.reason, "bytes": model.bytes}
    return {
        "name": model.name,
        "available": True,
        "reason": None,
        "bytes": model.bytes,
        "network": _outline(card.network),
        **card.model_dump(
            include={
                "labels",
                "parameters",
                "metrics",
                "recipe",
                "dataset",
                "created",
                "shipped",
                "run",
                "seed",
                "software",
                "mine",
                "robustness",
                "seeds",
            }
        ),
    }


def _outline(network: dict[str, Any]) -> str:
    """The network's sizes from input to output: "784 → 256 → 10"."""
    inputs = 1
    for size in network["input_shape"]:
        inputs *= size
    units = [layer["units"] for layer in network["layers"] if "units" in layer]
    return " → ".join(map(str, [inputs, *units]))
