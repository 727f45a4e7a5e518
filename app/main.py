"""The web application, built from its settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import Route

from app import __version__
from app.data.cache import LoadedDatasets
from app.data.drawings.rendered import OwnImages
from app.data.drawings.store import DrawingStore
from app.learn.experiments.small_trainings import Kept
from app.models import ModelStore, Predictors
from app.models.evaluation import Judge
from app.runs.config.run_config import RunConfig
from app.runs.estimate.benchmark import trial_apart, with_teachers_time
from app.runs.estimate.estimator import Estimator
from app.runs.log.event_log import Log
from app.runs.log.subscriber import Tail
from app.runs.service import Commands
from app.runs.supervisor import Runner
from app.runs.tracking.follower import Tracking, check_extras
from app.runs.training.checkpoints import Checkpoints
from app.settings import SHIPPED_MODELS, Settings
from app.web import api, errors, pages, preferences, script_catalog, templates
from app.web.api import predict
from app.web.dependencies import Services
from app.web.job_queue import Desk
from app.web.metrics import make_counters
from app.web.middleware.access_log import Observer
from app.web.middleware.compression import Compression
from app.web.middleware.gatekeeper import Guard, Rules
from app.web.middleware.limits import Room
from app.web.pages import openapi


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the app; the database is opened and the runner starts with its lifespan. Raises SettingError."""
    settings = settings or Settings()
    check_extras(settings)
    rules, capacity, counters = Rules(settings), Room(), make_counters()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log = Log(settings.log_url, lease_seconds=settings.lease_seconds)
        store = ModelStore(settings.home, SHIPPED_MODELS)
        store.tidy()
        drawings = DrawingStore(settings.home / "drawings")
        drawings.tidy()
        checkpoints = Checkpoints(settings.home, log.id)
        checkpoints.tidy(log.all_ids)
        runner = Runner(log, settings)

        def tried(config: RunConfig) -> float | None:
            speed = trial_apart(config, kernel=settings.blas_kernel, workers=settings.workers)
            return with_teachers_time(speed, config, store)

        state = app.state.services = Services(
            settings=settings,
            log=log,
            runner=runner,
            commands=Commands(log, store, settings, runner.wake),
            tail=Tail(log),
            store=store,
            predictors=Predictors(store),
            drawings=drawings,
            datasets=LoadedDatasets(data_dir=settings.data_dir, cache_dir=settings.cache_dir, drawings=drawings),
            checkpoints=checkpoints,
            desk=Desk(),
            lab=Desk(),
            trials=Kept(),
            estimator=Estimator(log, tried, folder=settings.cache_dir),
            judge=Judge(store, OwnImages(drawings)),
            room=capacity,
            counters=counters,
            tracking=Tracking(log, settings),
        )
        runner.start()
        state.tracking.start()
        try:
            yield
        finally:
            state.judge.stop()
            await state.tail.close()
            await asyncio.gather(state.desk.close(), state.lab.close(), asyncio.to_thread(runner.stop))
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
    app.add_middleware(Guard, rules=rules, room=capacity)
    app.add_middleware(Observer, counters=counters)
    errors.install(app)
    templates.install(app)
    # Ahead of FastAPI's own route for it, which describes it: dispatch and injection take longer than the network does.
    app.router.routes.insert(0, Route("/predict", predict.predict, methods=["POST"], include_in_schema=False))
    for router in (api.router, pages.router, preferences.router, script_catalog.router):
        app.include_router(router)
    openapi.install(app)
    return app
