"""Titles and explanations of layers and initializers."""

from collections.abc import Mapping

from app.runs.config.field import EPSILON, ComponentKind, Field

INITIALIZER = Field(
    "initializer",
    "spec",
    title="Initial weights",
    explanation="How weights are initialized before training; Xavier if nothing is chosen.",
    of="initializers",
)
DISTRIBUTION = Field(
    "distribution",
    "choice",
    title="Distribution",
    explanation="Evenly within limits, or a normal distribution.",
    choices=("uniform", "normal"),
)
POOL = (
    Field("size", "whole", title="Size", explanation="Height and width of a window.", minimum=1, maximum=1000),
    Field(
        "stride",
        "whole",
        title="Stride",
        explanation="Distance from one window to the next; the window's size if nothing is chosen.",
        minimum=1,
        maximum=1000,
    ),
)

LAYERS: Mapping[str, ComponentKind] = {
    "dense": ComponentKind(
        title="Dense",
        explanation="Every unit sees all inputs, each through its own weight.",
        fields=(
            Field(
                "units",
                "whole",
                title="Units",
                explanation="How many neurons; the last layer has one for each label.",
                minimum=1,
                maximum=100_000,
                suggested=100,
            ),
            INITIALIZER,
        ),
    ),
    "dropout": ComponentKind(
        title="Dropout",
        explanation="During training, switches units off at random so that none is relied on too much.",
        fields=(
            Field(
                "rate",
                "number",
                title="Rate",
                explanation="The share that is switched off.",
                minimum=0,
                below=1,
                suggested=0.2,
            ),
        ),
    ),
    "flatten": ComponentKind(title="Flatten", explanation="Lays the pixels of an image out in one row."),
    "batch_norm": ComponentKind(
        title="Batch normalization",
        explanation="Scales each feature to mean 0 and variance 1 within a batch, which steadies learning.",
        fields=(
            Field(
                "momentum",
                "number",
                title="Momentum",
                explanation="How slowly the running means, used after training, change.",
                minimum=0,
                below=1,
            ),
            EPSILON,
        ),
    ),
    "conv2d": ComponentKind(
        title="Convolution",
        explanation="Small filters look for the same pattern everywhere in the image; each gives a feature map.",
        fields=(
            Field(
                "filters",
                "whole",
                title="Filters",
                explanation="How many patterns to look for.",
                minimum=1,
                maximum=10_000,
                suggested=8,
            ),
            Field(
                "kernel_size",
                "shape",
                title="Kernel size",
                explanation="Height and width of a filter in pixels.",
                minimum=1,
                maximum=1000,
                suggested=5,
            ),
            Field(
                "stride",
                "whole",
                title="Stride",
                explanation="How many pixels the filter moves each time.",
                minimum=1,
                maximum=1000,
            ),
            Field(
                "padding",
                "whole",
                title="Padding",
                explanation="Pixels of paper around the image; “same” keeps its size, “valid” adds none.",
                minimum=0,
                choices=("same", "valid"),
            ),
            INITIALIZER,
        ),
    ),
    "max_pool2d": ComponentKind(
        title="Max pooling", explanation="Keeps the largest number of each window of the image.", fields=POOL
    ),
    "average_pool2d": ComponentKind(
        title="Average pooling", explanation="Keeps the mean of each window of the image.", fields=POOL
    ),
    "identity": ComponentKind(title="Identity", explanation="Leaves its input unchanged: y = x."),
    "step": ComponentKind(title="Step", explanation="1 above zero, else 0: the perceptron's activation."),
    "relu": ComponentKind(title="ReLU", explanation="Passes values above zero and blocks the rest: y = max(x, 0)."),
    "leaky_relu": ComponentKind(
        title="Leaky ReLU",
        explanation="Like ReLU, but with a small slope below zero, so no unit ever dies.",
        fields=(Field("slope", "number", title="Slope", explanation="The slope below zero.", above=0, maximum=1),),
    ),
    "sigmoid": ComponentKind(title="Sigmoid", explanation="Squeezes its input into 0 to 1."),
    "tanh": ComponentKind(title="Tanh", explanation="Squeezes its input into −1 to 1."),
    "gelu": ComponentKind(
        title="GELU",
        explanation="A smooth relative of ReLU: x times the share of a normal distribution below x.",
        fields=(
            Field(
                "approximate",
                "choice",
                title="Approximation",
                explanation="Exact, or by a formula with tanh.",
                choices=("none", "tanh"),
            ),
        ),
    ),
    "softmax": ComponentKind(
        title="Softmax",
        explanation="Turns outputs into probabilities; cross-entropy includes it, so leave it out there.",
    ),
}

INITIALIZERS: Mapping[str, ComponentKind] = {
    "zeros": ComponentKind(title="Zeros", explanation="All zero: every unit learns the same, so little is learned."),
    "normal": ComponentKind(
        title="Normal",
        explanation="A normal distribution around zero.",
        fields=(Field("std", "number", title="Spread", explanation="The standard deviation of the weights.", above=0),),
    ),
    "uniform": ComponentKind(
        title="Uniform",
        explanation="Evenly between two limits.",
        fields=(
            Field("low", "number", title="From", explanation="The lower limit."),
            Field("high", "number", title="To", explanation="The upper limit, above the lower one."),
        ),
    ),
    "xavier": ComponentKind(
        title="Xavier",
        explanation="Keeps signals the same size through sigmoid and tanh layers.",
        fields=(DISTRIBUTION,),
    ),
    "he": ComponentKind(
        title="He", explanation="Keeps signals the same size through ReLU layers.", fields=(DISTRIBUTION,)
    ),
}
