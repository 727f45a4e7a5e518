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
            explanation="Images set aside to check on: a share of the training set, or “test” for the test set.",
            above=0,
            below=1,
            choices=("test",),
        ),
        Field(
            "input_scale",
            "number",
            title="Input scale",
            explanation="What pixels, 0 to 255, are divided by: 255 makes them 0 to 1.",
            above=0,
        ),
        Field(
            "augmentation",
            "object",
            title="Augmentation",
            explanation="Training images changed a little, anew in every epoch, so that none is seen twice.",
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
            title="Random numbers",
            explanation="The source of the first weights; “legacy” gives the numbers that older tutorials print.",
            choices=GENERATORS,
        ),
        Field(
            "dtype",
            "choice",
            title="Precision",
            explanation="32 bits are faster, 64 bits more exact.",
            choices=DTYPES,
        ),
    ),
)

TRAINING = Group(
    "training",
    title="Training",
    fields=(
        Field("loss", "spec", title="Loss function", explanation="What training makes small.", of="losses"),
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
            explanation="Images from which one step is made.",
            minimum=1,
            maximum=MOST_BATCH,
        ),
        Field(
            "epochs",
            "whole",
            title="Epochs",
            explanation="How many times all images are gone through.",
            minimum=1,
            maximum=MOST_EPOCHS,
        ),
        Field(
            "weight_decay",
            "number",
            title="Weight decay (L2)",
            explanation="How strongly large weights are punished, which keeps the network from learning by heart.",
            minimum=0,
        ),
        Field(
            "clip_norm",
            "number",
            title="Longest gradient",
            explanation="A longer gradient is shortened to this, so that no step is wild.",
            above=0,
        ),
        Field(
            "patience",
            "whole",
            title="Patience",
            explanation="After so many epochs without a smaller validation loss training ends, with the best weights.",
            minimum=1,
        ),
        Field(
            "averaging",
            "whole",
            title="Averaging",
            explanation="The mean of the weights of so many last epochs is kept.",
            minimum=1,
        ),
        Field(
            "distillation",
            "object",
            title="Distillation",
            explanation="Learn what a trained model says of every image, and not the labels alone.",
            of="distillation",
        ),
        Field("shuffle", "flag", title="Shuffle", explanation="Whether the images come in a new order each epoch."),
        Field(
            "seed",
            "whole",
            title="Seed",
            explanation="What chance is drawn from: the same seed gives the same result.",
            minimum=0,
            maximum=MOST_SEED,
        ),
        Field(
            "evaluate_training_set",
            "flag",
            title="Measure on the training set",
            explanation="Whether the training set is measured anew after each epoch, which takes longer.",
        ),
    ),
)

AUGMENTATION = (
    Field("share", "number", title="Share", explanation="The share of the images that is changed at all."),
    Field("rotation", "number", title="Rotation", explanation="Turned by up to so many degrees."),
    Field("scale", "number", title="Scale", explanation="Made larger or smaller by up to this share."),
    Field("stretch", "number", title="Stretch", explanation="Made wider and lower, or narrower and higher."),
    Field("shear", "number", title="Shear", explanation="Slanted: each row moves by up to so much of its height."),
    Field("shift", "number", title="Shift", explanation="Moved by up to so many pixels along each axis."),
    Field("elastic", "number", title="Elastic", explanation="Bent as by an unsteady hand, by about so many pixels."),
    Field("smoothness", "number", title="Smoothness", explanation="How wide the bends are, in pixels."),
    Field("thicken", "number", title="Thicken", explanation="Strokes up to so many pixels wider on each side."),
    Field("thin", "number", title="Thin", explanation="Strokes up to so many pixels narrower on each side."),
    Field("blur", "number", title="Blur", explanation="Smoothed by up to this weight."),
    Field("cutout", "number", title="Cutout", explanation="The share of the images that loses a square."),
    Field("cutout_size", "number", title="Cutout size", explanation="The longest side of that square in pixels."),
    Field("noise", "number", title="Noise", explanation="Random grey added to each pixel, as a share of full ink."),
)
"""Their ranges are those of app.data.augmentation.augment."""

DISTILLATION = (
    Field("model", "choice", title="Teacher", explanation="The model whose probabilities are learned."),
    Field(
        "weight",
        "number",
        title="Weight",
        explanation="The teacher's share in what is learned; the labels have the rest.",
        above=0,
        maximum=1,
    ),
)

SWEEP = (
    Field(
        "values",
        "list",
        title="Values",
        explanation="One run for each, one after the other.",
        minimum=LEAST,
        maximum=MOST,
    ),
)
"""The fields of a race."""

GROUPS = (DATA, MODEL, TRAINING)
