"""What the routes work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.data.cache import DatasetCache
from app.data.drawings.store import DrawingStore
from app.learn.experiments.small_trainings import TrialCache
from app.models import ModelStore, Predictors
from app.models.evaluation import Evaluator
from app.runs.estimate.estimator import Estimator
from app.runs.log.event_log import EventLog
from app.runs.log.subscriber import Broadcaster
from app.runs.service import RunService
from app.runs.supervisor import Supervisor
from app.runs.tracking.follower import Tracking
from app.runs.training.checkpoints import Checkpoints
from app.settings import Settings
from app.web.job_queue import JobQueue
from app.web.metrics.counters import Counters
from app.web.middleware.limits import Capacity


@dataclass(frozen=True, kw_only=True)
class AppState:
    """The rooms behind the routes, made when the app starts."""

    settings: Settings
    log: EventLog
    supervisor: Supervisor
    run_service: RunService
    broadcaster: Broadcaster
    store: ModelStore
    predictors: Predictors
    drawings: DrawingStore
    datasets: DatasetCache
    checkpoints: Checkpoints
    job_queue: JobQueue
    estimator: Estimator
    evaluator: Evaluator
    capacity: Capacity
    counters: Counters | None
    tracking: Tracking
    trials: TrialCache
    """The small trainings of the lessons that were computed already."""
    lessons_queue: JobQueue
    """For what the lessons compute: apart from the desk, on which a judgement may lie for seconds."""


def services(connection: HTTPConnection) -> AppState:
    """The services of the app that this request or socket came to."""
    found: AppState = connection.app.state.services
    return found


State = Annotated[AppState, Depends(services)]
