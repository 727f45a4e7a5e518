"""The paths of a race's runs in a plane of their weights, measured once and kept in the cache folder."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.errors import MessageError
from app.models.cost import TooLargeError, prediction_cost
from app.models.evaluation import Stop
from app.models.evaluation_process import compute_apart
from app.models.image_samples import sample_images
from app.nn import LOSSES, build
from app.runs.config.run_config import parse_config
from app.runs.log.event_log import EventLog
from app.runs.log.state import ENDED
from app.runs.trajectory import loss_plane
from app.runs.trajectory.loss_plane import LossPlane, question_of
from app.runs.trajectory.run_map import sets_of_run
from app.runs.trajectory.trajectories import Moment, Trajectories, vector_of
from app.storage.atomic import write_atomic

SIDES = (25, 19, 15)
"""Points of the grid along each side: as many as the network is small enough for."""
MOST_IMAGES, LEAST_IMAGES = 1_000, 200
MOST_WORK = 500_000_000_000
"""The most multiplications of a plane: half a minute of one processor."""
MOST_NUMBERS = 64_000_000
"""The most weights of all moments together, in memory at once; 256 MB."""
KEPT = 32
"""Planes in the cache folder, the newest ones."""


class NoPlaneError(MessageError):
    """There is no plane of these runs; the message says why."""

    code = "nothing_yet"


@dataclass(frozen=True, eq=False)
class RacePlane:
    """The plane of a race, the moments of its runs in the order of the plane's points, and what was measured on."""

    plane: LossPlane
    runs: list[tuple[int, list[Moment]]]
    images: int
    dataset: str


class RacePlanes:
    """The planes of a log's races."""

    def __init__(
        self,
        log: EventLog,
        trajectories: Trajectories,
        catalog: DatasetCatalog,
        datasets: DatasetCache,
        cache_dir: Path,
    ) -> None:
        self._log, self._trajectories, self._catalog, self._datasets = log, trajectories, catalog, datasets
        self._folder = cache_dir / "loss-planes"

    def get(self, race: int, is_over: Stop = lambda: False) -> RacePlane:
        """The plane of a race whose runs have all ended.

        Raises NoPlaneError, NoTrajectoryError, TooLargeError, DatasetUnavailable, and StoppedError.
        """
        rows = self._log.race_runs(race)
        if not rows:
            raise NoPlaneError("there is no race {race}", race=race)
        if any(row["state"] not in ENDED for row in rows):
            raise NoPlaneError("the paths of a race can be measured when all of its runs have ended")
        configs = [parse_config(row["config"]) for row in rows]
        first, network = configs[0], configs[0].build_network()
        for config in configs:
            if config.dataset != first.dataset or config.input_scale != first.input_scale or config.loss != first.loss:
                raise NoPlaneError("the runs have different data or losses, so that there is no common plane of them")
            if _structure(config.build_network().spec()) != _structure(network.spec()):
                raise NoPlaneError("the runs have different networks, so that there is no common plane of them")
        kept = [(row["id"], self._trajectories.moments(row["id"])) for row in rows]
        kept = [(run, moments) for run, moments in kept if len(moments) > 1]
        if not kept:
            raise NoPlaneError("the weights of these runs along their training were not kept")
        most = MOST_NUMBERS // (vector_of(network).size * len(kept))
        runs = [(run, _thinned(moments, max(2, most))) for run, moments in kept]
        points = sum(len(moments) for _, moments in runs)
        cost = max(1, prediction_cost(network))
        side = next((side for side in SIDES if (side**2 + points) * LEAST_IMAGES * cost <= MOST_WORK), None)
        if side is None:
            raise TooLargeError("the network of these runs is too large to measure a plane of its loss")
        labels, sets = sets_of_run(self._log, rows[0]["id"], first.dataset, self._catalog, self._datasets)
        images = min(MOST_IMAGES, MOST_WORK // ((side**2 + points) * cost))
        sample = sample_images(labels, sets, "train", images)
        created = [(row["id"], row["created"]) for row in rows]
        described = [self._trajectories.log, created, [[run, [asdict(one) for one in m]] for run, m in runs], side]
        digest = hashlib.sha256(json.dumps(described).encode())
        digest.update(sample.images.tobytes())
        path = self._folder / f"{digest.hexdigest()}.safetensors"
        plane = _read(path, side, points)
        if plane is None:
            numbers = vector_of(network).size
            for run, moments in runs:  # before the process, which could not say why it fails
                for moment in moments:
                    self._trajectories.vector(run, moment, numbers)
            loss = build("loss", LOSSES, first.loss)
            question = question_of(
                self._trajectories,
                runs,
                network,
                sample.images,
                sample.labels,
                loss=loss,
                input_scale=first.input_scale,
                side=side,
            )
            answer = load(compute_apart(loss_plane.__name__, question, is_over))
            plane = LossPlane.from_arrays(answer, side=side, points=points)
            self._keep(path, plane)
        return RacePlane(plane, runs, len(sample), " + ".join(sample.titles))

    def _keep(self, path: Path, plane: LossPlane) -> None:
        with suppress(OSError):  # a disk that takes nothing: it is measured again
            self._folder.mkdir(parents=True, exist_ok=True)
            arrays = {name: np.ascontiguousarray(array) for name, array in plane.arrays().items()}
            write_atomic(path, save(arrays), prefix=".plane.")
            files = sorted(self._folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime_ns)
            for file in files[:-KEPT]:
                file.unlink(missing_ok=True)


def _read(path: Path, side: int, points: int) -> LossPlane | None:
    with suppress(OSError, SafetensorError, ValueError, KeyError):
        return LossPlane.from_arrays(load(path.read_bytes()), side=side, points=points)
    return None


def _structure(spec: dict[str, object]) -> str:
    """The layers without how their weights are drawn: they decide the meaning of each weight."""
    layers = spec["layers"]
    assert isinstance(layers, list)
    bare = [{key: value for key, value in layer.items() if key not in ("initializer", "rate")} for layer in layers]
    return json.dumps([spec["input_shape"], bare], sort_keys=True)


def _thinned(moments: Sequence[Moment], most: int) -> list[Moment]:
    """At most `most` moments, with the first and the last."""
    places = np.unique(np.linspace(0, len(moments) - 1, min(most, len(moments))).round().astype(int))
    return [moments[place] for place in places.tolist()]
