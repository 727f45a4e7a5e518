"""How good a model is: the confusion matrix, the worst mistakes, the calibration, and the user's own drawings."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from app.errors import RequestError, message_of
from app.models.evaluation import LabelMismatchError, StoppedError
from app.web.api.datasets import load
from app.web.api.images import encoded
from app.web.api.runs import LARGEST, RunId
from app.web.dependencies import AppState, State
from app.web.errors import Error

router = APIRouter(prefix="/api", tags=["judgement"])

MOST_DIGITS = 500
_ERRORS: dict[int | str, dict[str, Any]] = {404: {"model": Error}, 409: {"model": Error}, 422: {"model": Error}}

SplitName = Literal["train", "test"]
LabelText = Annotated[str, Query(min_length=1, max_length=64)]
DatasetName = Annotated[str | None, Query(max_length=200)]
Offset = Annotated[int, Query(ge=0, le=LARGEST)]
Limit = Annotated[int, Query(ge=1, le=MOST_DIGITS)]


@router.get("/runs/{run}/judgement", responses=_ERRORS)
async def run_judgement(state: State, run: RunId, split: SplitName = "test") -> dict[str, Any]:
    """How good the model of a run is on the run's data set; 409 where it has saved none."""
    return await _judgement(state, *await _of_run(state, run), split)


@router.get("/runs/{run}/judgement/cell", responses=_ERRORS)
async def run_cell(
    state: State,
    run: RunId,
    truth: LabelText,
    said: LabelText,
    split: SplitName = "test",
    offset: Offset = 0,
    limit: Limit = 60,
) -> dict[str, Any]:
    """The images of one label that were taken for another: what is behind a cell of the confusion matrix."""
    return await _cell(state, *await _of_run(state, run), split, truth, said, offset, limit)


@router.get("/models/{name}/judgement", responses=_ERRORS)
async def model_judgement(
    state: State, name: str, dataset: DatasetName = None, split: SplitName = "test"
) -> dict[str, Any]:
    """How good a model is on a data set; that which it was trained on, unless another is named."""
    return await _judgement(state, name, dataset, split)


@router.get("/models/{name}/judgement/cell", responses=_ERRORS)
async def model_cell(
    state: State,
    name: str,
    truth: LabelText,
    said: LabelText,
    dataset: DatasetName = None,
    split: SplitName = "test",
    offset: Offset = 0,
    limit: Limit = 60,
) -> dict[str, Any]:
    """The images of one label that a model takes for another."""
    return await _cell(state, name, dataset, split, truth, said, offset, limit)


async def _of_run(state: AppState, run: int) -> tuple[str, str]:
    """The model of a run, and its data set."""

    def find() -> tuple[str, str]:
        row = state.log.run(run)
        if row["model"] is None:
            raise RequestError(409, "run {run} has saved no model yet: it is {row}", run=run, row=row["state"])
        return row["model"], row["config"]["dataset"]

    return await run_in_threadpool(find)


async def _judgement(state: AppState, name: str, dataset: str | None, split: SplitName) -> dict[str, Any]:
    def work() -> dict[str, Any]:
        found, yours = _checked(lambda: state.evaluator.judgement(name, _dataset(state, name, dataset), split))
        if found["yours"] is not None:
            for drawing, image in zip(found["yours"]["drawings"], yours.images, strict=True):
                del drawing["index"]
                drawing["pixels"] = encoded(image)
        answer: dict[str, Any] = found
        return answer

    return await state.job_queue.run(("judgement", name, dataset, split), work)


async def _cell(
    state: AppState, name: str, dataset: str | None, split: SplitName, truth: str, said: str, offset: int, limit: int
) -> dict[str, Any]:
    def work() -> dict[str, Any]:
        data = _dataset(state, name, dataset)
        total, digits = _checked(
            lambda: state.evaluator.confusion_examples(name, data, split, truth, said, offset, limit)
        )
        images = (data.train if split == "train" else data.test).images
        return {
            "total": total,
            "digits": [
                {
                    "index": digit["index"],
                    "label": digit["truth"],
                    "said": digit["said"],
                    "probability": digit["probability"],
                    "pixels": encoded(images[digit["index"]]),
                }
                for digit in digits
            ],
        }

    return await state.job_queue.run(("cell", name, dataset, split, truth, said, offset, limit), work)


def _dataset(state: AppState, name: str, dataset: str | None) -> Any:
    return load(state, state.store.get(name).dataset if dataset is None else dataset)


def _checked(work: Any) -> Any:
    try:
        return work()
    except StoppedError:
        raise RequestError(
            503, "the server is shutting down; try again when it is back", headers={"retry-after": "2"}
        ) from None
    except LabelMismatchError as error:
        raise RequestError(409, message_of(error)) from None
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None
