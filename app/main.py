"""The web application, built from its settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.gzip import GZipMiddleware

from app import __version__
from app.models import ModelStore, Predictors
from app.runs.log import Log
from app.runs.runner import Runner
from app.runs.tail import Tail
from app.settings import SHIPPED_MODELS, Settings
from app.web import assets, catalog, errors, health, models, pages, predict, runs, stream
from app.web.state import Services

GZIP_FROM_BYTES = 2000


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the app; the database is opened and the runner starts with its lifespan."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log = Log(settings.log_url)
        store = ModelStore(settings.home, SHIPPED_MODELS)
        store.tidy()
        runner, tail = Runner(log, settings), Tail(log)
        app.state.services = Services(settings, log, runner, tail, store, Predictors(store))
        runner.start()
        try:
            yield
        finally:
            await tail.close()
            runner.stop()
            log.close()

    app = FastAPIOffline(  # its /docs load nothing from elsewhere
        redoc_url=None,
        title="digitpad",
        version=__version__,
        description="Draw a digit and watch a neural network, written in NumPy, read it.",
        lifespan=lifespan,
        favicon_url=assets.address("favicon.svg"),
    )
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES)
    errors.install(app)
    assets.install(app)
    for room in (predict, pages, catalog, runs, stream, models, health):
        app.include_router(room.router)
    return app
