"""What a recipe's augmentation does to digits."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.data import Split
from app.data.augmentation.augment import make_augmentation
from app.data.augmentation.preview import changed_digits
from app.data.drawings.rendered import DrawingRenderer
from app.data.sources.drawings import PREFIX
from app.errors import RequestError, message_of
from app.recipes import get_recipe
from app.runs.config.run_config import MOST_SEED
from app.web.api.datasets import LONGEST_NAME, load
from app.web.api.images import encoded
from app.web.dependencies import AppState, State
from app.web.errors import Error

router = APIRouter(prefix="/api", tags=["catalog"])

MOST_DIGITS, MOST_EPOCHS = 50, 20
LONGEST_SPEC = 2000
_ERRORS: dict[int | str, dict[str, Any]] = {404: {"model": Error}, 409: {"model": Error}, 422: {"model": Error}}


@router.get("/augmentation", responses=_ERRORS)
def augmentation(
    state: State,
    recipe: Annotated[str, Query(max_length=64)],
    seed: Annotated[int, Query(ge=0, le=MOST_SEED)] = 1,
    count: Annotated[int, Query(ge=1, le=MOST_DIGITS)] = 10,
    epochs: Annotated[int, Query(ge=1, le=MOST_EPOCHS)] = 6,
    spec: Annotated[str | None, Query(max_length=LONGEST_SPEC)] = None,
    dataset: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    set_name: Annotated[str | None, Query(alias="set", max_length=64)] = None,
) -> dict[str, Any]:
    """Training digits of a recipe's data set as they are, `before`, and as each of so many epochs has them, `after`.

    They are of `dataset`, where that is named, or drawings of the user's own, those of `set`.

    The seed chooses the digits and how they are changed. `spec`, an augmentation as JSON, stands in for the recipe's
    own, to try one out. `augmentation` is all its fields, or null where there is none; nothing is `after` then.
    """
    try:
        config = get_recipe(recipe).config
    except ValueError as error:
        raise RequestError(404, message_of(error)) from None
    try:
        made = make_augmentation(config.get("augmentation") if spec is None else json.loads(spec))
    except (json.JSONDecodeError, RecursionError):
        raise RequestError(422, "expected an augmentation as a JSON object", field="spec") from None
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None
    if set_name is not None and dataset is not None:
        raise RequestError(422, "expected no dataset with it", field="set")
    name, labels, split = _own(state, set_name) if set_name is not None else _of(state, dataset or config["dataset"])
    indices, after = changed_digits(split, made, seed=seed, count=count, epochs=epochs)
    return {
        "recipe": recipe,
        "dataset": name,
        "seed": seed,
        "augmentation": None if made is None else made.spec(),
        "digits": [
            {
                "index": index,
                "label": labels[int(split.labels[index])],
                "before": encoded(split.images[index]),
                "after": [encoded(image) for image in after[:, place]],
            }
            for place, index in enumerate(indices.tolist())
        ],
    }


def _of(state: AppState, name: str) -> tuple[str, tuple[str, ...], Split]:
    """A data set's name, its labels and its training images."""
    dataset = load(state, name)
    return dataset.name, dataset.labels, dataset.train


def _own(state: AppState, set_name: str) -> tuple[str, tuple[str, ...], Split]:
    """The same of the newest drawings of a set, each as it was drawn."""
    try:
        labels = tuple(state.drawings.find_set(set_name).labels)
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None
    yours = DrawingRenderer(state.drawings).get(labels, sets=[set_name])
    if not len(yours):
        raise RequestError(404, "there are no drawings in the set {set_name}", set_name=set_name)
    return f"{PREFIX}{set_name}", labels, Split(yours.images, yours.labels)
