"""The shipped network behind LitServe, BentoML or Gradio: `python -m benchmarks.serve_peers LIBRARY PORT WEIGHTS`.

Runs in `.venv-bench-serve`, so that it imports NumPy, the library, and nothing of digitpad. Each gets 784 pixels as
JSON and answers the label and the probabilities, from one process for the network, with its logs and queues off.
"""

import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np

WEIGHTS_VARIABLE = "BENCH_WEIGHTS"


class Perceptron:
    """The network of a safetensors file with dense layers and ReLU between them."""

    def __init__(self, path: str) -> None:
        data = Path(path).read_bytes()
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        arrays = {}
        for name, entry in header.items():
            if name.endswith((".weight", ".bias")):
                start, end = entry["data_offsets"]
                raw = np.frombuffer(data[8 + length + start : 8 + length + end], np.float32)
                arrays[name] = raw.reshape(entry["shape"])
        indices = sorted({int(name.partition(".")[0]) for name in arrays})
        self._layers = [(arrays[f"{index}.weight"], arrays[f"{index}.bias"]) for index in indices]

    def read(self, pixels: list[float]) -> dict[str, Any]:
        """The label and the probabilities of 784 numbers from 0 to 1."""
        x = np.asarray(pixels, np.float32).reshape(1, 784)
        for index, (weight, bias) in enumerate(self._layers):
            x = (np.maximum(x, 0) if index else x) @ weight + bias
        rows = np.exp(x - x.max())
        rows /= rows.sum()
        return {"label": str(rows.argmax()), "probabilities": {str(i): float(p) for i, p in enumerate(rows[0])}}


def litserve(port: int, path: str) -> None:
    from benchmarks.serve_lit import serve

    serve(port, path)


def gradio(port: int, path: str) -> None:
    import gradio as gr

    network = Perceptron(path)
    with gr.Blocks() as demo:
        drawing, answer = gr.JSON(), gr.JSON()
        gr.Button().click(network.read, drawing, answer, api_name="predict")
        gr.Button().click(network.read, drawing, answer, api_name="direct", queue=False)
    demo.launch(server_name="127.0.0.1", server_port=port, quiet=True)


def bentoml(port: int, path: str) -> None:
    import os

    os.environ[WEIGHTS_VARIABLE] = path
    command = [sys.executable, "-m", "bentoml", "serve", "benchmarks.serve_bento:Digits", "--host", "127.0.0.1"]
    os.execv(sys.executable, [*command, "--port", str(port)])


if __name__ == "__main__":
    {"litserve": litserve, "bentoml": bentoml, "gradio": gradio}[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
