"""The loss in a plane around the paths of a race's runs."""

import math
import threading
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path

from app.runs.limits import LARGEST_INT
from app.web.api.routing import ApiRoute, ResponseBody, errors
from app.web.dependencies import LongQueueDep, RacePlanesDep

router = APIRouter(prefix="/api/races", tags=["runs"], route_class=ApiRoute)


class PathPoint(ResponseBody):
    """A run's weights after `epoch` epochs and `batch` further batches of `batches`: their place in the plane, and the
    loss that they have, null if it is infinite."""

    epoch: int
    batch: int
    batches: int
    x: float
    y: float
    loss: float | None


class RunPath(ResponseBody):
    """The path of a run, in order."""

    run: int
    points: list[PathPoint]


class RaceLossPlane(ResponseBody):
    """Losses, a row for each of `y` and a column for each of `x`, null where infinite: the mean of as many training
    `images` of the data set, without weight decay. `variance` are the shares of the weights' variance along x and y."""

    dataset: str
    images: int
    x: list[float]
    y: list[float]
    losses: list[list[float | None]]
    variance: list[float]
    runs: list[RunPath]


@router.get("/{race}/plane", responses=errors(409, 503))
async def plane(
    planes: RacePlanesDep, queue: LongQueueDep, race: Annotated[int, Path(ge=1, le=LARGEST_INT)]
) -> RaceLossPlane:
    """The loss around the paths of a race's runs, in the plane in which their weights vary most.

    It is measured at the first question, for up to half a minute, and kept. 409 where the race has not ended, or its
    runs have no common plane.
    """
    stop = threading.Event()

    def work() -> RaceLossPlane:
        found = planes.get(race, stop.is_set)
        places = iter(zip(found.plane.points.tolist(), found.plane.measured.tolist(), strict=True))
        paths = []
        for run, moments in found.runs:
            points = []
            for moment in moments:
                (x, y), loss = next(places)
                points.append(PathPoint(**asdict(moment), x=x, y=y, loss=_finite(loss)))
            paths.append(RunPath(run=run, points=points))
        return RaceLossPlane(
            dataset=found.dataset,
            images=found.images,
            x=found.plane.x.tolist(),
            y=found.plane.y.tolist(),
            losses=[[_finite(loss) for loss in row] for row in found.plane.losses.tolist()],
            variance=found.plane.variance.tolist(),
            runs=paths,
        )

    return await queue.run(("plane", race), work, stop)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
