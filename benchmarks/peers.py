"""The same trainings in other libraries: `python -m benchmarks.peers LIBRARY RECIPE` prints samples/s of each epoch.

Each trains the recipe's network on the same arrays with the same batch size, optimizer and shuffle. The other libraries
get scaled float32 inputs; digitpad scales the bytes batch by batch.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from app.data import DatasetCatalog
from app.recipes import get_recipe
from app.runs.config.run_config import RunConfig, parse_config
from app.settings import Settings

EPOCHS = 3
"""Timed epochs, after an untimed one."""


@dataclass(frozen=True)
class Task:
    """A recipe's training: `x` float32 (N, 784), scaled; `t` (N,)."""

    config: RunConfig
    images: Any
    x: Any
    t: Any

    @property
    def layers(self) -> list[dict[str, Any]]:
        return self.config.network["layers"]

    @property
    def optimizer(self) -> dict[str, Any]:
        return self.config.optimizer


def load(recipe: str) -> Task:
    settings = Settings()
    train = DatasetCatalog.from_settings(settings).load("mnist").train
    config = parse_config(get_recipe(recipe).config)
    x = train.images.reshape(len(train), -1).astype(np.float32) / np.float32(config.input_scale)
    return Task(config, train.images, x, train.labels.astype(np.int64))


def timed(task: Task, epoch: Callable[[], None]) -> Iterator[float]:
    """Run `epoch` once untimed, then yield the samples/s of each further epoch."""
    epoch()
    for _ in range(EPOCHS):
        started = time.perf_counter()
        epoch()
        yield len(task.x) / (time.perf_counter() - started)


def digitpad(task: Task) -> Iterator[float]:
    from app.nn import OPTIMIZERS, EpochMetrics, Trainer, build
    from app.runs.training.hardware import computing, cores

    config = task.config
    network = config.build_network()
    network.initialize(config.seed)
    trainer = Trainer(
        network,
        task.images,
        task.t,
        optimizer=build("optimizer", OPTIMIZERS, config.optimizer),
        options=replace(config.options(), epochs=EPOCHS + 1, evaluate_training_set=False),
        processes=cores(),
    )
    with computing(trainer.processes):
        yield from [step.samples_per_second for step in trainer.run() if isinstance(step, EpochMetrics)][1:]


def torch(task: Task) -> Iterator[float]:
    import torch as pt

    pt.set_num_threads(int(os.environ.get("THREADS", "2")))
    x, t = pt.from_numpy(task.x), pt.from_numpy(task.t)
    names = {"relu": pt.nn.ReLU, "sigmoid": pt.nn.Sigmoid, "flatten": pt.nn.Flatten}
    modules: list[Any] = []
    shape: tuple[int, ...] = (784,)
    if any(layer["type"] == "conv2d" for layer in task.layers):
        shape, x = (1, 28, 28), x.reshape(-1, 1, 28, 28)
    for layer in task.layers:
        if layer["type"] == "dense":
            if len(shape) > 1:
                modules.append(pt.nn.Flatten())
                shape = (int(np.prod(shape)),)
            modules.append(pt.nn.Linear(int(np.prod(shape)), layer["units"]))
        elif layer["type"] == "conv2d":
            padding = "same" if layer.get("padding") == "same" else int(layer.get("padding", 0))
            modules.append(pt.nn.Conv2d(shape[0], layer["filters"], layer["kernel_size"], padding=padding))
        elif layer["type"] in ("max_pool2d", "maxpool2d"):
            modules.append(pt.nn.MaxPool2d(layer.get("size", 2)))
        elif layer["type"] == "dropout":
            modules.append(pt.nn.Dropout(layer["rate"]))
        else:
            modules.append(names[layer["type"]]())
        with pt.no_grad():
            shape = tuple(modules[-1](pt.zeros(2, *shape)).shape[1:])
    model = pt.nn.Sequential(*modules)
    rate = task.optimizer["learning_rate"]
    adam = task.optimizer["type"] == "adam"
    rule = pt.optim.Adam(model.parameters(), rate, fused=True) if adam else pt.optim.SGD(model.parameters(), rate)
    loss = pt.nn.CrossEntropyLoss()

    def epoch() -> None:
        order = pt.randperm(len(x)) if task.config.shuffle else pt.arange(len(x))
        for rows in order.split(task.config.batch_size):
            rule.zero_grad(set_to_none=True)
            loss(model(x[rows]), t[rows]).backward()
            rule.step()

    yield from timed(task, epoch)


def keras(task: Task) -> Iterator[float]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras as k

    layers: list[Any] = []
    x = task.x
    if any(layer["type"] == "conv2d" for layer in task.layers):
        x = x.reshape(-1, 28, 28, 1)
    seen_dense = False
    for layer in task.layers:
        if layer["type"] == "dense":
            if x.ndim > 2 and not seen_dense:
                layers.append(k.layers.Flatten())
            seen_dense = True
            layers.append(k.layers.Dense(layer["units"]))
        elif layer["type"] == "conv2d":
            padding = "same" if layer.get("padding") == "same" else "valid"
            layers.append(k.layers.Conv2D(layer["filters"], layer["kernel_size"], padding=padding))
        elif layer["type"] in ("max_pool2d", "maxpool2d"):
            layers.append(k.layers.MaxPooling2D(layer.get("size", 2)))
        elif layer["type"] == "dropout":
            layers.append(k.layers.Dropout(layer["rate"]))
        elif layer["type"] == "flatten":
            layers.append(k.layers.Flatten())
            seen_dense = True
        else:
            layers.append(k.layers.Activation(layer["type"]))
    model = k.Sequential([k.Input(x.shape[1:]), *layers])
    rate = task.optimizer["learning_rate"]
    rule = k.optimizers.Adam(rate) if task.optimizer["type"] == "adam" else k.optimizers.SGD(rate)
    model.compile(rule, k.losses.SparseCategoricalCrossentropy(from_logits=True))

    def epoch() -> None:
        model.fit(x, task.t, batch_size=task.config.batch_size, epochs=1, shuffle=task.config.shuffle, verbose=0)

    yield from timed(task, epoch)


