"""The services behind the routes, and the dependencies by which a route asks for the one that it needs."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.drawings.store import DrawingStore
from app.data.images.store import ImageSetStore
from app.learn.experiments.small_trainings import SmallTrainingCache
from app.models import ModelStore, Predictors
from app.models.evaluation import Evaluator
from app.models.image_map import ImageMaps
from app.models.nearest_images import NearestImages
from app.runs.estimate.estimator import Estimator
from app.runs.log.event_log import EventLog
from app.runs.log.subscriber import Broadcaster
from app.runs.service import RunService
from app.runs.supervisor import Supervisor
from app.runs.tracking.follower import Tracking
from app.runs.training.checkpoints import Checkpoints
from app.runs.trajectory.race_plane import RacePlanes
from app.runs.trajectory.trajectories import Trajectories
from app.settings import Settings
from app.web.departures import RequestJobs
from app.web.drawing_sets_watch import DrawingSetsWatch
from app.web.invitations import Invitations
from app.web.job_queue import JobQueue
from app.web.middleware.authentication import WrongTokens
from app.web.middleware.limits import Capacity
from app.web.preparation_threads import PreparationThreads
from app.web.prometheus.counters import Counters


@dataclass(frozen=True, kw_only=True)
class AppState:
    """The services, made when the app starts."""

    settings: Settings
    log: EventLog
    supervisor: Supervisor
    run_service: RunService
    broadcaster: Broadcaster
    store: ModelStore
    predictors: Predictors
    drawings: DrawingStore
    drawing_sets_watch: DrawingSetsWatch
    invitations: Invitations
    wrong_codes: WrongTokens
    """Apart from the gate's, so that a class that mistypes does not hold up the owner."""
    images: ImageSetStore
    catalog: DatasetCatalog
    datasets: DatasetCache
    checkpoints: Checkpoints
    trajectories: Trajectories
    race_planes: RacePlanes
    job_queue: JobQueue
    long_queue: JobQueue
    """For evaluations that take minutes, so that the others do not wait for them."""
    preparation: PreparationThreads
    estimator: Estimator
    evaluator: Evaluator
    nearest_images: NearestImages
    image_maps: ImageMaps
    capacity: Capacity
    counters: Counters | None
    tracking: Tracking
    small_trainings: SmallTrainingCache
    """The results of the lessons' small trainings."""
    lessons_queue: JobQueue
    """Apart from `job_queue`, where an evaluation may take seconds."""


def app_state(connection: HTTPConnection) -> AppState:
    """Return the services of the app that this request or socket came to."""
    state: AppState = connection.app.state.services
    return state


def _service(name: str) -> Any:
    async def find(connection: HTTPConnection) -> Any:
        return getattr(app_state(connection), name)

    return Depends(find)


def _jobs(name: str) -> Any:
    async def find(request: Request) -> RequestJobs:
        return RequestJobs(request, getattr(app_state(request), name))

    return Depends(find)


SettingsDep = Annotated[Settings, _service("settings")]
LogDep = Annotated[EventLog, _service("log")]
SupervisorDep = Annotated[Supervisor, _service("supervisor")]
RunServiceDep = Annotated[RunService, _service("run_service")]
BroadcasterDep = Annotated[Broadcaster, _service("broadcaster")]
StoreDep = Annotated[ModelStore, _service("store")]
PredictorsDep = Annotated[Predictors, _service("predictors")]
DrawingsDep = Annotated[DrawingStore, _service("drawings")]
DrawingSetsWatchDep = Annotated[DrawingSetsWatch, _service("drawing_sets_watch")]
InvitationsDep = Annotated[Invitations, _service("invitations")]
WrongCodesDep = Annotated[WrongTokens, _service("wrong_codes")]
ImagesDep = Annotated[ImageSetStore, _service("images")]
CatalogDep = Annotated[DatasetCatalog, _service("catalog")]
DatasetsDep = Annotated[DatasetCache, _service("datasets")]
CheckpointsDep = Annotated[Checkpoints, _service("checkpoints")]
TrajectoriesDep = Annotated[Trajectories, _service("trajectories")]
RacePlanesDep = Annotated[RacePlanes, _service("race_planes")]
JobQueueDep = Annotated[RequestJobs, _jobs("job_queue")]
LongQueueDep = Annotated[RequestJobs, _jobs("long_queue")]
LessonsQueueDep = Annotated[RequestJobs, _jobs("lessons_queue")]
PreparationDep = Annotated[PreparationThreads, _service("preparation")]
EstimatorDep = Annotated[Estimator, _service("estimator")]
EvaluatorDep = Annotated[Evaluator, _service("evaluator")]
NearestImagesDep = Annotated[NearestImages, _service("nearest_images")]
ImageMapsDep = Annotated[ImageMaps, _service("image_maps")]
CapacityDep = Annotated[Capacity, _service("capacity")]
CountersDep = Annotated[Counters | None, _service("counters")]
TrackingDep = Annotated[Tracking, _service("tracking")]
SmallTrainingsDep = Annotated[SmallTrainingCache, _service("small_trainings")]
