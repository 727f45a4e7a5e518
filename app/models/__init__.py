"""The model store, model cards and the predictor."""

from app.models.calibration import Calibrated, calibrate
from app.models.card import Calibration, ModelCard, check_name
from app.models.formats.sklearn import from_sklearn
from app.models.formats.source import MissingExtraError
from app.models.ood.detector import fit_subspaces
from app.models.predictor import Prediction, Predictor, Predictors
from app.models.store import (
    DamagedModelError,
    ModelStore,
    ProtectedModelError,
    StoredModel,
    UnknownModelError,
)

__all__ = [
    "Calibrated",
    "Calibration",
    "DamagedModelError",
    "MissingExtraError",
    "ModelCard",
    "ModelStore",
    "Prediction",
    "Predictor",
    "Predictors",
    "ProtectedModelError",
    "StoredModel",
    "UnknownModelError",
    "calibrate",
    "check_name",
    "fit_subspaces",
    "from_sklearn",
]
