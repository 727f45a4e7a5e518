"""What the routes work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.data.cache import LoadedDatasets
from app.data.drawings.store import DrawingStore
from app.learn.experiments.small_trainings import Kept
from app.models import ModelStore, Predictors
from app.models.evaluation import Judge
from app.runs.estimate.estimator import Estimator
from app.runs.log.event_log import Log
from app.runs.log.subscriber import Tail
from app.runs.service import Commands
from app.runs.supervisor import Runner
from app.runs.tracking.follower import Tracking
from app.runs.training.checkpoints import Checkpoints
from app.settings import Settings
from app.web.job_queue import Desk
from app.web.metrics.counters import Counters
from app.web.middleware.limits import Room


@dataclass(frozen=True, kw_only=True)
class Services:
    """The rooms behind the routes, made when the app starts."""

    settings: Settings
    log: Log
    runner: Runner
    commands: Commands
    tail: Tail
    store: ModelStore
    predictors: Predictors
    drawings: DrawingStore
    datasets: LoadedDatasets
    checkpoints: Checkpoints
    desk: Desk
    estimator: Estimator
    judge: Judge
    room: Room
    counters: Counters | None
    tracking: Tracking
    trials: Kept
    """The small trainings of the lessons that were computed already."""
    lab: Desk
    """For what the lessons compute: apart from the desk, on which a judgement may lie for seconds."""


def services(connection: HTTPConnection) -> Services:
    """The services of the app that this request or socket came to."""
    found: Services = connection.app.state.services
    return found


State = Annotated[Services, Depends(services)]
