"""Titles and explanations of optimizers, schedules and losses."""

from collections.abc import Mapping

from app.runs.config.field import EPSILON, ComponentKind, Field

RATE = Field(
    "learning_rate",
    "number",
    title="Learning rate",
    explanation="How far each step goes: too small learns slowly, too large never settles.",
    above=0,
)
MOMENTUM = Field(
    "momentum",
    "number",
    title="Momentum",
    explanation="The share of the last step that the next one keeps.",
    minimum=0,
    below=1,
)
BETAS = (
    Field(
        "beta1", "number", title="β₁", explanation="How slowly the mean of the gradients changes.", minimum=0, below=1
    ),
    Field(
        "beta2", "number", title="β₂", explanation="How slowly the mean of their squares changes.", minimum=0, below=1
    ),
)
OPTIMIZERS: Mapping[str, ComponentKind] = {
    "sgd": ComponentKind(title="SGD", explanation="One step down the slope after each batch.", fields=(RATE,)),
    "momentum": ComponentKind(
        title="Momentum", explanation="Gathers speed like a ball rolling downhill.", fields=(RATE, MOMENTUM)
    ),
    "nesterov": ComponentKind(
        title="Nesterov", explanation="Momentum that looks ahead before it steps.", fields=(RATE, MOMENTUM)
    ),
    "adagrad": ComponentKind(
        title="AdaGrad", explanation="Smaller steps for weights that have moved a lot already.", fields=(RATE, EPSILON)
    ),
    "rmsprop": ComponentKind(
        title="RMSProp",
        explanation="AdaGrad that forgets the distant past.",
        fields=(
            RATE,
            Field(
                "rho",
                "number",
                title="ρ",
                explanation="How slowly the past is forgotten.",
                minimum=0,
                below=1,
            ),
            EPSILON,
        ),
    ),
    "adam": ComponentKind(
        title="Adam", explanation="Momentum and RMSProp together; a good first choice.", fields=(RATE, *BETAS, EPSILON)
    ),
    "adamw": ComponentKind(
        title="AdamW",
        explanation="Adam with a weight decay that does not depend on the gradient.",
        fields=(
            RATE,
            *BETAS,
            EPSILON,
            Field(
                "weight_decay",
                "number",
                title="Weight decay",
                explanation="How strongly weights are pulled towards zero.",
                minimum=0,
            ),
        ),
    ),
}

SCHEDULES: Mapping[str, ComponentKind] = {
    "constant": ComponentKind(title="Constant", explanation="The learning rate stays as it is."),
    "step": ComponentKind(
        title="Steps",
        explanation="The learning rate is multiplied by a factor at regular intervals.",
        fields=(
            Field(
                "every",
                "number",
                title="Every",
                explanation="How often it changes, as a share of the training.",
                above=0,
                maximum=1,
                suggested=0.25,
            ),
            Field("factor", "number", title="Factor", explanation="What it is multiplied by.", above=0, maximum=1),
        ),
    ),
    "cosine": ComponentKind(
        title="Cosine",
        explanation="The learning rate falls slowly, then fast, then slowly again.",
        fields=(
            Field(
                "final",
                "number",
                title="Final share",
                explanation="The share of the learning rate that is left at the end.",
                minimum=0,
                maximum=1,
            ),
        ),
    ),
    "one_cycle": ComponentKind(
        title="One cycle",
        explanation="The learning rate rises from a low value, then falls to a far lower one.",
        fields=(
            Field(
                "warm_up",
                "number",
                title="Warm-up",
                explanation="The share of the training in which it rises.",
                above=0,
                below=1,
            ),
            Field(
                "initial_divisor",
                "number",
                title="Initial divisor",
                explanation="What the learning rate is divided by at the start.",
                minimum=1,
            ),
            Field(
                "final_divisor",
                "number",
                title="Final divisor",
                explanation="What the initial value is divided by at the end.",
                minimum=1,
            ),
        ),
    ),
    "warm_up": ComponentKind(
        title="Warm-up",
        explanation="The learning rate rises in a straight line, then follows another schedule.",
        fields=(
            Field(
                "share",
                "number",
                title="Share",
                explanation="The share of the training in which it rises.",
                above=0,
                below=1,
            ),
            Field(
                "initial",
                "number",
                title="Initial share",
                explanation="The share of the learning rate that it starts with.",
                minimum=0,
                maximum=1,
            ),
            Field("schedule", "spec", title="Then", explanation="What follows the warm-up.", of="schedules"),
        ),
    ),
}

LOSSES: Mapping[str, ComponentKind] = {
    "cross_entropy": ComponentKind(
        title="Cross-entropy",
        explanation="How surprised the network is by the right label; the usual choice for classification.",
        fields=(
            Field(
                "label_smoothing",
                "number",
                title="Label smoothing",
                explanation="How much certainty is taken from the right label and spread over all labels.",
                minimum=0,
                below=1,
            ),
        ),
    ),
    "squared_error": ComponentKind(
        title="Squared error", explanation="Half the squared distance between the outputs and the target's 1 and 0s."
    ),
}