def jax(task: Task) -> Iterator[float]:
    import jax as jx
    from jax import numpy as jnp

    sizes = [784, *(layer["units"] for layer in task.layers if layer["type"] == "dense")]
    activation = jx.nn.sigmoid if any(layer["type"] == "sigmoid" for layer in task.layers) else jx.nn.relu
    rate_dropped = next((layer["rate"] for layer in task.layers if layer["type"] == "dropout"), 0.0)
    batch, rate = task.config.batch_size, task.optimizer["learning_rate"]
    adam = task.optimizer["type"] == "adam"
    rng = np.random.default_rng(0)
    params = [
        (jnp.asarray(rng.normal(0, (2 / a) ** 0.5, (a, b)), jnp.float32), jnp.zeros(b, jnp.float32))
        for a, b in pairwise(sizes)
    ]
    x, t = jnp.asarray(task.x), jnp.asarray(task.t)
    steps = len(task.x) // batch

    def loss(params: Any, xb: Any, tb: Any, key: Any) -> Any:
        h = xb
        for w, b in params[:-1]:
            h = activation(h @ w + b)
            if rate_dropped:
                h = h * jx.random.bernoulli(key, 1 - rate_dropped, h.shape) / (1 - rate_dropped)
        z = h @ params[-1][0] + params[-1][1]
        return -jnp.mean(jnp.take_along_axis(jx.nn.log_softmax(z), tb[:, None], 1))

    def step(carry: Any, rows: Any) -> Any:
        params, m, v, count, key = carry
        key, sub = jx.random.split(key)
        grads = jx.grad(loss)(params, x[rows], t[rows], sub)
        count = count + 1
        if adam:
            m = jx.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
            v = jx.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
            c1, c2 = 1 - 0.9**count, 1 - 0.999**count
            params = jx.tree.map(lambda p, a, b: p - rate * (a / c1) / (jnp.sqrt(b / c2) + 1e-8), params, m, v)
        else:
            params = jx.tree.map(lambda p, g: p - rate * g, params, grads)
        return (params, m, v, count, key), None

    @jx.jit
    def run(carry: Any, key: Any) -> Any:
        order = jx.random.permutation(key, len(x)) if task.config.shuffle else jnp.arange(len(x))
        return jx.lax.scan(step, carry, order[: steps * batch].reshape(steps, batch))[0]

    zeros = jx.tree.map(jnp.zeros_like, params)
    state = {"carry": (params, zeros, zeros, jnp.zeros((), jnp.float32), jx.random.key(0)), "epoch": 0}

    def epoch() -> None:
        state["epoch"] += 1
        state["carry"] = jx.block_until_ready(run(state["carry"], jx.random.key(state["epoch"])))

    yield from timed(task, epoch)


def sklearn(task: Task) -> Iterator[float]:
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")
    hidden = [layer["units"] for layer in task.layers if layer["type"] == "dense"][:-1]
    model = MLPClassifier(
        hidden,
        activation="logistic" if any(layer["type"] == "sigmoid" for layer in task.layers) else "relu",
        solver="adam" if task.optimizer["type"] == "adam" else "sgd",
        alpha=0,
        momentum=0,
        batch_size=task.config.batch_size,
        learning_rate_init=task.optimizer["learning_rate"],
        shuffle=task.config.shuffle,
        max_iter=1,
        warm_start=True,
    )
    yield from timed(task, lambda: model.fit(task.x, task.t))


def products(task: Task) -> Iterator[float]:
    """The matrix products of an epoch alone, in the shapes of the dense layers: the upper limit."""
    from app.runs.training.hardware import computing

    batch = task.config.batch_size
    sizes = [784, *(layer["units"] for layer in task.layers if layer["type"] == "dense")]
    rng = np.random.default_rng(0)

    def arrays(*shape: int) -> Any:
        return rng.random(shape, np.float32)

    shapes = list(pairwise(sizes))
    x, y = [arrays(batch, a) for a, _ in shapes], [arrays(batch, b) for _, b in shapes]
    w, gradient, dx = [arrays(*s) for s in shapes], [arrays(*s) for s in shapes], [arrays(batch, a) for a, _ in shapes]

    def epoch() -> None:
        for _ in range(len(task.x) // batch):
            for i in range(len(shapes)):
                np.matmul(x[i], w[i], out=y[i])
                np.matmul(x[i].T, y[i], out=gradient[i])
                if i > 0:
                    np.matmul(y[i], w[i].T, out=dx[i])

    with computing(1):
        yield from timed(task, epoch)


LIBRARIES: dict[str, Callable[[Task], Iterator[float]]] = {
    "digitpad": digitpad,
    "torch": torch,
    "keras": keras,
    "jax": jax,
    "sklearn": sklearn,
    "products": products,
}

if __name__ == "__main__":
    print(json.dumps(list(LIBRARIES[sys.argv[1]](load(sys.argv[2])))))
