"""The model store: `<name>/model.safetensors` with `<name>/model.json` beside it, and `default`, the default's name."""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from app.errors import InputError, Message, MessageError, message_of
from app.i18n.pydantic_errors import pydantic_message
from app.models.card import LONGEST_NAME, NAME, ModelCard, check_name
from app.models.ood.detector import ARRAYS, OutOfDistributionDetector
from app.nn import Network
from app.nn.arrays import Array
from app.storage.atomic import sync_folder, write_atomic, write_synced

WEIGHTS, CARD, DEFAULT = "model.safetensors", "model.json", "default"
CHOSEN = "chosen"
"""The default where `default` is what ships: in a checkout that file is tracked, and a choice is not to change it."""


RUBBISH_SECONDS = 3600.0
MOST_NAMES = 10_000

Stamp = tuple[int, int]
"""What changes when a file is replaced or written: its time of change, in ns, and its inode."""


class UnknownModelError(MessageError):
    """There is no model of that name."""

    code = "unknown_model"


class DamagedModelError(MessageError):
    """The model's files are there, and cannot be used; the message says why."""

    code = "damaged_model"


class NameTakenError(MessageError):
    """Another model has that name."""

    code = "name_taken"


class ProtectedModelError(MessageError):
    """The model ships with digitpad, and is not removed."""

    code = "protected_model"


class AccuracyDroppedError(MessageError):
    """The model has forgotten too much of what its parent knew; the message has the figures."""

    code = "accuracy_dropped"


@dataclass(frozen=True)
class StoredModel:
    """An entry of the store: its card, or the reason why it cannot be used. `bytes` is the size of the weights."""

    name: str
    card: ModelCard | None
    reason: Message | None
    bytes: int


