"""The service that BentoML loads by name; see `benchmarks.serve_peers`."""

import os
from typing import Any

import bentoml

from benchmarks.serve_peers import WEIGHTS_VARIABLE, Perceptron


@bentoml.service(workers=1, traffic={"timeout": 30}, logging={"access": {"enabled": False}})  # type: ignore[untyped-decorator]
class Digits:
    def __init__(self) -> None:
        self.network = Perceptron(os.environ[WEIGHTS_VARIABLE])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, pixels: list[float]) -> dict[str, Any]:
        return self.network.read(pixels)
