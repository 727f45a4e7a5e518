"""Evaluations of models: the confusion matrix, the worst mistakes, the calibration, and the user's drawings."""

import threading
from base64 import b64encode
from collections.abc import Callable, Hashable
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from app.errors import RequestError
from app.models.cost import TooLargeError
from app.models.evaluation import LARGEST_EVALUATION, Stop
from app.runs.limits import LARGEST_INT
from app.web.api.datasets import LONGEST_NAME, MOST_DIGITS, load
from app.web.api.images import encoded
from app.web.api.predict import prepare_one
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.api.runs import RunId
from app.web.dependencies import (
    DatasetsDep,
    EvaluatorDep,
    ImageMapsDep,
    JobQueueDep,
    LessonsQueueDep,
    LogDep,
    LongQueueDep,
    StoreDep,
)

router = APIRouter(prefix="/api", tags=["evaluation"], route_class=ApiRoute)

T = TypeVar("T")

SHORT_EVALUATION = 100_000_000_000
"""The most multiplications of an evaluation for which others wait: some seconds."""

SplitName = Literal["train", "test"]
DatasetName = Annotated[str | None, Query(max_length=LONGEST_NAME)]


class CellQuery(BaseModel):
    """A cell of the confusion matrix, and which of its images."""

    truth: Annotated[str, Query(min_length=1, max_length=64)]
    said: Annotated[str, Query(min_length=1, max_length=64)]
    split: SplitName = "test"
    offset: Annotated[int, Query(ge=0, le=LARGEST_INT)] = 0
    limit: Annotated[int, Query(ge=1, le=MOST_DIGITS)] = 60


class MisreadImage(ResponseBody):
    """An image that was taken for another label, with the confidence in that."""

    index: int
    truth: str
    said: str
    probability: float


class Bin(ResponseBody):
    """The predictions whose confidence is between `low` and `high`; null where there are none."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


class ReliabilityDiagram(ResponseBody):
    """Confidence beside accuracy, and the expected calibration error."""

    bins: list[Bin]
    ece: float


class ReadDrawing(ResponseBody):
    """A drawing of the user's, and the label that the model gave it."""

    id: str
    set: str
    truth: str
    said: str
    probability: float
    pixels: str


class DrawingsEvaluation(ResponseBody):
    """The evaluation of the user's drawings."""

    count: int
    accuracy: float
    confusion: list[list[int]]
    drawings: list[ReadDrawing]


class EvaluationReport(ResponseBody):
    """A model on a split of a data set; `confusion` has a row for each true label.

    `changed` says whether the set is another than when the model was trained.
    """

    model: str
    dataset: str
    split: SplitName
    changed: bool
    count: int
    labels: list[str]
    accuracy: float
    loss: float | None
    confusion: list[list[int]]
    precision: list[float | None]
    recall: list[float | None]
    calibration: ReliabilityDiagram
    mistakes: list[MisreadImage]
    yours: DrawingsEvaluation | None


class CellImage(ResponseBody):
    """An image of a cell, with the confidence in what the model said."""

    index: int
    label: str
    said: str
    probability: float
    pixels: str


class Cell(ResponseBody):
    """The number of images of one label that were taken for another, and some of them."""

    total: int
    digits: list[CellImage]


class ModelMap(ResponseBody):
    """Test images as points of a plane, from −1 to 1: base64 of float32, little-endian, x and y in turn.

    `truth` and `said` are indices of `labels`, `images` is base64 of 784 bytes an image, 255 is ink, and `variance` the
    shares of variance along x and y.
    """

    model: str
    dataset: str
    labels: list[str]
    points: str
    truth: list[int]
    said: list[int]
    images: str
    variance: list[float]


class DrawingToPlace(RequestBody):
    """A drawing as /predict takes it: `pixels`, `strokes` or `image`."""

    drawing: dict[str, Any]


class PlacedDrawing(ResponseBody):
    """A drawing's place on a model's map, the answer, and the indices of the images nearest to it."""

    x: float
    y: float
    said: str
    nearest: list[int]


Subject = tuple[str, str]
"""A model's name and a data set's."""


async def _run_model(log: LogDep, run: RunId) -> Subject:
    """Dependency: the model of a run, and its data set; 409 where it has saved none."""
    row = await run_in_threadpool(log.run, run)
    if row["model"] is None:
        raise RequestError(409, "run {run} has saved no model", run=run)
    return row["model"], row["config"]["dataset"]


async def _model(store: StoreDep, name: str, dataset: DatasetName = None) -> Subject:
    """Dependency: a model, and the data set that is named, or that it was trained on."""
    card = await run_in_threadpool(store.get, name)
    return name, card.dataset if dataset is None else dataset


