"""What the routes work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.data.cache import LoadedDatasets
from app.data.drawings.store import DrawingStore
from app.models import ModelStore, Predictors
from app.models.evaluation import Judge
from app.runs.checkpoints import Checkpoints
from app.runs.commands import Commands
from app.runs.estimate import Estimator
from app.runs.log import Log
from app.runs.runner import Runner
from app.runs.tail import Tail
from app.runs.tracking import Tracking
from app.settings import Settings
from app.web.counting import Counters
from app.web.desk import Desk
from app.web.limits import Room


@dataclass(frozen=True)
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
    lab: Desk
    """For what the lessons compute: apart from the desk, on which a judgement may lie for seconds."""


def services(connection: HTTPConnection) -> Services:
    """The services of the app that this request or socket came to."""
    found: Services = connection.app.state.services
    return found


State = Annotated[Services, Depends(services)]
