"""Formulas of training: losses, gradients, optimizers, initial weights, regularization, accuracy."""

from app.learn.formulas.formula import Formula
from app.nn.evaluation import evaluate_outputs
from app.nn.gradient_check import gradient_check
from app.nn.initializers import He, Normal, Uniform, Xavier, Zeros
from app.nn.layers.core import Dense, Dropout
from app.nn.layers.normalization import BatchNorm
from app.nn.losses import CrossEntropy, SquaredError
from app.nn.network import Network
from app.nn.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp
from app.nn.optimizers import _descend_scaled as descend_scaled
from app.nn.training.replica import Replica

FORMULAS = (
    Formula(
        name="squared_error",
        title="Squared error",
        latex=(
            r"L = \frac{1}{N} \sum_{n} \frac{1}{2} \sum_{k} (y_{nk} - t_{nk})^2",
            r"\frac{\partial L}{\partial y_{nk}} = \frac{y_{nk} - t_{nk}}{N}",
        ),
        code=(SquaredError,),
        description="How far each output is from what it should be, squared; large errors count far more.",
    ),
    Formula(
        name="cross_entropy",
        title="Cross-entropy",
        latex=(r"L = - \frac{1}{N} \sum_{n} \sum_{k} t_{nk} \log y_{nk}", r"y = \text{softmax}(z)"),
        code=(CrossEntropy,),
        description=(
            "Minus the logarithm of the right answer's probability: 0 when certain of it, ever larger when not."
        ),
    ),
    Formula(
        name="softmax_gradient",
        title="Gradient of softmax with cross-entropy",
        latex=(r"\frac{\partial L}{\partial z_k} = y_k - t_k",),
        code=(CrossEntropy,),
        description="The probability that was given, minus the one that would have been right.",
    ),
    Formula(
        name="backpropagation",
        title="Backpropagation through a dense layer",
        latex=(
            r"\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \, W^{\top}",
            r"\frac{\partial L}{\partial W} = x^{\top} \, \frac{\partial L}{\partial y}",
            r"\frac{\partial L}{\partial b} = \sum_{n} \frac{\partial L}{\partial y_n}",
        ),
        code=(Dense.backward,),
        description="The gradient of a layer's output gives those of its weights, its bias and its input.",
    ),
    Formula(
        name="chain_rule",
        title="The chain rule",
        latex=(
            r"\frac{\partial L}{\partial x} = \frac{\partial L}{\partial z}"
            r" \, \frac{\partial z}{\partial y} \, \frac{\partial y}{\partial x}",
        ),
        code=(Network.backward,),
        description="The slope of steps done one after the other is the product of their slopes.",
    ),
    Formula(
        name="numerical_gradient",
        title="Numerical gradient",
        latex=(r"\frac{\partial L}{\partial w} \approx \frac{L(w + h) - L(w - h)}{2h}",),
        code=(gradient_check,),
        description="Move one weight a little up and a little down, and see what the loss does: simple, but slow.",
    ),
    Formula(
        name="sgd",
        title="SGD",
        latex=(r"w \leftarrow w - \eta \, g",),
        code=(SGD,),
        description="A step downhill: against the gradient g, as far as the learning rate η says.",
    ),
    Formula(
        name="momentum",
        title="Momentum",
        latex=(r"v \leftarrow \mu v - \eta g", r"w \leftarrow w + v"),
        code=(Momentum,),
        description="A rolling ball: part of the last step is repeated, so steps in one direction add up.",
    ),
    Formula(
        name="nesterov",
        title="Nesterov momentum",
        latex=(r"v \leftarrow \mu v - \eta g", r"w \leftarrow w + \mu v - \eta g"),
        code=(Nesterov,),
        description="Momentum that looks where it is about to go, so it overshoots less.",
    ),
    Formula(
        name="adagrad",
        title="AdaGrad",
        latex=(r"h \leftarrow h + g^2", r"w \leftarrow w - \eta \, \frac{g}{\sqrt{h} + \varepsilon}"),
        code=(AdaGrad, descend_scaled),
        description="Each weight has its own step size: the more it has moved, the smaller the step.",
    ),
    Formula(
        name="rmsprop",
        title="RMSProp",
        latex=(
            r"h \leftarrow \rho h + (1 - \rho) \, g^2",
            r"w \leftarrow w - \eta \, \frac{g}{\sqrt{h} + \varepsilon}",
        ),
        code=(RMSProp, descend_scaled),
        description="AdaGrad that forgets: only recent gradients set the step size.",
    ),
    Formula(
        name="adam",
        title="Adam",
        latex=(
            r"m \leftarrow \beta_1 m + (1 - \beta_1) \, g",
            r"v \leftarrow \beta_2 v + (1 - \beta_2) \, g^2",
            r"\hat{m} = \frac{m}{1 - \beta_1^t}, \quad \hat{v} = \frac{v}{1 - \beta_2^t}",
            r"w \leftarrow w - \eta \, \frac{\hat{m}}{\sqrt{\hat{v}} + \varepsilon}",
        ),
        code=(Adam,),
        description="Momentum and RMSProp together, both corrected for starting at zero.",
    ),
    Formula(
        name="adamw",
        title="AdamW",
        latex=(
            r"w \leftarrow w - \eta \lambda w",
            r"w \leftarrow w - \eta \, \frac{\hat{m}}{\sqrt{\hat{v}} + \varepsilon}",
        ),
        code=(AdamW, Adam),
        description="Adam with weight decay kept separate from the gradient.",
    ),
    Formula(
        name="zeros",
        title="All zero",
        latex=(r"w = 0",),
        code=(Zeros,),
        description="All units of a layer then do the same, and learn the same.",
    ),
    Formula(
        name="normal",
        title="Normal distribution",
        latex=(r"w \sim \mathcal{N}(0, \sigma^2)",),
        code=(Normal,),
        description="Drawn at random around zero, with a spread that you choose.",
    ),
    Formula(
        name="uniform",
        title="Uniform distribution",
        latex=(r"w \sim \mathcal{U}(a, b)",),
        code=(Uniform,),
        description="Drawn at random, every number in a range equally likely.",
    ),
    Formula(
        name="xavier",
        title="Xavier initialization",
        latex=(
            r"w \sim \mathcal{U}(-a, a)",
            r"\text{Var}(w) = \frac{a^2}{3} = \frac{2}{n_{\text{in}} + n_{\text{out}}}",
        ),
        code=(Xavier,),
        description="A spread that keeps the signal the same size from layer to layer, for sigmoid and tanh.",
    ),
    Formula(
        name="he",
        title="He initialization",
        latex=(r"w \sim \mathcal{N}\left(0, \frac{2}{n_{\text{in}}}\right)",),
        code=(He,),
        description=(
            "A spread that keeps the signal the same size from layer to layer, for ReLU, which drops half of it."
        ),
    ),
    Formula(
        name="dropout",
        title="Dropout",
        latex=(r"y_i = \frac{m_i \, x_i}{1 - p}", r"P(m_i = 0) = p, \; P(m_i = 1) = 1 - p"),
        code=(Dropout,),
        description="While training, each unit is left out with probability p; the others make up for it.",
    ),
    Formula(
        name="batch_norm",
        title="Batch normalization",
        latex=(r"y = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta",),
        code=(BatchNorm,),
        description="Scales each feature of a batch to mean 0 and variance 1, then lets the network learn its own.",
    ),
    Formula(
        name="weight_decay",
        title="Weight decay (L2)",
        latex=(r"L + \frac{\lambda}{2} \sum_{i} w_i^2", r"g \leftarrow g + \lambda w"),
        code=(Replica._gather,),
        description="Large weights are penalized, so each is only as large as it needs to be.",
    ),
    Formula(
        name="accuracy",
        title="Accuracy",
        latex=(
            r"\text{accuracy} = \frac{1}{N} \sum_{n} \left[ \, \underset{k}{\text{argmax}} \, y_{nk} = t_n \right]",
        ),
        code=(evaluate_outputs,),
        description="The share of images whose most probable label is the right one.",
    ),
)
