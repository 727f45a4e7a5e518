"""The model store over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import FileResponse

from app.models import ModelCard, ModelStore, StoredModel
from app.web.state import State

router = APIRouter(prefix="/api/models", tags=["models"])

FILES = {"safetensors": ("model.safetensors", "application/octet-stream"), "card": ("model.json", "application/json")}


def summaries(store: ModelStore) -> dict[str, Any]:
    """All models, and which is the default."""
    models = store.list()
    return {"models": [_summary(model) for model in models], "default": store.default(models)}


@router.get("")
def models(state: State) -> dict[str, Any]:
    """All models, the damaged ones with the reason."""
    return summaries(state.store)


@router.get("/{name}")
def model(state: State, name: str) -> ModelCard:
    """A model's card."""
    return state.store.get(name)


@router.get("/{name}/download")
def download(
    state: State,
    name: str,
    file: Annotated[Literal["safetensors", "card"], Query(alias="format")] = "safetensors",
) -> Response:
    """A model's weights, or its card."""
    state.store.get(name)
    stored, media_type = FILES[file]
    filename = f"{name}.{stored.rpartition('.')[2]}"
    return FileResponse(state.store.path(name, stored), media_type=media_type, filename=filename)


@router.post("/{name}/default")
def choose(state: State, name: str) -> dict[str, Any]:
    """Make a model the default."""
    state.store.set_default(name)
    return {"default": state.store.default()}


@router.delete("/{name}", status_code=204)
def delete(state: State, name: str) -> Response:
    """Remove a model; the one that ships with digitpad stays."""
    state.store.delete(name)
    return Response(status_code=204)


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
            include={"labels", "parameters", "metrics", "recipe", "dataset", "created", "shipped", "run"}
        ),
    }


def _outline(network: dict[str, Any]) -> str:
    """The network's sizes from input to output: "784 → 256 → 10"."""
    inputs = 1
    for size in network["input_shape"]:
        inputs *= size
    units = [layer["units"] for layer in network["layers"] if "units" in layer]
    return " → ".join(map(str, [inputs, *units]))
