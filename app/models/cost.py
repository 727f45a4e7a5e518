"""The cost of predictions, and the most of it that one request may ask for."""

import math

from app.errors import MessageError
from app.nn import Network
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense

MOST_WORK = 20_000_000_000
"""The most multiplications of an answer: some seconds of one processor."""
LARGEST_PREDICTION = 1_000_000_000
"""The most multiplications of one prediction of a model from elsewhere: some tenths of a second."""
QUICK_WORK = 100_000_000
"""The most multiplications that are done at once, in the time in which a thread would have taken over."""
COPY = 20
"""Multiplications of a matrix product in the time of writing one number elsewhere."""


class TooLargeError(MessageError):
    """The network is too large for the request; the message says what is possible."""

    code = "too_large"


def prediction_cost(network: Network) -> int:
    """The approximate cost of a prediction in multiplications; writing a number counts as COPY.

    A convolution writes each window of its filters, and the results.
    """
    total = 0
    for layer in network.layers:
        if isinstance(layer, Dense):
            total += layer.inputs * layer.units
        elif isinstance(layer, Conv2D):
            window = math.prod(layer.parameter_shapes()["weight"]) // layer.filters
            total += (layer.filters * window + COPY * (window + layer.filters)) * layer.out_height * layer.out_width
        else:
            total += COPY * math.prod(layer.input_shape)
    return total


def check_affordable(name: str, cost: int, count: int, *, most: int = MOST_WORK, field: str | None = None) -> None:
    """Raise TooLargeError if `count` predictions of `cost` multiplications each take more than `most`."""
    affordable = most // max(1, cost)
    if count > affordable:
        raise TooLargeError(
            "expected at most {most} passes through a network as large as {name}; got {count}",
            field=field,
            most=f"{affordable:,}",
            name=name,
            count=f"{count:,}",
        )
