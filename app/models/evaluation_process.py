"""An evaluation in a process of its own, which can be ended at any moment and leaves the server its time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable

import numpy as np
from safetensors.numpy import load, save

from app.data import Split
from app.models.card import ModelCard
from app.models.evaluation import Stop, StoppedError, evaluate_split
from app.models.evaluation_cache import ModelEvaluation
from app.nn import Network
from app.nn.subprocesses import command, environment

POLL_SECONDS = 0.1
NICENESS = 5
"""Below the server, which answers meanwhile."""


def evaluate_apart(network: Network, card: ModelCard, split: Split, is_over: Stop = lambda: False) -> ModelEvaluation:
    """As `evaluate_split`; raises StoppedError also where the process ends by itself."""
    head = {"card": card.model_dump(mode="json"), "images": split.images.shape}
    arrays = [save(network.weights()), split.images.tobytes(), split.labels.astype(np.int64).tobytes()]
    head["sizes"] = [len(array) for array in arrays]
    answer = compute_apart(__name__, (json.dumps(head).encode(), b"\n", *arrays), is_over)
    return ModelEvaluation.from_arrays(load(answer), split.labels.astype(np.int64))


def compute_apart(module: str, question: Iterable[bytes], is_over: Stop = lambda: False) -> bytes:
    """The output of `main()` of `module`, in a process of its own that reads `question`. Raises StoppedError."""
    with tempfile.TemporaryFile() as file:
        file.writelines(question)
        file.seek(0)
        with subprocess.Popen(command(module), stdin=file, stdout=subprocess.PIPE, env=environment()) as process:
            answer = _answer(process, is_over)
    if process.returncode != 0:
        raise StoppedError(
            "the evaluation's process ended by itself (exit code {code}); try again",
            code=process.returncode,
            retry_after=10,
        )
    return answer


def _answer(process: "subprocess.Popen[bytes]", is_over: Stop) -> bytes:
    try:
        while True:
            try:
                return process.communicate(timeout=POLL_SECONDS)[0]
            except subprocess.TimeoutExpired:
                if is_over():
                    raise StoppedError("the evaluation was stopped; try again", retry_after=2) from None
    finally:
        process.kill()


def main() -> None:
    """Evaluate what comes on standard input, and write the predictions to standard output, as safetensors."""
    os.nice(NICENESS)
    source = sys.stdin.buffer
    head = json.loads(source.readline())
    weights, images, labels = (source.read(size) for size in head["sizes"])
    card = ModelCard.model_validate(head["card"])
    network = Network.from_spec(card.network, dtype=card.dtype)
    network.load_weights(load(weights))
    split = Split(np.frombuffer(images, np.uint8).reshape(head["images"]), np.frombuffer(labels, np.int64))
    found = evaluate_split(network, card, split)
    sys.stdout.buffer.write(save(found.arrays()))
