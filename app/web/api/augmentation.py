"""A preview of an augmentation: digits before and after."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.data import Split
from app.data.augmentation.augment import make_augmentation
from app.data.augmentation.preview import changed_digits
from app.data.drawings.rendered import DrawingRenderer
from app.data.drawings.store import DrawingStore
from app.data.sources.drawings import PREFIX
from app.errors import RequestError, message_of
from app.recipes import get_recipe
from app.runs.config.run_config import MOST_SEED
from app.web.api.datasets import LONGEST_NAME, load
from app.web.api.images import encoded
from app.web.api.routing import ApiRoute, ResponseBody, errors
from app.web.dependencies import DatasetsDep, DrawingsDep

router = APIRouter(prefix="/api", tags=["catalog"], route_class=ApiRoute)

MOST_DIGITS, MOST_EPOCHS = 50, 20
LONGEST_SPEC = 2000


class AugmentedImage(ResponseBody):
    """A training image as it is, `before`, and as each epoch has it, `after`: base64 of 784 bytes, 255 is ink."""

    index: int
    label: str
    before: str
    after: list[str]


class AugmentationPreview(ResponseBody):
    """`augmentation` is all its fields, or null where there is none; nothing is `after` then."""

    recipe: str
    dataset: str
    seed: int
    augmentation: dict[str, Any] | None
    digits: list[AugmentedImage]


@router.get("/augmentation", responses=errors(404, 409, 422))
def augmentation(
    datasets: DatasetsDep,
    drawings: DrawingsDep,
    recipe: Annotated[str, Query(max_length=64)],
    seed: Annotated[int, Query(ge=0, le=MOST_SEED)] = 1,
    count: Annotated[int, Query(ge=1, le=MOST_DIGITS)] = 10,
    epochs: Annotated[int, Query(ge=1, le=MOST_EPOCHS)] = 6,
    spec: Annotated[str | None, Query(max_length=LONGEST_SPEC)] = None,
    dataset: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    set_name: Annotated[str | None, Query(alias="set", max_length=64)] = None,
) -> AugmentationPreview:
    """Training images of a recipe's data set, of `dataset` or of the user's drawings in `set`, before and after.

    The seed chooses the images and how they are changed. `spec`, an augmentation as JSON, replaces the recipe's.
    """
    try:
        config = get_recipe(recipe).config
    except ValueError as error:
        raise RequestError(404, message_of(error)) from None
    try:
        made = make_augmentation(config.get("augmentation") if spec is None else json.loads(spec))
    except (json.JSONDecodeError, RecursionError):
        raise RequestError(422, "expected an augmentation as a JSON object", field="spec") from None
    if set_name is not None and dataset is not None:
        raise RequestError(422, "expected no dataset with it", field="set")
    if set_name is None:
        loaded = load(datasets, dataset or config["dataset"], look=True)
        name, labels, split = loaded.name, loaded.labels, loaded.train
    else:
        name, labels, split = _newest_drawings(drawings, set_name)
    indices, after = changed_digits(split, made, seed=seed, count=count, epochs=epochs)
    return AugmentationPreview(
        recipe=recipe,
        dataset=name,
        seed=seed,
        augmentation=None if made is None else made.spec(),
        digits=[
            AugmentedImage(
                index=index,
                label=labels[int(split.labels[index])],
                before=encoded(split.images[index]),
                after=[encoded(image) for image in after[:, place]],
            )
            for place, index in enumerate(indices.tolist())
        ],
    )


def _newest_drawings(store: DrawingStore, set_name: str) -> tuple[str, tuple[str, ...], Split]:
    """Return the name, the labels and the newest drawings of a set, each as it was drawn."""
    labels = tuple(store.find_set(set_name).labels)
    rendered = DrawingRenderer(store).get(labels, sets=[set_name])
    if not len(rendered):
        raise RequestError(404, "there are no drawings in the set {set_name}", set_name=set_name)
    return f"{PREFIX}{set_name}", labels, Split(rendered.images, rendered.labels)
