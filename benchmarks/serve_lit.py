"""The service that LitServe runs in a separate process; see `benchmarks.serve_peers`."""

from typing import Any

import litserve

from benchmarks.serve_peers import Perceptron


class Digits(litserve.LitAPI):  # type: ignore[misc]
    def __init__(self, path: str) -> None:
        super().__init__(api_path="/predict")
        self._path = path

    def setup(self, device: str) -> None:
        self._network = Perceptron(self._path)

    def decode_request(self, request: dict[str, Any]) -> list[float]:
        pixels: list[float] = request["pixels"]
        return pixels

    def predict(self, pixels: list[float]) -> dict[str, Any]:
        return self._network.read(pixels)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


def serve(port: int, path: str) -> None:
    server = litserve.LitServer(Digits(path), accelerator="cpu")
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
