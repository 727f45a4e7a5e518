"""What is compared with PyTorch: names and settings, for the script that makes the numbers and for the test."""

IMAGE = [2, 3, 8, 9]
"""N, C, H, W."""
VECTOR = [4, 5]

LAYERS = {
    "dense": ({"type": "dense", "units": 3}, VECTOR),
    "flatten": ({"type": "flatten"}, IMAGE),
    "conv2d": ({"type": "conv2d", "filters": 4, "kernel_size": 3}, IMAGE),
    "conv2d-1x1": ({"type": "conv2d", "filters": 4, "kernel_size": 1}, IMAGE),
    "conv2d-same": ({"type": "conv2d", "filters": 4, "kernel_size": 5, "padding": "same"}, IMAGE),
    "conv2d-same-even": ({"type": "conv2d", "filters": 4, "kernel_size": [2, 4], "padding": "same"}, IMAGE),
    "conv2d-stride": ({"type": "conv2d", "filters": 4, "kernel_size": [2, 3], "stride": 2}, IMAGE),
    "conv2d-stride-padding": (
        {"type": "conv2d", "filters": 4, "kernel_size": [4, 3], "stride": 2, "padding": 1},
        IMAGE,
    ),
    "conv2d-gap": ({"type": "conv2d", "filters": 4, "kernel_size": [2, 3], "stride": 3}, IMAGE),
    "conv2d-one-filter": ({"type": "conv2d", "filters": 1, "kernel_size": [3, 5], "padding": 2}, IMAGE),
    "max_pool2d": ({"type": "max_pool2d"}, [2, 3, 8, 6]),
    "max_pool2d-3": ({"type": "max_pool2d", "size": 3}, [2, 3, 6, 9]),
    "max_pool2d-overlap": ({"type": "max_pool2d", "size": 3, "stride": 2}, [2, 3, 7, 9]),
    "max_pool2d-gap": ({"type": "max_pool2d", "size": 2, "stride": 3}, [2, 3, 8, 5]),
    "average_pool2d": ({"type": "average_pool2d"}, [2, 3, 8, 6]),
    "average_pool2d-overlap": ({"type": "average_pool2d", "size": 3, "stride": 2}, [2, 3, 7, 9]),
    "batch_norm-1d": ({"type": "batch_norm"}, VECTOR),
    "batch_norm-2d": ({"type": "batch_norm", "momentum": 0.7, "epsilon": 1e-3}, IMAGE),
    "relu": ({"type": "relu"}, VECTOR),
    "leaky_relu": ({"type": "leaky_relu", "slope": 0.1}, VECTOR),
    "sigmoid": ({"type": "sigmoid"}, VECTOR),
    "tanh": ({"type": "tanh"}, VECTOR),
    "gelu": ({"type": "gelu"}, VECTOR),
    "gelu-tanh": ({"type": "gelu", "approximate": "tanh"}, VECTOR),
    "softmax": ({"type": "softmax"}, VECTOR),
    "identity": ({"type": "identity"}, VECTOR),
}
"""Name: spec, and the shape of the inputs with the batch."""

LOSSES = {
    "cross_entropy-labels": ({"type": "cross_entropy"}, "labels"),
    "cross_entropy-distributions": ({"type": "cross_entropy"}, "distributions"),
    "cross_entropy-smooth-labels": ({"type": "cross_entropy", "label_smoothing": 0.1}, "labels"),
    "cross_entropy-smooth-distributions": ({"type": "cross_entropy", "label_smoothing": 0.1}, "distributions"),
    "squared_error-values": ({"type": "squared_error"}, "values"),
    "squared_error-labels": ({"type": "squared_error"}, "labels"),
}
"""Name: spec, and the kind of targets."""

OPTIMIZERS = {
    "sgd": {"type": "sgd", "learning_rate": 0.1},
    "momentum": {"type": "momentum", "learning_rate": 0.1, "momentum": 0.8},
    "nesterov": {"type": "nesterov", "learning_rate": 0.1, "momentum": 0.8},
    "adagrad": {"type": "adagrad", "learning_rate": 0.1},
    "rmsprop": {"type": "rmsprop", "learning_rate": 0.01, "rho": 0.8},
    "adam": {"type": "adam", "learning_rate": 0.1, "beta1": 0.8, "beta2": 0.9},
    "adamw": {"type": "adamw", "learning_rate": 0.1, "weight_decay": 0.2},
}
STEPS = 10
DECAYED = 4
"""How many of an optimizer's parameters are weights."""

SCHEDULE_STEPS = 20
SCHEDULES = {
    "constant": {"type": "constant"},
    "step": {"type": "step", "every": 0.25, "factor": 0.3},
    "cosine": {"type": "cosine", "final": 0.1},
    # PyTorch's phases end in their last step, (0.3·20 − 1) and (20 − 1)
    "one_cycle": {"type": "one_cycle", "warm_up": 5 / 19, "initial_divisor": 10, "final_divisor": 100},
    "warm_up": {"type": "warm_up", "share": 0.25, "initial": 0.2, "schedule": "cosine"},
}