class EvaluationJobs:
    """Dependency: evaluations, one at a time."""

    def __init__(
        self, evaluator: EvaluatorDep, datasets: DatasetsDep, queue: JobQueueDep, long_queue: LongQueueDep
    ) -> None:
        self._evaluator, self._datasets, self._queue, self._long_queue = evaluator, datasets, queue, long_queue

    async def _run(self, key: Hashable, work: Callable[[int, Stop], T]) -> T:
        """Return the result of `work`, which gets the most multiplications it may take, and ends when nobody waits."""
        stop = threading.Event()
        try:
            return await self._queue.run(key, lambda: work(SHORT_EVALUATION, stop.is_set), stop)
        except TooLargeError:
            stop = threading.Event()
            return await self._long_queue.run(key, lambda: work(LARGEST_EVALUATION, stop.is_set), stop)

    async def evaluate(self, subject: Subject, split: SplitName) -> dict[str, Any]:
        """Return an `EvaluationReport` as JSON."""
        name, dataset = subject

        def work(most: int, stop: Stop) -> dict[str, Any]:
            data = load(self._datasets, dataset)
            found, rendered = self._evaluator.evaluate(name, data, split, most=most, stop=stop)
            if found["yours"] is not None:
                for drawing, image in zip(found["yours"]["drawings"], rendered.images, strict=True):
                    del drawing["index"]
                    drawing["pixels"] = encoded(image)
            return found

        return await self._run(("judgement", name, dataset, split), work)

    async def cell(self, subject: Subject, cell: CellQuery) -> Cell:
        """Return some images of a cell of the confusion matrix."""
        name, dataset = subject

        def work(most: int, stop: Stop) -> Cell:
            data = load(self._datasets, dataset)
            total, digits = self._evaluator.confusion_examples(
                name, data, cell.split, cell.truth, cell.said, cell.offset, cell.limit, most=most, stop=stop
            )
            images = (data.train if cell.split == "train" else data.test).images
            return Cell(
                total=total,
                digits=[
                    CellImage(
                        index=digit["index"],
                        label=digit["truth"],
                        said=digit["said"],
                        probability=digit["probability"],
                        pixels=encoded(images[digit["index"]]),
                    )
                    for digit in digits
                ],
            )

        return await self._run(("cell", name, dataset, cell.model_dump_json()), work)


Jobs = Annotated[EvaluationJobs, Depends()]
RunSubject = Annotated[Subject, Depends(_run_model)]
ModelSubject = Annotated[Subject, Depends(_model)]


@router.get("/runs/{run}/judgement", response_model=EvaluationReport, responses=errors(404, 409, 422, 503))
async def run_evaluation(jobs: Jobs, subject: RunSubject, split: SplitName = "test") -> dict[str, Any]:
    """Evaluate the model of a run on the run's data set; 409 where it has saved none."""
    return await jobs.evaluate(subject, split)


@router.get("/models/{name}/judgement", response_model=EvaluationReport, responses=errors(404, 409, 422, 503))
async def model_evaluation(jobs: Jobs, subject: ModelSubject, split: SplitName = "test") -> dict[str, Any]:
    """Evaluate a model on a data set; that which it was trained on, unless another is named."""
    return await jobs.evaluate(subject, split)


@router.get("/runs/{run}/judgement/cell", responses=errors(404, 409, 422, 503))
async def run_cell(jobs: Jobs, subject: RunSubject, cell: Annotated[CellQuery, Query()]) -> Cell:
    """The images of one label that were taken for another: a cell of the confusion matrix."""
    return await jobs.cell(subject, cell)


@router.get("/models/{name}/judgement/cell", responses=errors(404, 409, 422, 503))
async def model_cell(jobs: Jobs, subject: ModelSubject, cell: Annotated[CellQuery, Query()]) -> Cell:
    """The images of one label that a model takes for another."""
    return await jobs.cell(subject, cell)


@router.get("/models/{name}/map", responses=errors(404, 409, 503))
async def model_map(maps: ImageMapsDep, queue: JobQueueDep, name: str) -> ModelMap:
    """A model's test images in the plane of the two directions in which its last hidden layer varies most."""

    def work() -> ModelMap:
        found = maps.get(name)
        return ModelMap(
            model=found.card.name,
            dataset=" + ".join(found.sample.titles),
            labels=list(found.card.labels),
            points=b64encode(found.points.astype("<f4").tobytes()).decode(),
            truth=found.sample.labels.tolist(),
            said=found.said.tolist(),
            images=b64encode(found.sample.images.tobytes()).decode(),
            variance=list(found.variance),
        )

    return await queue.run(("map", name), work)


@router.post("/models/{name}/map/place", responses=errors(404, 409, 422, 503))
async def place_on_map(maps: ImageMapsDep, queue: LessonsQueueDep, name: str, body: DrawingToPlace) -> PlacedDrawing:
    """A drawing's place on the map of a model, and the test images that the network takes for most like it."""

    def work() -> PlacedDrawing:
        found = maps.place(name, prepare_one(body.drawing).whole.pixels)
        return PlacedDrawing(x=found.x, y=found.y, said=found.said, nearest=found.nearest)

    return await queue.run(("place", name, sha256(body.model_dump_json().encode()).digest()), work)
