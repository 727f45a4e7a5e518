"""The HTTP interface for programs: one file for each resource, gathered in `router`."""

from fastapi import APIRouter, Depends

from app.web.api import (
    augmentation,
    datasets,
    diagnose,
    evaluation,
    experiments,
    explain,
    health,
    inference_v2,
    loss_plane,
    models,
    personalize,
    predict,
    prometheus,
    run_monitor,
    run_stream,
    runs,
    setup,
    uploads,
)
from app.web.api.drawings import drawings, invitation
from app.web.api.drawings import stream as drawings_stream
from app.web.preferences import use_language

router = APIRouter(dependencies=[Depends(use_language)])
for _resource in (
    predict.router,
    diagnose.router,
    setup.router,
    augmentation.router,
    datasets.router,
    uploads.router,
    runs.router,
    runs.sweeps,
    loss_plane.router,
    run_stream.router,
    models.router,
    drawings.router,
    invitation.router,
    drawings_stream.router,
    inference_v2.router,
    health.router,
    prometheus.router,
    experiments.router,
    evaluation.router,
    personalize.router,
    explain.router,
    run_monitor.router,
):
    router.include_router(_resource)
