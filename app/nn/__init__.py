"""The engine: neural networks in NumPy, independent of files, data sets and the web."""

from app.nn.errors import Diverged, WorkerLostError
from app.nn.evaluation import (
    ClassificationReport,
    Evaluation,
    Mistake,
    Predictions,
    RegressionReport,
    Reliability,
    check_loss,
    classification_report,
    evaluate,
    infer_all,
    infer_batches,
    predict,
    regression_report,
)
from app.nn.gradient_check import GradientCheck, GradientError, gradient_check
from app.nn.initializers import INITIALIZERS, He, Initializer, Normal, Uniform, Xavier, Zeros
from app.nn.layers.activations import GELU, Identity, LeakyReLU, ReLU, Sigmoid, Softmax, Step, Tanh, softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Dropout, Flatten, Layer
from app.nn.layers.normalization import BatchNorm
from app.nn.layers.pooling import AveragePool2D, MaxPool2D
from app.nn.losses import LOSSES, CrossEntropy, Loss, SquaredError
from app.nn.network import LAYERS, Network, NetworkOutput
from app.nn.optimizers import OPTIMIZERS, SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from app.nn.schedules import SCHEDULES, Constant, Cosine, OneCycle, Schedule, StepDecay, WarmUp
from app.nn.spec import abbreviate, build
from app.nn.statistics import LayerStatistics, layer_statistics
from app.nn.training.options import BatchMetrics, EpochMetrics, TrainingOptions
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
    "BatchMetrics",
    "BatchNorm",
    "ClassificationReport",
    "Constant",
    "Conv2D",
    "Cosine",
    "CrossEntropy",
    "Dense",
    "Diverged",
    "Dropout",
    "EpochMetrics",
    "Evaluation",
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
    "NetworkOutput",
    "Normal",
    "OneCycle",
    "Optimizer",
    "Predictions",
    "RMSProp",
    "ReLU",
    "RegressionReport",
    "Reliability",
    "Schedule",
    "Sigmoid",
    "Snapshot",
    "Softmax",
    "SquaredError",
    "Step",
    "StepDecay",
    "Tanh",
    "Trainer",
    "TrainingOptions",
    "Uniform",
    "WarmUp",
    "WorkerLostError",
    "Xavier",
    "Zeros",
    "abbreviate",
    "build",
    "check_loss",
    "classification_report",
    "evaluate",
    "fit",
    "gradient_check",
    "infer_all",
    "infer_batches",
    "layer_statistics",
    "predict",
    "regression_report",
    "softmax",
]
