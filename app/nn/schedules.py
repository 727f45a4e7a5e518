"""How the learning rate changes during a training, as a factor of the optimizer's own."""

import math
from typing import Any, ClassVar

from app.nn.spec import number


class Schedule:
    type: ClassVar[str]

    def factor(self, progress: float) -> float:
        """The factor of the learning rate when the share `progress` (0 to 1) of all steps is done."""
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, **vars(self)}


class Constant(Schedule):
    type = "constant"

    def factor(self, progress: float) -> float:
        return 1.0


class Cosine(Schedule):
    """Falls along half a cosine from 1 to `final`. Loshchilov and Hutter 2017, equation 5, without restarts."""

    type = "cosine"

    def __init__(self, final: float = 0.0) -> None:
        self.final = number("final", final, low=0, high=1)

    def factor(self, progress: float) -> float:
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES: dict[str, type[Schedule]] = {cls.type: cls for cls in (Constant, Cosine)}
