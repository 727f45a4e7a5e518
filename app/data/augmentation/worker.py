"""A worker process that augments the images of the next epoch during the current one."""

import json
import mmap
import os
import signal
import subprocess
import sys
from contextlib import suppress

import numpy as np

from app.data.augmentation.augment import Augmentation, Augmenter
from app.data.dataset import ImageArray
from app.errors import InputError
from app.nn import WorkerLostError
from app.nn.subprocesses import spawn
from app.nn.training.pool import can_share

BUFFERS = 2
"""One epoch's images are in use while the next one's are made."""


class AugmentedEpochs:
    """The augmented images of each epoch of a training, which depend on seed and epoch alone.

    Calling it with an epoch returns its images, uint8 (N, H, W), which stay unchanged until the next call. Where the
    system has anonymous shared memory, a process, started by the first call, makes them ahead; elsewhere the call makes
    them. A context manager, as the process must be ended.
    """

    def __init__(
        self, images: ImageArray, augmentation: Augmentation, seed: int, *, epochs: int, ahead: bool = True
    ) -> None:
        """`epochs` is the last one to make ahead; without `ahead` none is."""
        self._images: ImageArray | None = images
        self._augmentation, self._seed, self._last, self._shape = augmentation, seed, epochs, images.shape
        self._ahead = ahead and can_share()
        self._process: subprocess.Popen[bytes] | None = None
        self._requested: list[int] = []
        self._ready: set[int] = set()
        self._memory: _Memory | None = None
        self._augmenter = Augmenter(augmentation, images.shape[1])

    def __enter__(self) -> "AugmentedEpochs":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, epoch: int) -> ImageArray:
        """The images of `epoch`. Raises WorkerLostError if the process died."""
        if not self._ahead:
            images = self._originals()
            return self._augmenter.epoch(images, self._seed, epoch, np.empty_like(images))
        if self._memory is None:
            self._memory = self._begin()
        for needed in (epoch, epoch + 1):
            if needed not in self._requested and needed <= max(self._last, epoch):
                self._request(needed)
        self._wait(epoch)
        made: ImageArray = self._memory.made[epoch % BUFFERS]
        return made

    def close(self) -> None:
        """End the process and free the memory; do not use the returned images any more."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._memory = None

    def _begin(self) -> "_Memory":
        """Start the process and share the images with it."""
        file = os.memfd_create("digitpad-augmentation")
        try:
            memory = _Memory(file, self._shape)
            memory.source[:] = self._originals()
            self._images = None  # one copy is enough
            self._process = spawn("app.data.augmentation.worker", file, answers=True)
        finally:
            os.close(file)
        config = {"shape": self._shape, "augmentation": self._augmentation.spec(), "seed": self._seed}
        self._send({**config, "file": file})
        return memory

    def _originals(self) -> ImageArray:
        if self._images is None:
            raise InputError("expected images that have not been handed over yet; the process already has them")
        return self._images

    def _request(self, epoch: int) -> None:
        """Request the images of `epoch`, which replace those in the same buffer."""
        self._requested = [other for other in self._requested if (other - epoch) % BUFFERS] + [epoch]
        self._ready.discard(epoch)
        self._send(epoch)

    def _send(self, value: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it died; `_wait` reports it
            self._process.stdin.write(json.dumps(value).encode() + b"\n")

    def _wait(self, epoch: int) -> None:
        """Read answers, one per request in the same order, up to that for `epoch`."""
        assert self._process is not None
        assert self._process.stdout is not None
        while epoch not in self._ready:
            line = self._process.stdout.readline()
            if not line.endswith(b"\n"):
                raise WorkerLostError("the augmentation process died (exit code {code})", code=self._process.wait())
            self._ready.add(int(line))


class _Memory:
    """The original images and the augmented ones of two epochs, in shared memory."""

    def __init__(self, file: int, shape: tuple[int, ...]) -> None:
        size = int(np.prod(shape))
        os.ftruncate(file, (1 + BUFFERS) * size)
        arrays = np.frombuffer(mmap.mmap(file, (1 + BUFFERS) * size), np.uint8).reshape(1 + BUFFERS, *shape)
        self.source, self.made = arrays[0], arrays[1:]


def main() -> None:
    """Augment the epochs requested on standard input until it ends, as it does with the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent process
    config = json.loads(sys.stdin.readline())
    memory = _Memory(config["file"], tuple(config["shape"]))
    augmenter = Augmenter(Augmentation(**config["augmentation"]), config["shape"][1])
    for line in sys.stdin:
        epoch = int(line)
        augmenter.epoch(memory.source, config["seed"], epoch, memory.made[epoch % BUFFERS])
        sys.stdout.write(f"{epoch}\n")
        sys.stdout.flush()
