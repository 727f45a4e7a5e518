"""Learning rate schedules."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from app.nn.errors import SpecError
from app.nn.spec import build, number

ROUNDING = 1e-9
"""The rounding error of a quotient that should be a whole number, such as 0.3/0.1."""


class Schedule:
    """A factor of the optimizer's learning rate that changes during the training."""

    type: ClassVar[str]

    def factor(self, progress: float) -> float:
        """The factor after a fraction `progress` (0 to 1) of all steps."""
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        """The JSON from which an equal schedule can be built."""
        return {"type": self.type, **vars(self)}


class Constant(Schedule):
    """A constant factor of 1."""

    type = "constant"

    def factor(self, progress: float) -> float:
        return 1.0


class StepDecay(Schedule):
    """factorᵏ after the k-th part: the learning rate is multiplied by `factor` after every fraction `every` of the
    training.

    PyTorch's StepLR(step_size=s, gamma=factor) in a training of E epochs is this with every = s/E.
    """

    type = "step"

    def __init__(self, every: float, factor: float = 0.1) -> None:
        self.every = number("every", every, above=0, high=1)
        self._factor = number("factor", factor, above=0, high=1)

    def factor(self, progress: float) -> float:
        return self._factor ** math.floor(progress / self.every + ROUNDING)

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "every": self.every, "factor": self._factor}


class Cosine(Schedule):
    """Falls along half a cosine from 1 to `final`. Loshchilov and Hutter 2017, equation 5, without restarts."""

    type = "cosine"

    def __init__(self, final: float = 0.0) -> None:
        self.final = number("final", final, low=0, high=1)

    def factor(self, progress: float) -> float:
        return _between(1, self.final, progress)


class OneCycle(Schedule):
    """Rises along half a cosine from 1/`initial_divisor` to 1 in the first fraction `warm_up` of the training, then
    falls along another to 1/(`initial_divisor` · `final_divisor`). Smith and Topin 2018.

    It is the curve of PyTorch's OneCycleLR with two phases, `pct_start`, `div_factor` and `final_div_factor`, where the
    optimizer's learning rate is the highest. PyTorch reaches the ends in the last step of a phase, this after it.
    """

    type = "one_cycle"

    def __init__(self, warm_up: float = 0.3, initial_divisor: float = 25, final_divisor: float = 1e4) -> None:
        self.warm_up = number("warm_up", warm_up, above=0, below=1)
        self.initial_divisor = number("initial_divisor", initial_divisor, low=1)
        self.final_divisor = number("final_divisor", final_divisor, low=1)

    def factor(self, progress: float) -> float:
        lowest = 1 / self.initial_divisor
        if progress < self.warm_up:
            return _between(lowest, 1, progress / self.warm_up)
        return _between(1, lowest / self.final_divisor, (progress - self.warm_up) / (1 - self.warm_up))


class WarmUp(Schedule):
    """Rises linearly from `initial` to 1 in the first fraction `share` of the training, then follows `schedule` over
    the rest. Goyal et al. 2017, section 2.2.
    """

    type = "warm_up"

    def __init__(self, share: float = 0.1, initial: float = 0.0, schedule: object = "constant") -> None:
        self.share = number("share", share, above=0, below=1)
        self.initial = number("initial", initial, low=0, high=1)
        if (schedule.get("type") if isinstance(schedule, Mapping) else schedule) == self.type:
            raise SpecError("expected a schedule without its own warm-up; got {type}", field="schedule", type=self.type)
        self.schedule = build("schedule", SCHEDULES, schedule)

    def factor(self, progress: float) -> float:
        if progress < self.share:
            return (self.initial + (1 - self.initial) * progress / self.share) * self.schedule.factor(0)
        return self.schedule.factor((progress - self.share) / (1 - self.share))

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "share": self.share, "initial": self.initial, "schedule": self.schedule.spec()}


def _between(start: float, end: float, progress: float) -> float:
    """Half a cosine from `start` to `end`."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES: dict[str, type[Schedule]] = {cls.type: cls for cls in (Constant, StepDecay, Cosine, OneCycle, WarmUp)}
