"""What a model card has as evidence beside its metrics: tables that were measured once, and kept with the model."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FORGOTTEN = 0.005
"""A model made one's own may read any test set worse than its parent by up to half a point, and become the default."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Reading(_Strict):
    """The share that was read right of `count` images of one kind."""

    kind: str = Field(min_length=1, max_length=200)
    accuracy: float = Field(ge=0, le=1)
    count: int = Field(ge=1)


class SeedResult(_Strict):
    """The accuracies that a training with this seed came to, on its validation images and on the test set."""

    seed: int = Field(ge=0)
    val: float | None = Field(default=None, ge=0, le=1)
    test: float | None = Field(default=None, ge=0, le=1)


class Compared(_Strict):
    """What the parent read right, and what the new model does, of the same images.

    `of` is "drawings" for the user's own that were held out, "parent" for the test images of the parent's data set, and
    "other" for those of another set.
    """

    of: Literal["drawings", "parent", "other"]
    data: str = Field(max_length=200)
    """The name of the data set, "drawings:NAME" or that whose test images they are."""
    count: int = Field(ge=1)
    before: float = Field(ge=0, le=1)
    after: float = Field(ge=0, le=1)


class Mine(_Strict):
    """What a model was made one's own from: the parent, the set of drawings, and how many of them were learned."""

    parent: str = Field(max_length=64)
    parent_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    set: str = Field(max_length=64)
    drawings: int = Field(ge=1)
    learned: int = Field(ge=1)
    held_out: int = Field(ge=0)
    seen: bool = False
    """Whether its parent may have learned from some of those: what that was trained on had drawings among it."""
    compared: list[Compared] = Field(max_length=10)

    def forgot(self) -> str | None:
        """In words, if it reads any test set too much worse than its parent; None where it does not."""
        for row in self.compared:
            # counts, so that a fall of exactly half a point is none too many, whatever floats make of it
            lost = round((row.before - row.after) * row.count)
            if row.of != "drawings" and lost > FORGOTTEN * row.count + 1e-6:
                return (
                    f"it reads the test set of {row.data} {100 * (row.before - row.after):.2f} points worse than "
                    f"{self.parent}: {100 * row.after:.2f} % after {100 * row.before:.2f} %; expected at most "
                    f"{100 * FORGOTTEN:g} points"
                )
        return None
