"""Titles and explanations of a config's fields, in the groups of a form."""

from dataclasses import dataclass

from app.nn.network import DTYPES, GENERATORS, LAYER_LIMIT
from app.runs.config.field import Field
from app.runs.config.run_config import MOST_BATCH, MOST_EPOCHS, MOST_SEED
from app.runs.config.sweep import LEAST, MOST


@dataclass(frozen=True)
class Group:
    """A group of fields in a form."""

    name: str
    title: str
    fields: tuple[Field, ...]


DATA = Group(
    "data",
    title="Data",
    fields=(
        Field("dataset", "choice", title="Data set", explanation="What the network learns from."),
        Field(
            "validation",
            "number",
            title="Validation",
            explanation="Images set aside for checking: a share of the training set, or “test” for the test set.",
            above=0,
            below=1,
            choices=("test",),
        ),
        Field(
            "input_scale",
            "number",
            title="Input scale",
            explanation="Pixels (0 to 255) are divided by this: 255 makes them 0 to 1.",
            above=0,
        ),
        Field(
            "augmentation",
            "object",
            title="Augmentation",
            explanation="Changes the training images a little in every epoch, so none is seen twice.",
            of="augmentation",
        ),
    ),
)

MODEL = Group(
    "model",
    title="Network",
    fields=(
        Field(
            "network.layers",
            "layers",
            title="Layers",
            explanation="What an image passes through, from the pixels to one output for each label.",
            minimum=1,
            maximum=LAYER_LIMIT,
            of="layers",
        ),
        Field(
            "network.generator",
            "choice",
            title="Random generator",
            explanation="The source of the initial weights; “legacy” gives the numbers that older tutorials print.",
            choices=GENERATORS,
        ),
        Field(
            "dtype",
            "choice",
            title="Precision",
            explanation="32 bits are faster, 64 bits more precise.",
            choices=DTYPES,
        ),
    ),
)

TRAINING = Group(
    "training",
    title="Training",
    fields=(
        Field("loss", "spec", title="Loss function", explanation="What training minimizes.", of="losses"),
        Field(
            "optimizer", "spec", title="Optimizer", explanation="How the weights follow the gradient.", of="optimizers"
        ),
        Field(
            "schedule",
            "spec",
            title="Schedule",
            explanation="How the learning rate changes during training.",
            of="schedules",
        ),
        Field(
            "batch_size",
            "whole",
            title="Batch size",
            explanation="Images per step.",
            minimum=1,
            maximum=MOST_BATCH,
        ),
        Field(
            "epochs",
            "whole",
            title="Epochs",
            explanation="How many times training goes through all images.",
            minimum=1,
            maximum=MOST_EPOCHS,
        ),
        Field(
            "weight_decay",
            "number",
            title="Weight decay (L2)",
            explanation="How strongly large weights are penalized, which curbs overfitting.",
            minimum=0,
        ),
        Field(
            "clip_norm",
            "number",
            title="Gradient clipping",
            explanation="Longer gradients are shortened to this length, so no step is too large.",
            above=0,
        ),
        Field(
            "patience",
            "whole",
            title="Patience",
            explanation=(
                "Training stops after this many epochs without a lower validation loss, and keeps the best weights."
            ),
            minimum=1,
        ),
        Field(
            "averaging",
            "whole",
            title="Weight averaging",
            explanation="The model gets the mean of the weights of this many final epochs.",
            minimum=1,
        ),
        Field(
            "distillation",
            "object",
            title="Distillation",
            explanation="Learn from a trained model's answers for every image, not just from the labels.",
            of="distillation",
        ),
        Field("shuffle", "flag", title="Shuffle", explanation="Whether the images come in a new order in each epoch."),
        Field(
            "seed",
            "whole",
            title="Random seed",
            explanation="Same seed, same result.",
            minimum=0,
            maximum=MOST_SEED,
        ),
        Field(
            "evaluate_training_set",
            "flag",
            title="Measure on the training set",
            explanation="Whether to measure the whole training set after each epoch, which takes longer.",
        ),
    ),
)

AUGMENTATION = (
    Field("share", "number", title="Share", explanation="The share of images that are changed."),
    Field("rotation", "number", title="Rotation", explanation="Rotated by up to this many degrees."),
    Field("scale", "number", title="Scale", explanation="Made larger or smaller by up to this share."),
    Field("stretch", "number", title="Stretch", explanation="Made wider and lower, or narrower and higher."),
    Field("shear", "number", title="Shear", explanation="Slanted: each row shifts by up to this share of its height."),
    Field("shift", "number", title="Shift", explanation="Moved by up to this many pixels along each axis."),
    Field(
        "elastic", "number", title="Elastic", explanation="Bent as if by an unsteady hand, by about this many pixels."
    ),
    Field("smoothness", "number", title="Smoothness", explanation="How wide the bends are, in pixels."),
    Field("thicken", "number", title="Thicken", explanation="Strokes up to this many pixels wider on each side."),
    Field("thin", "number", title="Thin", explanation="Strokes up to this many pixels narrower on each side."),
    Field("blur", "number", title="Blur", explanation="Blurred by up to this amount."),
    Field("cutout", "number", title="Cutout", explanation="The share of images that lose a square."),
    Field("cutout_size", "number", title="Cutout size", explanation="The largest side of that square, in pixels."),
    Field("noise", "number", title="Noise", explanation="Random grey added to each pixel, as a share of full ink."),
)
"""Their ranges are those of app.data.augmentation.augment."""

DISTILLATION = (
    Field("model", "choice", title="Teacher", explanation="The model whose probabilities the network learns."),
    Field(
        "weight",
        "number",
        title="Weight",
        explanation="The teacher's share of what is learned; the labels make up the rest.",
        above=0,
        maximum=1,
    ),
)

SWEEP = (
    Field(
        "values",
        "list",
        title="Values",
        explanation="One run per value, one after another.",
        minimum=LEAST,
        maximum=MOST,
    ),
)
"""The fields of a race."""

GROUPS = (DATA, MODEL, TRAINING)
