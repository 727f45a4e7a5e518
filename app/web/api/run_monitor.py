"""The views of a run beside its curves: the first layer's weights as images, the sheet of digits, what was kept on the
way, and the map of its test images."""

from base64 import b64encode
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query

from app.data.dataset import sample_per_label
from app.errors import RequestError
from app.nn import Network
from app.nn.statistics import first_patterns, layer_statistics, patterns
from app.runs.config.run_config import parse_config
from app.runs.limits import LARGEST_INT
from app.runs.training.data_version import began_with
from app.runs.training.first_layer import first_layer
from app.runs.training.monitor import layer_json, predict_samples, sample_inputs
from app.runs.trajectory.run_map import map_run, sets_of_run
from app.web.api.datasets import LabelledImage, labelled_image, load
from app.web.api.images import encoded
from app.web.api.routing import ApiRoute, ResponseBody, errors
from app.web.api.runs import RunId
from app.web.dependencies import (
    CatalogDep,
    CheckpointsDep,
    DatasetsDep,
    JobQueueDep,
    LogDep,
    StoreDep,
    TrajectoriesDep,
)

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


class TrajectoryMoment(ResponseBody):
    """A moment whose weights were kept: after `epoch` epochs and `batch` further ones of `batches`."""

    epoch: int
    batch: int
    batches: int


class TrajectoryMoments(ResponseBody):
    """The moments of a run whose weights were kept, in order: some of the first epoch, and after epochs."""

    moments: list[TrajectoryMoment]


class RunMoment(TrajectoryMoment):
    """The inside of a run at a moment: the first layer, or null where it does not look at pixels; `layers` and `sheet`
    as an `epoch` event has them, without the gradients."""

    first_layer: FirstLayerImages | None
    layers: list[dict[str, Any]]
    sheet: dict[str, Any] | None


class MapMoment(TrajectoryMoment):
    """Places of images at a moment, from −1 to 1: base64 of float32, little-endian, x and y in turn; the answers, and
    the shares of this moment's variance along x and y."""

    points: str
    said: list[int]
    variance: list[float]


class RunImageMap(ResponseBody):
    """Test images at the kept moments of a run, in one plane, that of the last one.

    `truth` and `said` are indices of `labels`, `images` is base64 of 784 bytes an image, 255 is ink.
    """

    dataset: str
    labels: list[str]
    truth: list[int]
    images: str
    moments: list[MapMoment]


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


@router.get("/{run}/moments", responses=errors(404))
def moments(log: LogDep, trajectories: TrajectoriesDep, run: RunId) -> TrajectoryMoments:
    """The moments of a run whose weights were kept; none of a run of an older version, or of a large network."""
    log.run(run)
    return TrajectoryMoments(moments=[TrajectoryMoment(**asdict(moment)) for moment in trajectories.moments(run)])


@router.get("/{run}/moments/{epoch}/{batch}", responses=errors(404, 409, 503))
async def moment_of_run(
    log: LogDep,
    trajectories: TrajectoriesDep,
    datasets: DatasetsDep,
    queue: JobQueueDep,
    run: RunId,
    epoch: Annotated[int, Path(ge=0, le=LARGEST_INT)],
    batch: Annotated[int, Path(ge=0, le=LARGEST_INT)],
    count: Annotated[int, Query(ge=1, le=MOST_UNITS)] = 32,
) -> RunMoment:
    """The inside of a run at a kept moment: the first `count` units of the first layer, weights, and sample digits."""

    def work() -> RunMoment:
        config = parse_config(log.run(run)["config"])
        found = next((one for one in trajectories.moments(run) if (one.epoch, one.batch) == (epoch, batch)), None)
        if found is None:
            raise RequestError(404, "the weights of run {run} at this moment were not kept", run=run)
        network = config.build_network()
        trajectories.load(run, found, network)
        sheet = None
        with suppress(RequestError):  # the set is gone meanwhile; the rest needs no images
            inputs = sample_inputs(load(datasets, config.dataset), network, config.input_scale)
            sheet = predict_samples(network, inputs) if len(inputs) else None
        return RunMoment(
            **asdict(found),
            first_layer=_first_layer_of(network, epoch, count),
            layers=[layer_json(layer) for layer in layer_statistics(network, {})],
            sheet=sheet,
        )

    return await queue.run(("moment", run, epoch, batch, count), work)


@router.get("/{run}/map", responses=errors(404, 409, 503))
async def run_map(
    log: LogDep,
    trajectories: TrajectoriesDep,
    catalog: CatalogDep,
    datasets: DatasetsDep,
    queue: JobQueueDep,
    run: RunId,
) -> RunImageMap:
    """Test images in the plane of the last hidden layer's two principal directions, at every kept moment of a run.

    404 where the network has no hidden layer, 409 where no weights were kept, or there are too few images.
    """

    def work() -> RunImageMap:
        config = parse_config(log.run(run)["config"])
        labels, sets = sets_of_run(log, run, config.dataset, catalog, datasets)
        found = map_run(
            trajectories, run, config.build_network(), labels=labels, sets=sets, input_scale=config.input_scale
        )
        return RunImageMap(
            dataset=" + ".join(found.sample.titles),
            labels=labels,
            truth=found.sample.labels.tolist(),
            images=b64encode(found.sample.images.tobytes()).decode(),
            moments=[
                MapMoment(
                    **asdict(one.moment),
                    points=b64encode(one.points.astype("<f4").tobytes()).decode(),
                    said=one.said.tolist(),
                    variance=list(one.variance),
                )
                for one in found.moments
            ],
        )

    return await queue.run(("run map", run), work)


def _first_layer_of(network: Network, epoch: int, count: int) -> FirstLayerImages | None:
    found = first_patterns(network)
    if found is None:
        return None
    name, shape = found
    shown = patterns(network.weights()[name], shape).astype(np.float64)
    return FirstLayerImages(
        epoch=epoch,
        type=network.layers[int(name.partition(".")[0])].type,
        shape=list(shape),
        units=len(shown),
        images=[_image(unit, pattern) for unit, pattern in enumerate(shown[:count])],
    )


def _image(unit: int, pattern: Any) -> WeightImage:
    high = float(np.abs(pattern).max())
    share = pattern / high if high else np.zeros_like(pattern)
    pixels = np.rint((share + 1) * 127.5).astype(np.uint8)
    return WeightImage(unit=unit, low=-high, high=high, pixels=encoded(pixels))
