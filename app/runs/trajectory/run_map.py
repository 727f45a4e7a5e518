"""The map of a run: the same test images at every kept moment, in one plane, so that they travel.

The plane is that of the last moment: the two principal directions (Pearson 1901) of the last hidden layer's outputs, as
in the map of a model. At every moment the outputs, less their mean, are projected onto these two directions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data import Dataset
from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import DatasetUnavailable
from app.errors import MessageError, message_of
from app.models.cost import TooLargeError
from app.models.image_map import LEAST_IMAGES, images_for_map, principal_directions
from app.models.image_samples import LabelledImages, affordable_images, features_of, sets_at_hand
from app.nn import Network
from app.nn.arrays import Array
from app.runs.log.event_log import EventLog
from app.runs.training.data_version import trained_labels
from app.runs.trajectory.trajectories import Moment, NoTrajectoryError, Trajectories

MOST_IMAGES = 600


class NoHiddenLayerError(MessageError):
    """The run's network has no hidden layer whose outputs could be mapped."""

    code = "no_patterns"


@dataclass(frozen=True, eq=False)
class MomentOfMap:
    """The places of the images at a moment, float32 (N, 2), and the answers (N,), as indices of labels.

    `variance` are the shares of the features' variance of this moment along the two directions.
    """

    moment: Moment
    points: Array
    said: NDArray[np.int64]
    variance: tuple[float, float]


@dataclass(frozen=True, eq=False)
class RunMap:
    """The images of a run's map, and their places at each moment; the largest coordinate of all is 1."""

    sample: LabelledImages
    moments: list[MomentOfMap]


def sets_of_run(
    log: EventLog, run: int, name: str, catalog: DatasetCatalog, datasets: DatasetCache
) -> tuple[list[str], list[Dataset]]:
    """The labels of a run's network, and the parts of its data set `name` that are on this machine.

    Raises DatasetUnavailable, also where the set has been deleted meanwhile.
    """
    try:
        sets = sets_at_hand(catalog, datasets, name)
        return trained_labels(log, run) or list(catalog.info(name).labels), sets
    except ValueError as unknown:
        raise DatasetUnavailable(message_of(unknown)) from None


def map_run(
    trajectories: Trajectories,
    run: int,
    network: Network,
    *,
    labels: list[str],
    sets: list[Dataset],
    input_scale: float,
) -> RunMap:
    """The map of a run whose network is built as `network`, on test images of `sets`.

    Raises NoHiddenLayerError, NoTrajectoryError, TooLargeError, and DatasetUnavailable if there are too few images.
    """
    if not network.has_hidden_layer:
        raise NoHiddenLayerError("the network of run {run} has no hidden layer, so there is no map of it", run=run)
    moments = trajectories.moments(run)
    if len(moments) < 2:
        raise NoTrajectoryError("the weights of run {run} along its training were not kept", run=run)
    most = affordable_images(network, MOST_IMAGES * len(moments)) // len(moments)
    if most < LEAST_IMAGES:
        raise TooLargeError("the network of run {run} is too large for a map of its images", run=run)
    sample = images_for_map(labels, sets, most)
    directions: Array | None = None
    found = []
    for moment in reversed(moments):
        trajectories.load(run, moment, network)
        features, said = features_of(network, input_scale, sample.images)
        centred = (features - features.mean(axis=0)).astype(np.float64)
        if directions is None:
            directions, _ = principal_directions(centred)
        points = centred @ directions
        total = max(float((centred**2).sum()), np.finfo(float).tiny)
        shares = (float((points[:, 0] ** 2).sum()) / total, float((points[:, 1] ** 2).sum()) / total)
        found.append(MomentOfMap(moment, points, said, shares))
    scale = max(float(np.abs(one.points).max()) for one in found) or 1.0
    scaled = [MomentOfMap(one.moment, (one.points / scale).astype(np.float32), one.said, one.variance) for one in found]
    return RunMap(sample, scaled[::-1])
