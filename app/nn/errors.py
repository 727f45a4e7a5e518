"""The engine's errors: each is a template and its values, so that callers can translate it."""

from typing import Any


class EngineError(Exception):
    """An error of the engine.

    `template` has a slot `{name}` for each of `values`; `field` is the path of the value that is wrong, as
    "optimizer.learning_rate". The text of the error is English, with the field before it.
    """

    code = "engine"

    def __init__(self, template: str, /, *, field: str | None = None, **values: Any) -> None:
        self.template, self.field, self.values = template, field, values
        text = template.format_map(values)
        super().__init__(text if field is None else f"{field}: {text}")


class SpecError(EngineError, ValueError):
    """A value is not what was expected."""

    code = "invalid"

    def within(self, place: str) -> "SpecError":
        """The same error about a field of `place`, "layers[2]" say."""
        return SpecError(self.template, field=place if self.field is None else f"{place}.{self.field}", **self.values)


class WorkerLostError(EngineError, RuntimeError):
    """A process that shares the work died."""


class Diverged(EngineError, ArithmeticError):
    """The loss or the weights are no longer finite numbers."""

    def __init__(self, epoch: int, batch: int) -> None:
        super().__init__(
            "the loss or the weights were no longer finite in epoch {epoch}, batch {batch}; "
            "a smaller learning rate may help",
            epoch=epoch,
            batch=batch,
        )
        self.epoch, self.batch = epoch, batch
