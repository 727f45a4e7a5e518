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
from app.models import ModelStore, Predictors
from app.models.evaluation import Judge
from app.runs.checkpoints import Checkpoints
from app.runs.commands import Commands
from app.runs.config import RunConfig
from app.runs.distillation import slowed
from app.runs.estimate import Estimator
from app.runs.log import Log
from app.runs.runner import Runner
from app.runs.tail import Tail
from app.runs.tracking import Tracking, check_extras
from app.runs.trial import trial_apart
from app.settings import SHIPPED_MODELS, Settings
from app.web import (
    assets,
    augmentation,
    catalog,
    datasets,
    docs,
    doctor,
    drawings,
    errors,
    explain,
    explain_parts,
    health,
    judgement,
    learn,
    metrics,
    mine,
    models,
    pages,
    predict,
    races,
    runs,
    schema,
    stream,
    theme,
    v2,
    watching,
    words,
)
from app.web.compression import Compression
from app.web.counting import make_counters
from app.web.desk import Desk
from app.web.guard import Guard, Rules
from app.web.limits import Room
from app.web.observing import Observer
from app.web.state import Services


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
        drawn = DrawingStore(settings.home / "drawings")
        drawn.tidy()
        checkpoints = Checkpoints(settings.home, log.id)
        checkpoints.tidy(log.all_ids)
        runner, tail, tracking = Runner(log, settings), Tail(log), Tracking(log, settings)
        commands = Commands(log, store, settings, runner.wake)
        loaded = LoadedDatasets(data_dir=settings.data_dir, cache_dir=settings.cache_dir, drawings=drawn)

        def tried(config: RunConfig) -> float | None:
            return slowed(trial_apart(config, kernel=settings.blas_kernel, workers=settings.workers), config, store)

        estimator = Estimator(log, tried, folder=settings.cache_dir)
        desk, judge = Desk(), Judge(store, OwnImages(drawn))
        predictors, lab = Predictors(store), Desk()
        app.state.services = Services(
            *(settings, log, runner, commands, tail, store, predictors, drawn, loaded),
            *(checkpoints, desk, estimator, judge),
            room=capacity,
            counters=counters,
            lab=lab,
            tracking=tracking,
        )
        runner.start()
        tracking.start()
        try:
            yield
        finally:
            judge.stop()
            await tail.close()
            await asyncio.gather(desk.close(), lab.close(), asyncio.to_thread(runner.stop))
            await asyncio.to_thread(tracking.stop)
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
    assets.install(app)
    # Ahead of FastAPI's own route for it, which describes it: dispatch and injection take longer than the network does.
    app.router.routes.insert(0, Route("/predict", predict.predict, methods=["POST"], include_in_schema=False))
    for room in (
        predict,
        doctor,
        pages,
        catalog,
        augmentation,
        datasets,
        runs,
        races,
        stream,
        models,
        drawings,
        v2,
        health,
        metrics,
    ):
        app.include_router(room.router)
    explain_parts.install(app)
    app.include_router(explain_parts.router)
    app.include_router(learn.router)
    app.include_router(judgement.router)
    app.include_router(mine.router)
    app.include_router(explain.router)
    app.include_router(schema.router)
    app.include_router(watching.router)
    app.include_router(theme.router)
    app.include_router(words.router)
    docs.install(app)
    return app