class ModelStore:
    """The models under `home`, and those under `shipped`, which are read only unless the two are one folder.

    Reads look at the files each time, so that several processes may share a store.
    """

    def __init__(self, home: Path, shipped: Path | None = None) -> None:
        self.home = home
        self._folders = [home] if shipped is None or shipped == home else [home, shipped]
        self._choice = home / (CHOSEN if shipped == home else DEFAULT)
        self._default_files = list(dict.fromkeys(map(str, (self._choice, *(f / DEFAULT for f in self._folders)))))
        self._chosen: dict[str, tuple[Stamp, str]] = {}
        self._checked: dict[tuple[str, Stamp, Stamp], Message | None] = {}

    def list(self) -> list[StoredModel]:
        """All models by name, the damaged ones among them."""
        names = {path.parent.name for folder in self._folders for path in folder.glob(f"*/{CARD}")}
        models = []
        for name in sorted(filter(NAME.fullmatch, names)):
            with suppress(UnknownModelError):  # removed since it was seen
                models.append(self._look(name))
        return models

    def get(self, name: str) -> ModelCard:
        """The card of `name`. Raises UnknownModelError, DamagedModelError."""
        found = self._look(name)
        if found.card is None:
            raise DamagedModelError("the model {name} cannot be used: {reason}", name=name, reason=found.reason)
        return found.card

    def load(self, name: str) -> tuple[ModelCard, Network]:
        """The card and the network of `name`. Raises UnknownModelError, DamagedModelError."""
        return self.load_with_detector(name)[:2]

    def load_with_detector(self, name: str) -> tuple[ModelCard, Network, OutOfDistributionDetector | None]:
        """The card and the network of `name`, and what tells whether an image is strange to it, if it has that.

        Raises UnknownModelError, DamagedModelError.
        """
        card = self.get(name)
        try:
            network = build(card)
            weights = load(self.path(name, WEIGHTS).read_bytes())
            rejection = card.calibration.rejection if card.calibration is not None else None
            rejecter = None
            if rejection is not None:
                arrays = {key: weights.pop(key) for key in ARRAYS if key in weights}
                rejecter = OutOfDistributionDetector(
                    rejection, len(card.labels), arrays, features=network.feature_count
                )
            network.load_weights(weights)
        except (ValueError, TypeError, SafetensorError, OSError) as error:
            raise DamagedModelError(
                "the model {name} cannot be used: {reason}", name=name, reason=message_of(error)
            ) from None
        return card, network, rejecter

    def path(self, name: str, file: str) -> Path:
        """Where `file` of model `name` lies. Raises UnknownModelError."""
        return self._folder(name) / file

    def save(
        self,
        card: ModelCard,
        network: Network,
        *,
        replace: bool = False,
        once: bool = False,
        arrays: Mapping[str, Array] | None = None,
    ) -> ModelCard:
        """Store a network with its card, whole or not at all, and return the card with the hash of the weights.

        `arrays` are those of the card's calibration, which are kept with the weights. A name that is taken gets "-2",
        "-3", ... behind it, unless it is to be replaced. With `once`, what its run has saved before is not saved again.
        Raises OSError.
        """
        weights = save({name: array.copy() for name, array in {**network.weights(), **(arrays or {})}.items()})
        digest = hashlib.sha256(weights).hexdigest()
        for model in self.list() if once else ():
            known = model.card
            if known is not None and (known.run, known.recipe, known.sha256) == (card.run, card.recipe, digest):
                return known
        self.home.mkdir(parents=True, exist_ok=True)
        wanted = card.name
        for count in range(2, MOST_NAMES):
            name = card.name
            if not replace and any((folder / name).exists() for folder in self._folders):
                card = card.model_copy(update={"name": numbered(wanted, count)})
                continue
            card = ModelCard.model_validate({**card.model_dump(), "name": name, "sha256": digest})
            prefix = f".{name}{'' if card.run is None else f'+{card.run}'}."
            folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=self.home))
            try:
                folder.chmod(0o755)
                write_synced(folder / WEIGHTS, weights)
                write_synced(folder / CARD, (card.model_dump_json(indent=2) + "\n").encode())
                sync_folder(folder)
                old = self._set_aside(name) if replace and (self.home / name).exists() else None
                folder.rename(self.home / name)
                if old is not None:
                    shutil.rmtree(old, ignore_errors=True)
                sync_folder(self.home)
                return card
            except OSError:
                taken = (self.home / name).exists() and folder.exists()
                shutil.rmtree(folder, ignore_errors=True)
                if not taken:
                    raise
                card = card.model_copy(update={"name": numbered(wanted, count)})
        raise OSError(f"no free name for the model {wanted}")

    def update_card(self, name: str, **fields: Any) -> ModelCard:
        """Put `fields` into the card of a model, in the place of what they were, and return the new card.

        The weights, and so their hash, stay. Raises UnknownModelError, DamagedModelError, ValueError for what can be in
        no card, and OSError.
        """
        card = self.get(name)
        unknown = set(fields) - set(ModelCard.model_fields)
        if unknown or "sha256" in fields:
            raise InputError("expected card fields that can be changed; got {names}", names=", ".join(sorted(fields)))
        updated = ModelCard.model_validate({**card.model_dump(), **fields})
        write_atomic(self.path(name, CARD), (updated.model_dump_json(indent=2) + "\n").encode(), prefix=".card.")
        return updated

    def delete(self, name: str) -> None:
        """Remove a model. Raises UnknownModelError, ProtectedModelError."""
        found = self._look(name)
        folder = self._folder(name)
        if folder.parent != self.home or (found.card is not None and found.card.shipped):
            raise ProtectedModelError("the model {name} ships with digitpad and cannot be removed", name=name)
        shutil.rmtree(self._set_aside(name))

    def rename(self, name: str, new: str) -> ModelCard:
        """Give a model another name, also as the default if it is that, and return its new card.

        Raises UnknownModelError, DamagedModelError, ProtectedModelError, ValueError for a name that can be none,
        NameTakenError, and OSError, after which all is as it was.
        """
        check_name(new)
        card = self.get(name)
        if self._folder(name).parent != self.home or card.shipped:
            raise ProtectedModelError("the model {name} ships with digitpad and cannot be renamed", name=name)
        if new == name:
            return card
        if any((folder / new).exists() for folder in self._folders):
            raise NameTakenError("a model named {new} already exists", new=new)
        card = card.model_copy(update={"name": new})
        # A link to the same weights beside a new card, so that a whole model has one of the names at all times.
        folder = Path(tempfile.mkdtemp(prefix=f".{new}.", suffix=".tmp", dir=self.home))
        try:
            folder.chmod(0o755)
            link(self.home / name / WEIGHTS, folder / WEIGHTS)
            write_synced(folder / CARD, (card.model_dump_json(indent=2) + "\n").encode())
            sync_folder(folder)
            folder.rename(self.home / new)
            sync_folder(self.home)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if self.chosen() == name:
            self.set_default(new, force=True)
        shutil.rmtree(self._set_aside(name), ignore_errors=True)
        return card

    def tidy(self) -> None:
        """Remove what a process that was killed while it saved or deleted has left behind over an hour ago."""
        for path in self.home.glob(".*.tmp"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > RUBBISH_SECONDS:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def remove_unfinished(self, run: int) -> None:
        """Remove what a process that was killed while it saved the model of that run has left behind."""
        pattern = re.compile(rf"\..+\+{run}\.[a-z0-9_]{{8}}\.tmp")  # no name has a plus sign in it
        for path in self.home.glob(".*.tmp"):
            if pattern.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)

    def _set_aside(self, name: str) -> Path:
        """Move a model out of sight in one step; return where it went."""
        rubbish = Path(tempfile.mkdtemp(prefix=".deleted.", suffix=".tmp", dir=self.home))
        (self.home / name).rename(rubbish / name)
        return rubbish

    def chosen(self) -> str | None:
        """The name that was chosen, or that ships as the default, whether or not there is such a model; cheap."""
        for path in self._default_files:
            try:
                stamp = file_stamp(path)
            except FileNotFoundError:
                continue
            known = self._chosen.get(path)
            if known is None or known[0] != stamp:
                known = self._chosen[path] = (stamp, Path(path).read_text(encoding="utf-8", errors="replace").strip())
            return known[1]
        return None

    def default(self, models: Iterable[StoredModel] | None = None) -> str | None:
        """The name of the default model: the one chosen or, where it cannot be used, the first that can.

        `models` is what `list` gave, if that is known.
        """
        chosen = self.chosen()
        usable = [model.name for model in (self.list() if models is None else models) if model.card]
        return chosen if chosen in usable else next(iter(usable), None)

    def set_default(self, name: str, *, force: bool = False) -> None:
        """Set the default model; refuse one that is clearly less accurate than its parent, unless `force`.

        Raises UnknownModelError, DamagedModelError, AccuracyDroppedError.
        """
        mine = self.get(name).mine
        forgot = None if mine is None or force else mine.forgot()
        if forgot is not None:
            raise AccuracyDroppedError("{name} was not made the default: {forgot}", name=name, forgot=forgot)
        self.home.mkdir(parents=True, exist_ok=True)
        write_atomic(self._choice, f"{name}\n".encode(), prefix=".default.")

    def _folder(self, name: str) -> Path:
        try:
            check_name(name)
        except ValueError as error:
            raise UnknownModelError(message_of(error)) from None
        for folder in self._folders:
            if (folder / name / CARD).is_file():
                return folder / name
        raise UnknownModelError("there is no model {name}", name=name)

    def _look(self, name: str) -> StoredModel:
        folder = self._folder(name)
        weights = folder / WEIGHTS
        size = weights.stat().st_size if weights.is_file() else 0
        try:
            card = ModelCard.model_validate_json((folder / CARD).read_bytes())
            self._check(card, name, weights)
        except ValidationError as error:
            first = error.errors()[0]
            return StoredModel(
                name,
                None,
                Message("{file} is not a model card: {reason}", file=CARD, reason=pydantic_message(first)),
                size,
            )
        except (DamagedModelError, OSError) as error:
            reason = (
                error.message
                if isinstance(error, DamagedModelError)
                else Message("it cannot be read: {why}", why=error.strerror)
            )
            return StoredModel(name, None, reason, size)
        return StoredModel(name, card, None, size)

    def _check(self, card: ModelCard, name: str, weights: Path) -> None:
        """Raise DamagedModelError where a card is not that of its files; files that have not changed are trusted."""
        if not weights.is_file():
            raise DamagedModelError("{weights} is missing", weights=WEIGHTS)
        key = (name, file_stamp(str(weights.with_name(CARD))), file_stamp(str(weights)))
        if key not in self._checked:
            self._checked[key] = damage(card, name, weights)
        reason = self._checked[key]
        if reason is not None:
            raise DamagedModelError(reason)


