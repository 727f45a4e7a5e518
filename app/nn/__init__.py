"""The engine: networks in NumPy, which know nothing of files, data sets or the web."""

from app.nn.evaluation import Evaluation, Fit, Mistake, Report, check_loss, evaluate, measure_fit, predict, report
from app.nn.gradient_check import GradientCheck, GradientError, gradient_check
from app.nn.initializers import INITIALIZERS, He, Initializer, Normal, Uniform, Xavier, Zeros
from app.nn.layers.activations import GELU, Identity, LeakyReLU, ReLU, Sigmoid, Softmax, Step, Tanh, softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Dropout, Flatten, Layer
from app.nn.layers.normalization import BatchNorm
from app.nn.layers.pooling import AveragePool2D, MaxPool2D
from app.nn.losses import LOSSES, CrossEntropy, Loss, SquaredError
from app.nn.network import LAYERS, Network
from app.nn.optimizers import OPTIMIZERS, SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from app.nn.schedules import SCHEDULES, Constant, Cosine, OneCycle, Schedule, StepDecay, WarmUp
from app.nn.spec import build, shown
from app.nn.statistics import LayerStatistics, layer_statistics
from app.nn.training.options import BatchDone, Diverged, EpochMetrics, Options
from app.nn.training.pool import CrewLostError
from app.nn.training.snapshot import Snapshot
from app.nn.training.trainer import Trainer, fit

__all__ = [
    "GELU",
    "INITIALIZERS",
    "LAYERS",
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "AveragePool2D",
    "BatchDone",
    "BatchNorm",
    "Constant",
    "Conv2D",
    "Cosine",
    "CrewLostError",
    "CrossEntropy",
    "Dense",
    "Diverged",
    "Dropout",
    "EpochMetrics",
    "Evaluation",
    "Fit",
    "Flatten",
    "GradientCheck",
    "GradientError",
    "He",
    "Identity",
    "Initializer",
    "Layer",
    "LayerStatistics",
    "LeakyReLU",
    "Loss",
    "MaxPool2D",
    "Mistake",
    "Momentum",
    "Nesterov",
    "Network",
    "Normal",
    "OneCycle",
    "Optimizer",
    "Options",
    "RMSProp",
    "ReLU",
    "Report",
    "Schedule",
    "Sigmoid",
    "Snapshot",
    "Softmax",
    "SquaredError",
    "Step",
    "StepDecay",
    "Tanh",
    "Trainer",
    "Uniform",
    "WarmUp",
    "Xavier",
    "Zeros",
    "build",
    "check_loss",
    "evaluate",
    "fit",
    "gradient_check",
    "layer_statistics",
    "measure_fit",
    "predict",
    "report",
    "shown",
    "softmax",
]
