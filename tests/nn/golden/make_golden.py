"""Writes golden.npz: PyTorch's numbers for every layer, loss, optimizer and schedule.

PyTorch is needed here alone: `python -m tests.nn.golden.make_golden` in an environment that has it.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.nn.golden.cases import DECAYED, LAYERS, LOSSES, OPTIMIZERS, SCHEDULE_STEPS, SCHEDULES, STEPS

GOLDEN = Path(__file__).with_name("golden.npz")
RATE = 0.5


def layer(spec, shape):
    """PyTorch's layer, and the names by which digitpad knows its parameters and buffers."""
    spec = dict(spec)
    kind = spec.pop("type")
    weights = {"weight": "weight", "bias": "bias"}
    if kind == "dense":
        return nn.Linear(shape[1], spec["units"]), weights
    if kind == "conv2d":
        filters = spec.pop("filters")
        size = spec.pop("kernel_size")
        return nn.Conv2d(shape[1], filters, tuple(size) if isinstance(size, list) else size, **spec), weights
    if kind == "batch_norm":
        cls = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
        built = cls(shape[1], eps=spec.get("epsilon", 1e-5), momentum=1 - spec.get("momentum", 0.9))
        return built, {"weight": "gamma", "bias": "beta"}
    size, stride = spec.get("size", 2), spec.get("stride")
    plain = {
        "flatten": nn.Flatten(),
        "max_pool2d": nn.MaxPool2d(size, stride),
        "average_pool2d": nn.AvgPool2d(size, stride),
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(spec.get("slope", 0.01)),
        "sigmoid": nn.Sigmoid(),
        "tanh": nn.Tanh(),
        "gelu": nn.GELU(approximate=spec.get("approximate", "none")),
        "softmax": nn.Softmax(dim=-1),
        "identity": nn.Identity(),
    }
    return plain[kind], {}


def layers():
    for name, (spec, shape) in LAYERS.items():
        module, names = layer(spec, shape)
        module = module.double()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(torch.randn_like(parameter))
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        y = module(x)
        grad = torch.randn_like(y)
        y.backward(grad)
        yield f"{name}/x", x
        yield f"{name}/y", y
        yield f"{name}/grad", grad
        yield f"{name}/dx", x.grad
        for parameter, known in names.items():
            value = getattr(module, parameter)
            # a dense layer here keeps (inputs, units), PyTorch (units, inputs)
            turn = (
                (lambda array: array.T) if spec["type"] == "dense" and parameter == "weight" else (lambda array: array)
            )
            yield f"{name}/params/{known}", turn(value)
            yield f"{name}/grads/{known}", turn(value.grad)
        if spec["type"] == "batch_norm":
            yield f"{name}/state/running_mean", module.running_mean
            yield f"{name}/state/running_variance", module.running_var
            yield f"{name}/inference", module.eval()(x)


def losses():
    outputs = torch.randn(6, 4, dtype=torch.float64)
    targets = {
        "labels": torch.tensor([0, 3, 1, 1, 2, 0]),
        "distributions": torch.softmax(torch.randn(6, 4, dtype=torch.float64), dim=1),
        "values": torch.randn(6, 4, dtype=torch.float64),
    }
    for name, (spec, kind) in LOSSES.items():
        z, t = outputs.clone().requires_grad_(), targets[kind]
        if spec["type"] == "cross_entropy":
            value = functional.cross_entropy(z, t, label_smoothing=spec.get("label_smoothing", 0.0))
        else:
            one_hot = functional.one_hot(t, 4).double() if kind == "labels" else t
            value = functional.mse_loss(z, one_hot, reduction="sum") / 2 / len(z)
        value.backward()
        yield f"{name}/outputs", outputs
        yield f"{name}/targets", t
        yield f"{name}/value", value
        yield f"{name}/gradient", z.grad


def optimizer(spec, weights, biases):
    rate = spec["learning_rate"]
    parameters = [weights, biases]
    decayed = [{"params": [weights]}, {"params": [biases], "weight_decay": 0.0}]
    if spec["type"] == "adamw":
        return torch.optim.AdamW(decayed, lr=rate, weight_decay=spec["weight_decay"])
    if spec["type"] == "adam":
        return torch.optim.Adam(parameters, lr=rate, betas=(spec["beta1"], spec["beta2"]))
    if spec["type"] == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=spec["rho"])
    if spec["type"] == "adagrad":
        return torch.optim.Adagrad(parameters, lr=rate)
    momentum = spec.get("momentum", 0.0)
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum, nesterov=spec["type"] == "nesterov")


def optimizers():
    start, gradients = torch.randn(7, dtype=torch.float64), torch.randn(STEPS, 7, dtype=torch.float64)
    yield "start", start
    yield "gradients", gradients
    for name, spec in OPTIMIZERS.items():
        weights, biases = start[:DECAYED].clone().requires_grad_(), start[DECAYED:].clone().requires_grad_()
        rule = optimizer(spec, weights, biases)
        steps = []
        for gradient in gradients:
            weights.grad, biases.grad = gradient[:DECAYED].clone(), gradient[DECAYED:].clone()
            rule.step()
            steps.append(torch.cat([weights, biases]).detach().clone())
        yield f"{name}/steps", torch.stack(steps)


def schedules():
    total = SCHEDULE_STEPS
    made = torch.optim.lr_scheduler
    rules = {
        "constant": lambda sgd: made.ConstantLR(sgd, factor=1.0),
        "step": lambda sgd: made.StepLR(sgd, step_size=total // 4, gamma=0.3),
        "cosine": lambda sgd: made.CosineAnnealingLR(sgd, T_max=total, eta_min=0.1 * RATE),
        "one_cycle": lambda sgd: made.OneCycleLR(
            sgd, max_lr=RATE, total_steps=total, pct_start=0.3, div_factor=10, final_div_factor=100
        ),
        "warm_up": lambda sgd: made.SequentialLR(
            sgd,
            [
                made.LinearLR(sgd, start_factor=0.2, total_iters=total // 4),
                made.CosineAnnealingLR(sgd, T_max=total - total // 4),
            ],
            milestones=[total // 4],
        ),
    }
    for name in SCHEDULES:
        sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
        rule, factors = rules[name](sgd), []
        for _ in range(total):
            factors.append(sgd.param_groups[0]["lr"] / RATE)
            sgd.step()
            rule.step()
        yield f"{name}/factors", torch.tensor(factors, dtype=torch.float64)


def main() -> None:
    torch.manual_seed(1)
    arrays = {
        f"{kind}/{name}": value.detach().numpy()
        for kind, made in (
            ("layers", layers()),
            ("losses", losses()),
            ("optimizers", optimizers()),
            ("schedules", schedules()),
        )
        for name, value in made
    }
    np.savez_compressed(GOLDEN, torch_version=np.array(torch.__version__), **arrays)


if __name__ == "__main__":
    main()
