"""The engine: networks in NumPy, which know nothing of files, data sets or the web."""

from app.nn.activations import softmax
from app.nn.evaluation import Evaluation, check_loss, evaluate
from app.nn.gradient_check import GradientError, gradient_check
from app.nn.layers import Dense, Dropout, Layer
from app.nn.losses import LOSSES, CrossEntropy, Loss, SquaredError
from app.nn.network import LAYERS, Network
from app.nn.optimizers import OPTIMIZERS, SGD, AdaGrad, Adam, Momentum, Optimizer, RMSProp
from app.nn.schedules import SCHEDULES, Constant, Cosine, Schedule
from app.nn.spec import build, shown
from app.nn.training import BatchDone, Diverged, EpochMetrics, Options, Trainer, fit

__all__ = [
    "LAYERS",
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "AdaGrad",
    "Adam",
    "BatchDone",
    "Constant",
    "Cosine",
    "CrossEntropy",
    "Dense",
    "Diverged",
    "Dropout",
    "EpochMetrics",
    "Evaluation",
    "GradientError",
    "Layer",
    "Loss",
    "Momentum",
    "Network",
    "Optimizer",
    "Options",
    "RMSProp",
    "Schedule",
    "SquaredError",
    "Trainer",
    "build",
    "check_loss",
    "evaluate",
    "fit",
    "gradient_check",
    "shown",
    "softmax",
]
