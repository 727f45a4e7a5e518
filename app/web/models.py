"""The model store over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse

from app.models import ModelCard, ModelStore, StoredModel
from app.models.package import check, pack, unpack
from app.models.store import CARD, WEIGHTS, NameTakenError
from app.nn import shown
from app.web.bodies import read_body, read_form, read_json
from app.web.errors import Error
from app.web.state import State

router = APIRouter(prefix="/api/models", tags=["models"])

FILES = {"safetensors": ("model.safetensors", "application/octet-stream"), "card": ("model.json", "application/json")}
ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
FORM = "multipart/form-data"
_BINARY = {"type": "string", "format": "binary"}
_IMPORT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            ZIP_TYPES[0]: {"schema": _BINARY},
            FORM: {"schema": {"type": "object", "properties": dict.fromkeys(("file", "weights", "card"), _BINARY)}},
        },
    }
}

_RENAME: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": False,
                    "properties": {"name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"}},
                }
            }
        },
    }
}


def summaries(store: ModelStore) -> dict[str, Any]:
    """All models, and which is the default."""
    models = store.list()
    return {"models": [_summary(model) for model in models], "default": store.default(models)}


@router.get("")
def models(state: State) -> dict[str, Any]:
    """All models, the damaged ones with the reason."""
    return summaries(state.store)


@router.post("", status_code=201, openapi_extra=_IMPORT, responses={415: {"model": Error}})
async def take_in(request: Request, state: State) -> ModelCard:
    """Import a model: the zip that a download gives, by itself or as the field `file` of a form, or a form with the
    safetensors file as `weights` and the card as `card`. It keeps its name, or gets "-2" behind it where that is taken.
    """
    card, weights = await _model_files(request)

    def keep() -> ModelCard:
        try:
            package = check(*(unpack(weights) if card is None else (card, weights)))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return state.store.save(package.card, package.network, arrays=package.arrays)

    return await run_in_threadpool(keep)


@router.get("/{name}")
def model(state: State, name: str) -> ModelCard:
    """A model's card."""
    return state.store.get(name)


@router.get("/{name}/download")
def download(
    state: State,
    name: str,
    file: Annotated[Literal["safetensors", "card", "zip"], Query(alias="format")] = "safetensors",
) -> Response:
    """A model's weights, its card, or a zip of both, which `POST /api/models` takes."""
    state.store.get(name)
    if file == "zip":
        content = pack(state.store.path(name, CARD).read_bytes(), state.store.path(name, WEIGHTS).read_bytes())
        headers = {"content-disposition": f'attachment; filename="{name}.zip"'}
        return Response(content, media_type=ZIP_TYPES[0], headers=headers)
    stored, media_type = FILES[file]
    filename = f"{name}.{stored.rpartition('.')[2]}"
    return FileResponse(state.store.path(name, stored), media_type=media_type, filename=filename)


@router.post("/{name}/default")
def choose(state: State, name: str) -> dict[str, Any]:
    """Make a model the default."""
    state.store.set_default(name)
    return {"default": state.store.default()}


@router.post("/{name}/rename", openapi_extra=_RENAME, responses={409: {"model": Error}, 422: {"model": Error}})
async def rename(request: Request, state: State, name: str) -> ModelCard:
    """Give a model another name; if it was the default it stays that, and runs name it by its new name."""
    body = await read_json(request)
    new = body.get("name") if isinstance(body, dict) and set(body) == {"name"} else None
    if not isinstance(new, str):
        raise HTTPException(422, f"expected an object with the new name as name; got {shown(body)}")

    def give() -> ModelCard:
        try:
            card = state.store.rename(name, new)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        except NameTakenError as error:
            raise HTTPException(409, str(error)) from None
        state.log.rename_model(name, new)
        return card

    return await run_in_threadpool(give)


@router.delete("/{name}", status_code=204)
def delete(state: State, name: str) -> Response:
    """Remove a model; the one that ships with digitpad stays."""
    state.store.delete(name)
    return Response(status_code=204)


async def _model_files(request: Request) -> tuple[bytes | None, bytes]:
    """The card and the weights of an import; the card is None where the second is a zip of both."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ZIP_TYPES:
        return None, await read_body(request)
    if kind != FORM:
        raise HTTPException(415, f"expected a body of {ZIP_TYPES[0]} or {FORM}; got {kind[:80]!r}")
    async with read_form(request) as form:
        files = {name: await file.read() for name, file in form.items() if isinstance(file, UploadFile)}
    if set(files) == {"file"}:
        return None, files["file"]
    if set(files) == {"weights", "card"}:
        return files["card"], files["weights"]
    came = ", ".join(sorted(name[:40] for name in files))[:200] or "none"
    raise HTTPException(422, f"expected a file in the field file, or two in weights and card; got {came}")


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
