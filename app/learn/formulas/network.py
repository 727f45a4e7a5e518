"""Formulas of networks: activations and layers."""

from app.learn.formulas.formula import Formula
from app.nn.layers.activations import GELU, Identity, LeakyReLU, ReLU, Sigmoid, Step, Tanh, softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Flatten
from app.nn.layers.pooling import AveragePool2D, MaxPool2D
from app.nn.losses import SquaredError
from app.nn.optimizers import SGD

FORMULAS = (
    Formula(
        name="perceptron",
        title="Perceptron",
        latex=(r"y = \begin{cases} 1 & w_1 x_1 + w_2 x_2 + b > 0 \\ 0 & w_1 x_1 + w_2 x_2 + b \le 0 \end{cases}",),
        code=(Dense, Step),
        description="Each input times its weight, all added up with the bias; 1 if that is above zero, else 0.",
    ),
    Formula(
        name="perceptron_rule",
        title="The perceptron's learning rule",
        latex=(r"w_i \leftarrow w_i - \eta \, (y - t) \, x_i", r"b \leftarrow b - \eta \, (y - t)"),
        code=(SquaredError, Step, Dense.backward, SGD),
        description="Where the answer y is not the target t, every weight takes a step that makes it less wrong.",
    ),
    Formula(
        name="identity",
        title="Identity",
        latex=(r"y = x", r"\frac{dy}{dx} = 1"),
        code=(Identity,),
        description="Passes its input through unchanged: for a network whose output is a quantity.",
    ),
    Formula(
        name="step",
        title="Step function",
        latex=(r"y = \begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}",),
        code=(Step,),
        description="All or nothing. It is flat, so no gradient says which way to go.",
    ),
    Formula(
        name="relu",
        title="ReLU",
        latex=(r"y = \max(x, 0)", r"\frac{dy}{dx} = \begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}"),
        code=(ReLU,),
        description="Values above zero pass unchanged; the rest become zero.",
    ),
    Formula(
        name="leaky_relu",
        title="Leaky ReLU",
        latex=(
            r"y = \begin{cases} x & x > 0 \\ a x & x \le 0 \end{cases}",
            r"\frac{dy}{dx} = \begin{cases} 1 & x > 0 \\ a & x \le 0 \end{cases}",
        ),
        code=(LeakyReLU,),
        description="A ReLU that lets a little through below zero, so that no unit falls silent for good.",
    ),
    Formula(
        name="sigmoid",
        title="Sigmoid",
        latex=(r"y = \frac{1}{1 + e^{-x}}", r"\frac{dy}{dx} = y \, (1 - y)"),
        code=(Sigmoid,),
        description="A smooth step from 0 to 1. Its slope is at most one quarter, and almost zero far from the middle.",
    ),
    Formula(
        name="tanh",
        title="Hyperbolic tangent",
        latex=(r"y = \tanh x = \frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}", r"\frac{dy}{dx} = 1 - y^2"),
        code=(Tanh,),
        description="A smooth step from −1 to 1, with zero in the middle.",
    ),
    Formula(
        name="gelu",
        title="GELU",
        latex=(
            r"y = x \, \Phi(x), \quad \Phi(x) = \frac{1}{2}\left(1 + \text{erf} \frac{x}{\sqrt{2}}\right)",
            r"\frac{dy}{dx} = \Phi(x) + x \, \frac{e^{-x^2/2}}{\sqrt{2 \pi}}",
        ),
        code=(GELU,),
        description="A ReLU without the corner: each number times the share of a normal distribution below it.",
    ),
    Formula(
        name="softmax",
        title="Softmax",
        latex=(r"y_k = \frac{e^{z_k}}{\sum_{j} e^{z_j}}",),
        code=(softmax,),
        description="Turns any numbers, called logits, into probabilities: all above zero, adding up to 1.",
    ),
    Formula(
        name="dense",
        title="Dense layer",
        latex=(r"y = x W + b", r"y_j = \sum_{i} x_i \, w_{ij} + b_j"),
        code=(Dense,),
        description="Each output is the sum of all inputs, each times its own weight, plus a bias.",
    ),
    Formula(
        name="convolution",
        title="Convolution",
        latex=(
            r"y_{f,h,w} = b_f + \sum_{c,i,j} W_{f,c,i,j} \; x_{c, \, h s + i - p, \, w s + j - p}",
            r"H' = \frac{H + 2p - k}{s} + 1",
        ),
        code=(Conv2D,),
        description="A small filter slides over the image and measures how well each place matches it.",
    ),
    Formula(
        name="pooling",
        title="Max pooling",
        latex=(r"y_{c,h,w} = \max_{0 \le i, j < n} \; x_{c, \, h s + i, \, w s + j}",),
        code=(MaxPool2D,),
        description="Keeps only the largest number of each small window.",
    ),
    Formula(
        name="average_pooling",
        title="Average pooling",
        latex=(r"y_{c,h,w} = \frac{1}{n^2} \sum_{i,j} x_{c, \, h s + i, \, w s + j}",),
        code=(AveragePool2D,),
        description="Keeps the mean of each small window.",
    ),
    Formula(
        name="flatten",
        title="Flatten",
        latex=(r"y_{(c H + h) W + w} = x_{c,h,w}",),
        code=(Flatten,),
        description="Writes an image as one long row of numbers.",
    ),
)