def file_stamp(path: str) -> Stamp:
    """The stamp of a file. Raises FileNotFoundError."""
    stat = os.stat(path)  # noqa: PTH116  # pathlib takes several times as long, and this is asked at every prediction
    return stat.st_mtime_ns, stat.st_ino


def numbered(name: str, count: int) -> str:
    """A name with a number behind it, no longer than names may be."""
    suffix = f"-{count}"
    return name[: LONGEST_NAME - len(suffix)] + suffix


def link(source: Path, target: Path) -> None:
    """The same file under another name, or a copy of it where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def damage(card: ModelCard, name: str, weights: Path) -> Message | None:
    """Why a model cannot be used, or None."""
    if card.name != name:
        return Message("model.json belongs to another model, {name}", name=card.name)
    with weights.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != card.sha256:
            return Message("model.safetensors is not the file that model.json describes (its SHA-256 differs)")
    try:
        build(card)
    except (ValueError, TypeError) as error:
        return Message("model.json describes no network: {reason}", reason=message_of(error))
    return None


def build(card: ModelCard) -> Network:
    """The network that a card describes, its weights not yet loaded. Raises ValueError, TypeError."""
    network = Network.from_spec(card.network, dtype=card.dtype)
    if network.output_shape != (len(card.labels),):
        raise InputError(
            "expected one for each of the {output_shape} outputs; got {count}",
            field="labels",
            output_shape=network.output_shape,
            count=len(card.labels),
        )
    return network
