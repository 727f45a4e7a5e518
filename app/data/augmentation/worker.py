"""A process beside the training that changes the images of the next epoch while this one is learned from."""

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
"""One epoch's images are learned from while the next one's are made."""


class AugmentedEpochs:
    """The images of each epoch of a training: `images`, changed as `augmentation` says, by seed and epoch alone.

    Calling it with an epoch gives its images, uint8 (N, H, W), which stay as they are until it is called with the next
    one. Where the system has anonymous shared memory they are made ahead by a process of its own, which begins with the
    first call; elsewhere when they are asked for. A context manager, as the process must be ended.
    """

    def __init__(
        self, images: ImageArray, augmentation: Augmentation, seed: int, *, epochs: int, ahead: bool = True
    ) -> None:
        """After the last of `epochs` nothing is made ahead, and without `ahead` nothing is at all."""
        self._images: ImageArray | None = images
        self._augmentation, self._seed, self._last, self._shape = augmentation, seed, epochs, images.shape
        self._ahead = ahead and can_share()
        self._process: subprocess.Popen[bytes] | None = None
        self._ordered: list[int] = []
        self._ready: set[int] = set()
        self._memory: _Memory | None = None
        self._augmenter = Augmenter(augmentation, images.shape[1])

    def __enter__(self) -> "AugmentedEpochs":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, epoch: int) -> ImageArray:
        """The images of `epoch`. Raises WorkerLostError where the process that makes them died."""
        if not self._ahead:
            images = self._own_images()
            return self._augmenter.epoch(images, self._seed, epoch, np.empty_like(images))
        if self._memory is None:
            self._memory = self._begin()
        for wanted in (epoch, epoch + 1):
            if wanted not in self._ordered and wanted <= max(self._last, epoch):
                self._order(wanted)
        self._wait(epoch)
        made: ImageArray = self._memory.made[epoch % BUFFERS]
        return made

    def close(self) -> None:
        """End the process and give the memory back; the images that were given are no longer to be used."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._memory = None

    def _begin(self) -> "_Memory":
        """Start the process, which has the images in memory that is shared with it."""
        file = os.memfd_create("digitpad-augmentation")
        try:
            memory = _Memory(file, self._shape)
            memory.source[:] = self._own_images()
            self._images = None  # one copy is enough
            self._process = spawn("app.data.augmentation.worker", file, answers=True)
        finally:
            os.close(file)
        orders = {"shape": self._shape, "augmentation": self._augmentation.spec(), "seed": self._seed}
        self._say({**orders, "file": file})
        return memory

    def _own_images(self) -> ImageArray:
        if self._images is None:
            raise InputError("expected images that have not been handed over yet; the process already has them")
        return self._images

    def _order(self, epoch: int) -> None:
        """Have the images of `epoch` made in the place of those that were there."""
        self._ordered = [other for other in self._ordered if (other - epoch) % BUFFERS] + [epoch]
        self._ready.discard(epoch)
        self._say(epoch)

    def _say(self, what: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it died: who waits for its answer finds that out
            self._process.stdin.write(json.dumps(what).encode() + b"\n")

    def _wait(self, epoch: int) -> None:
        """Read answers, one for each order in their order, until that for `epoch`."""
        assert self._process is not None
        assert self._process.stdout is not None
        while epoch not in self._ready:
            line = self._process.stdout.readline()
            if not line.endswith(b"\n"):
                raise WorkerLostError("the augmentation process died (exit code {value})", value=self._process.wait())
            self._ready.add(int(line))


class _Memory:
    """The images as they are, and as they were made for two epochs, in memory that processes share."""

    def __init__(self, file: int, shape: tuple[int, ...]) -> None:
        size = int(np.prod(shape))
        os.ftruncate(file, (1 + BUFFERS) * size)  # for whoever comes second it has that size already
        whole = np.frombuffer(mmap.mmap(file, (1 + BUFFERS) * size), np.uint8).reshape(1 + BUFFERS, *shape)
        self.source, self.made = whole[0], whole[1:]


def main() -> None:
    """Make images as standard input orders until it ends, which it does with the process that began this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that began this one
    parent = os.getppid()
    orders = json.loads(sys.stdin.readline())
    memory = _Memory(orders["file"], tuple(orders["shape"]))
    augmenter = Augmenter(Augmentation(**orders["augmentation"]), orders["shape"][1])
    for line in sys.stdin:
        epoch = int(line)
        for _ in augmenter.chunks(memory.source, orders["seed"], epoch, memory.made[epoch % BUFFERS]):
            if os.getppid() != parent:
                return
        sys.stdout.write(f"{epoch}\n")
        sys.stdout.flush()
