"""What one watches beside the curves: the first layer's weights as images, and the sheet of digits."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from app.data.dataset import sample_per_label
from app.errors import RequestError, message_of
from app.runs.training.data_version import began_with
from app.runs.training.first_layer import NoPatternsError, NothingYetError, first_layer
from app.web.api.datasets import load
from app.web.api.images import encoded
from app.web.api.runs import RunId
from app.web.dependencies import State
from app.web.errors import Error

router = APIRouter(prefix="/api/runs", tags=["runs"])

MOST_UNITS = 256
_ERRORS: dict[int | str, dict[str, Any]] = {404: {"model": Error}, 409: {"model": Error}}


@router.get("/{run}/first-layer", responses=_ERRORS)
async def first(state: State, run: RunId, count: Annotated[int, Query(ge=1, le=MOST_UNITS)] = 32) -> dict[str, Any]:
    """The weights of the first `count` units of the first layer as images, from the latest checkpoint or the model.

    A pixel is `low` at 0 and `high` at 255; `low` is −`high`, so that a weight of zero is in the middle. 404 where the
    first layer does not look at pixels, 409 where the run has no weights yet.
    """
    try:
        found = await run_in_threadpool(first_layer, state.log, state.checkpoints, state.store, run)
    except NoPatternsError as error:
        raise RequestError(404, message_of(error)) from None
    except NothingYetError as error:
        raise RequestError(409, message_of(error)) from None
    return {
        "epoch": found.epoch,
        "type": found.type,
        "shape": list(found.shape),
        "units": len(found.patterns),
        "images": [_image(unit, pattern) for unit, pattern in enumerate(found.patterns[:count])],
    }


@router.get("/{run}/sheet", responses=_ERRORS)
async def sample_digits(state: State, run: RunId) -> dict[str, Any]:
    """The test digits whose reading each `epoch` event has in its `sheet`, in the same order."""

    def work() -> dict[str, Any]:
        dataset = load(state, state.log.run(run)["config"]["dataset"])
        began = began_with(state.log, run)
        if began is not None and began != dataset.version:
            raise RequestError(
                409, "the drawings of {title} have changed since run {run} was trained", title=dataset.title, run=run
            )
        test = dataset.test
        return {
            "labels": list(dataset.labels),
            "digits": [
                {
                    "index": index,
                    "label": dataset.labels[int(test.labels[index])],
                    "pixels": encoded(test.images[index]),
                }
                for index in sample_per_label(test.labels, len(dataset.labels)).tolist()
            ],
        }

    return await state.job_queue.run(("sheet", run), work)


def _image(unit: int, pattern: Any) -> dict[str, Any]:
    high = float(np.abs(pattern).max())
    share = pattern / high if high else np.zeros_like(pattern)
    pixels = np.rint((share + 1) * 127.5).astype(np.uint8)
    return {"unit": unit, "low": -high, "high": high, "pixels": encoded(pixels)}
