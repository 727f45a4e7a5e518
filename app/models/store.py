"""The model store: `<name>/model.safetensors` with `<name>/model.json` beside it, and `default`, the default's name."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from app.models.card import ModelCard, check_name
from app.nn import Network

WEIGHTS, CARD, DEFAULT = "model.safetensors", "model.json", "default"


Stamp = tuple[int, int]
"""What changes when a file is replaced or written: its time of change, in ns, and its inode."""


class UnknownModelError(LookupError):
    """There is no model of that name."""


class DamagedModelError(RuntimeError):
    """The model's files are there, and cannot be used; the message says why."""


class ProtectedModelError(RuntimeError):
    """The model ships with digitpad, and is not removed."""


@dataclass(frozen=True)
class StoredModel:
    """An entry of the store: its card, or the reason why it cannot be used. `bytes` is the size of the weights."""

    name: str
    card: ModelCard | None
    reason: str | None
    bytes: int


class ModelStore:
    """The models under `home`, and those under `shipped`, which are read only unless the two are one folder.

    Reads look at the files each time, so that several processes may share a store.
    """

    def __init__(self, home: Path, shipped: Path | None = None) -> None:
        self.home = home
        self._folders = [home] if shipped is None or shipped == home else [home, shipped]
        self._default_files = [str(folder / DEFAULT) for folder in self._folders]
        self._chosen: dict[str, tuple[Stamp, str]] = {}

    def list(self) -> list[StoredModel]:
        """All models by name, the damaged ones among them."""
        names = {path.parent.name for folder in self._folders for path in folder.glob(f"*/{CARD}")}
        return [self._look(name) for name in sorted(names) if not name.startswith(".")]

    def get(self, name: str) -> ModelCard:
        """The card of `name`. Raises UnknownModelError, DamagedModelError."""
        found = self._look(name)
        if found.card is None:
            raise DamagedModelError(f"the model {name} cannot be used: {found.reason}")
        return found.card

    def load(self, name: str) -> tuple[ModelCard, Network]:
        """The card and the network of `name`. Raises UnknownModelError, DamagedModelError."""
        card = self.get(name)
        try:
            network = Network.from_spec(card.network, dtype=card.dtype)
            network.load_weights(load(self.path(name, WEIGHTS).read_bytes()))
        except (ValueError, SafetensorError, OSError) as error:
            raise DamagedModelError(f"the model {name} cannot be used: {error}") from None
        return card, network

    def path(self, name: str, file: str) -> Path:
        """Where `file` of model `name` lies. Raises UnknownModelError."""
        return self._folder(name) / file

    def save(self, card: ModelCard, network: Network, *, replace: bool = False) -> ModelCard:
        """Store a network with its card, whole or not at all, and return the card with the hash of the weights.

        A name that is taken gets "-2", "-3", ... behind it, unless it is to be replaced.
        """
        weights = save({name: array.copy() for name, array in network.weights().items()})
        self.home.mkdir(parents=True, exist_ok=True)
        wanted = card.name
        for count in range(2, 10_000):
            name = card.name
            card = ModelCard.model_validate(
                {**card.model_dump(), "name": name, "sha256": hashlib.sha256(weights).hexdigest()}
            )
            folder = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".tmp", dir=self.home))
            try:
                folder.chmod(0o755)
                _write(folder / WEIGHTS, weights)
                _write(folder / CARD, (card.model_dump_json(indent=2) + "\n").encode())
                _sync(folder)
                if replace:
                    shutil.rmtree(self.home / name, ignore_errors=True)
                folder.rename(self.home / name)
                _sync(self.home)
                return card
            except OSError:
                taken = (self.home / name).exists() and folder.exists()
                shutil.rmtree(folder, ignore_errors=True)
                if not taken:
                    raise
                suffix = f"-{count}"
                card = card.model_copy(update={"name": wanted[: 64 - len(suffix)] + suffix})
        raise OSError(f"no free name for the model {wanted}")

    def delete(self, name: str) -> None:
        """Remove a model. Raises UnknownModelError, ProtectedModelError."""
        found = self._look(name)
        folder = self._folder(name)
        if folder.parent != self.home or (found.card is not None and found.card.shipped):
            raise ProtectedModelError(f"the model {name} ships with digitpad and is not removed")
        rubbish = Path(tempfile.mkdtemp(prefix=".deleted.", suffix=".tmp", dir=self.home))
        folder.rename(rubbish / name)
        shutil.rmtree(rubbish)

    def chosen(self) -> str | None:
        """The name in the file `default`, whether or not there is such a model; cheap."""
        for path in self._default_files:
            try:
                stamp = file_stamp(path)
            except FileNotFoundError:
                continue
            known = self._chosen.get(path)
            if known is None or known[0] != stamp:
                known = self._chosen[path] = (stamp, Path(path).read_text(encoding="utf-8").strip())
            return known[1]
        return None

    def default(self) -> str | None:
        """The name of the default model: the one chosen or, where it cannot be used, the first that can."""
        chosen = self.chosen()
        models = [model.name for model in self.list() if model.card]
        return chosen if chosen in models else next(iter(models), None)

    def set_default(self, name: str) -> None:
        """Choose the default model. Raises UnknownModelError, DamagedModelError."""
        self.get(name)
        self.home.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".default.", suffix=".tmp", dir=self.home)
        os.close(handle)
        path = Path(temporary)
        path.chmod(0o644)
        _write(path, f"{name}\n".encode())
        path.replace(self.home / DEFAULT)

    def _folder(self, name: str) -> Path:
        try:
            check_name(name)
        except ValueError as error:
            raise UnknownModelError(str(error)) from None
        for folder in self._folders:
            if (folder / name / CARD).is_file():
                return folder / name
        raise UnknownModelError(f"there is no model {name}")

    def _look(self, name: str) -> StoredModel:
        folder = self._folder(name)
        weights = folder / WEIGHTS
        size = weights.stat().st_size if weights.is_file() else 0
        try:
            card = ModelCard.model_validate_json((folder / CARD).read_bytes())
            _check(card, name, weights)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            return StoredModel(name, None, f"{CARD} is not a model card: {place}: {first['msg']}", size)
        except (DamagedModelError, OSError) as error:
            reason = str(error) if isinstance(error, DamagedModelError) else f"it cannot be read: {error.strerror}"
            return StoredModel(name, None, reason, size)
        return StoredModel(name, card, None, size)


def file_stamp(path: str) -> Stamp:
    """The stamp of a file. Raises FileNotFoundError."""
    stat = os.stat(path)  # noqa: PTH116  # pathlib takes several times as long, and this is asked at every prediction
    return stat.st_mtime_ns, stat.st_ino


def _check(card: ModelCard, name: str, weights: Path) -> None:
    if card.name != name:
        raise DamagedModelError(f"{CARD} is of another model, {card.name}")
    if not weights.is_file():
        raise DamagedModelError(f"{WEIGHTS} is missing")
    with weights.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != card.sha256:
            raise DamagedModelError(f"{WEIGHTS} is not the file that {CARD} describes (its SHA-256 differs)")


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
