"""The web application, built from its settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import Route

from app import __version__
from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.drawings.rendered import DrawingRenderer
from app.data.drawings.store import DrawingStore
from app.data.images.store import ImageSetStore
from app.learn.experiments.small_trainings import SmallTrainingCache
from app.models import ModelStore, Predictors
from app.models.evaluation import Evaluator
from app.models.evaluation_cache import EvaluationCache
from app.models.evaluation_process import evaluate_apart
from app.models.image_map import ImageMaps
from app.models.nearest_images import NearestImages
from app.runs.config.run_config import RunConfig
from app.runs.estimate.benchmark import trial_apart, with_teachers_time
from app.runs.estimate.estimator import Estimator
from app.runs.log.event_log import EventLog
from app.runs.log.subscriber import Broadcaster
from app.runs.service import RunService
from app.runs.supervisor import Supervisor
from app.runs.tracking.follower import Tracking, check_extras
from app.runs.training.checkpoints import Checkpoints
from app.runs.trajectory.race_plane import RacePlanes
from app.runs.trajectory.trajectories import Trajectories
from app.settings import SHIPPED_MODELS, Settings
from app.web import addresses, api, errors, pages, preferences, script_catalog, templates
from app.web.api import predict
from app.web.dependencies import AppState
from app.web.drawing_sets_watch import DrawingSetsWatch
from app.web.job_queue import JobQueue
from app.web.middleware.access_log import AccessLogMiddleware
from app.web.middleware.authentication import WrongTokens
from app.web.middleware.compression import Compression
from app.web.middleware.forwarded import ForwardedMiddleware
from app.web.middleware.limits import Capacity
from app.web.middleware.methods import HeadMiddleware, method_not_allowed
from app.web.middleware.security import SecurityMiddleware, SecurityRules
from app.web.pages import openapi
from app.web.preparation_threads import PreparationThreads
from app.web.prometheus import make_counters


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the app; the database is opened and the runner starts with its lifespan. Raises SettingError."""
    settings = settings or Settings()
    check_extras(settings)
    rules, capacity, counters = SecurityRules(settings), Capacity(), make_counters()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log = EventLog(settings.log_url, lease_seconds=settings.lease_seconds)
        store = ModelStore(settings.home, SHIPPED_MODELS)
        store.tidy()
        drawings = DrawingStore(settings.home / "drawings")
        drawings.tidy()
        images = ImageSetStore(settings.home / "images")
        images.tidy()
        catalog = DatasetCatalog(settings.cache_dir, settings.data_dir, drawings, images)
        datasets = DatasetCache(catalog)
        checkpoints = Checkpoints(settings.home, log.id)
        checkpoints.tidy(log.all_ids)
        trajectories = Trajectories(settings.home, log.id)
        trajectories.tidy(log.all_ids)
        supervisor = Supervisor(log, settings)

        def tried(config: RunConfig) -> float | None:
            speed = trial_apart(config, kernel=settings.blas_kernel, workers=settings.workers)
            return with_teachers_time(speed, config, store)

        state = app.state.services = AppState(
            settings=settings,
            log=log,
            supervisor=supervisor,
            run_service=RunService(log, store, settings, supervisor.wake),
            broadcaster=Broadcaster(log, lambda: supervisor.fault),
            store=store,
            predictors=Predictors(store),
            drawings=drawings,
            drawing_sets_watch=DrawingSetsWatch(drawings),
            invitations=rules.invitations,
            wrong_codes=WrongTokens(),
            images=images,
            catalog=catalog,
            datasets=datasets,
            checkpoints=checkpoints,
            trajectories=trajectories,
            race_planes=RacePlanes(log, trajectories, catalog, datasets, settings.cache_dir),
            job_queue=JobQueue(),
            long_queue=JobQueue(),
            preparation=PreparationThreads(),
            lessons_queue=JobQueue(),
            small_trainings=SmallTrainingCache(),
            estimator=Estimator(log, tried, folder=settings.cache_dir),
            evaluator=Evaluator(store, DrawingRenderer(drawings), EvaluationCache(settings.cache_dir), evaluate_apart),
            nearest_images=NearestImages(store, catalog, datasets),
            image_maps=ImageMaps(store, catalog, datasets),
            capacity=capacity,
            counters=counters,
            tracking=Tracking(log, settings),
        )
        supervisor.start()
        state.tracking.start()
        try:
            yield
        finally:
            state.evaluator.stop()
            await state.broadcaster.close()
            await state.drawing_sets_watch.close()
            await asyncio.gather(
                *(queue.close() for queue in (state.job_queue, state.long_queue, state.lessons_queue)),
                asyncio.to_thread(supervisor.stop),
            )
            await asyncio.to_thread(state.tracking.stop)
            log.close()

    app = FastAPIOffline(  # which brings the files that /docs needs
        docs_url=None,
        redoc_url=None,
        title="digitpad",
        version=__version__,
        description="Draw a digit and watch a neural network, written in NumPy, read it.",
        lifespan=lifespan,
    )
    app.add_middleware(Compression)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(SecurityMiddleware, rules=rules, room=capacity)
    app.add_middleware(ForwardedMiddleware, settings=settings)
    app.add_middleware(AccessLogMiddleware, counters=counters)
    errors.install(app)
    app.add_exception_handler(405, method_not_allowed)
    templates.install(app)
    # Ahead of FastAPI's own route for it, which describes it: dispatch and injection take longer than the network does.
    app.router.routes.insert(0, Route("/predict", predict.predict, methods=["POST"], include_in_schema=False))
    for router in (api.router, pages.router, preferences.router, script_catalog.router):
        app.include_router(router)
    openapi.install(app)
    addresses.redirect_slashes(app.router)
    addresses.check_root(app.router, settings.root_path)
    return app
