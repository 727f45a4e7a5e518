"""The views of a run beside its curves: the first layer's weights as images, and the sheet of digits."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from app.data.dataset import sample_per_label
from app.errors import RequestError
from app.runs.training.data_version import began_with
from app.runs.training.first_layer import first_layer
from app.web.api.datasets import LabelledImage, labelled_image, load
from app.web.api.images import encoded
from app.web.api.routing import ApiRoute, ResponseBody, errors
from app.web.api.runs import RunId
from app.web.dependencies import CheckpointsDep, DatasetsDep, JobQueueDep, LogDep, StoreDep

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=ApiRoute)

MOST_UNITS = 256


class WeightImage(ResponseBody):
    """The weights of a unit: base64 of a byte for each, `low` at 0 and `high` at 255."""

    unit: int
    low: float
    high: float
    pixels: str


class FirstLayerImages(ResponseBody):
    """The first layer's `shape` of an image, how many `units` it has, and the images of the first of them."""

    epoch: int | None
    type: str
    shape: list[int]
    units: int
    images: list[WeightImage]


class SampleDigits(ResponseBody):
    """Some test images of each label."""

    labels: list[str]
    digits: list[LabelledImage]


@router.get("/{run}/first-layer", responses=errors(404, 409))
def first(
    log: LogDep,
    checkpoints: CheckpointsDep,
    store: StoreDep,
    run: RunId,
    count: Annotated[int, Query(ge=1, le=MOST_UNITS)] = 32,
) -> FirstLayerImages:
    """The weights of the first `count` units of the first layer as images, from the latest checkpoint or the model.

    A pixel is `low` at 0 and `high` at 255; `low` is −`high`, so that a weight of zero is in the middle. 404 where the
    first layer does not look at pixels, 409 where the run has no weights yet.
    """
    found = first_layer(log, checkpoints, store, run)
    return FirstLayerImages(
        epoch=found.epoch,
        type=found.type,
        shape=list(found.shape),
        units=len(found.patterns),
        images=[_image(unit, pattern) for unit, pattern in enumerate(found.patterns[:count])],
    )


@router.get("/{run}/sheet", responses=errors(404, 409, 503))
async def sample_digits(log: LogDep, datasets: DatasetsDep, queue: JobQueueDep, run: RunId) -> SampleDigits:
    """The test images whose predictions each `epoch` event has in its `sheet`, in the same order."""

    def work() -> SampleDigits:
        dataset = load(datasets, log.run(run)["config"]["dataset"])
        began = began_with(log, run)
        if began is not None and began != dataset.version:
            raise RequestError(
                409, "the drawings of {title} have changed since run {run} was trained", title=dataset.title, run=run
            )
        test = dataset.test
        indices = sample_per_label(test.labels, len(dataset.labels)).tolist()
        digits = [labelled_image(test, index, dataset.labels) for index in indices]
        return SampleDigits(labels=list(dataset.labels), digits=digits)

    return await queue.run(("sheet", run), work)


def _image(unit: int, pattern: Any) -> WeightImage:
    high = float(np.abs(pattern).max())
    share = pattern / high if high else np.zeros_like(pattern)
    pixels = np.rint((share + 1) * 127.5).astype(np.uint8)
    return WeightImage(unit=unit, low=-high, high=high, pixels=encoded(pixels))
