"""The model store, model cards and the predictor."""

from app.models.card import ModelCard, check_name
from app.models.predictor import Prediction, Predictor, Predictors
from app.models.store import (
    DamagedModelError,
    ModelStore,
    ProtectedModelError,
    StoredModel,
    UnknownModelError,
)

__all__ = [
    "DamagedModelError",
    "ModelCard",
    "ModelStore",
    "Prediction",
    "Predictor",
    "Predictors",
    "ProtectedModelError",
    "StoredModel",
    "UnknownModelError",
    "check_name",
]
