"""The model store: `<name>/model.safetensors` and `<name>/model.json`, and `default` with the default model's name."""

import hashlib
import os
import re
import shutil
import tempfile
import threading
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
from app.storage.atomic import is_stale, sync_folder, write_atomic, write_synced

WEIGHTS, CARD, DEFAULT = "model.safetensors", "model.json", "default"
CHOSEN = "chosen"
"""The file of the default in a checkout, where `default` is tracked and must not change."""
MOST_NAMES = 10_000
CHECKED_AT_ONCE = 8_000_000
"""Bytes of weights that a list of the models checks itself; a thread checks the rest, which may take seconds."""

Stamp = tuple[int, int, int]
"""A file's time of modification, in ns, and its inode, to detect changes."""


class UnknownModelError(MessageError):
    """There is no model with this name."""

    code = "unknown_model"


class DamagedModelError(MessageError):
    """The model's files exist but cannot be used; the message says why."""

    code = "damaged_model"


class NameTakenError(MessageError):
    """Another model has this name."""

    code = "name_taken"


class ProtectedModelError(MessageError):
    """The model ships with digitpad and cannot be deleted."""

    code = "protected_model"


class AccuracyDroppedError(MessageError):
    """The model is too much less accurate than its parent; the message has the figures."""

    code = "accuracy_dropped"


@dataclass(frozen=True)
class StoredModel:
    """An entry of the store: its card, or the reason why it is unusable. `bytes` is the size of the weights.

    Without `checked` the weights are still to be compared with the card.
    """

    name: str
    card: ModelCard | None
    reason: Message | None
    bytes: int
    checked: bool = True


class ModelStore:
    """The models under `home`, and those under `shipped`, which are read-only unless both are the same folder.

    Every read looks whether the files have changed, so that several processes may share a store. The weights of a model
    are compared with the SHA-256 of its card before it is used for the first time, and again when a file has changed.
    """

    def __init__(self, home: Path, shipped: Path | None = None) -> None:
        self.home = home
        self._folders = [home] if shipped is None or shipped == home else [home, shipped]
        self._choice = home / (CHOSEN if shipped == home else DEFAULT)
        self._default_files = list(dict.fromkeys(map(str, (self._choice, *(f / DEFAULT for f in self._folders)))))
        self._chosen: dict[str, tuple[Stamp, str]] = {}
        self._known: dict[str, tuple[Stamp, Stamp, StoredModel]] = {}
        """The models as they were last read, with the stamps of the card and of the weights."""
        self._to_check: dict[str, None] = {}
        self._checker: threading.Thread | None = None
        self._lock = threading.Lock()
        self._listing = threading.Lock()

    def list(self, *, check_all: bool = False) -> list[StoredModel]:
        """All models by name, including damaged ones.

        Weights that are not checked yet are checked up to `CHECKED_AT_ONCE` bytes, those of the chosen default first;
        the rest, which later lists report if it is damaged, in a thread of its own, and while that works a list
        checks no other than the default. `check_all` waits for all.
        """
        with self._listing:  # so that what is new is read once
            names = {path.parent.name for folder in self._folders for path in folder.glob(f"*/{CARD}")}
            for name in set(self._known).difference(names):
                self._known.pop(name, None)
            models: dict[str, StoredModel] = {}
            chosen, free = self.chosen(), 0 if self._checker is not None else CHECKED_AT_ONCE
            for name in sorted(filter(NAME.fullmatch, names), key=lambda name: (name != chosen, name)):
                with suppress(UnknownModelError):  # removed in the meantime
                    model = self._read_card(name)
                    must = check_all or name == chosen or model.card is None  # could not be read
                    if not model.checked and (must or free > 0):
                        free -= model.bytes
                        model = self._read(name)
                    models[name] = model
        self._check_later(name for name, model in models.items() if not model.checked)
        return [models[name] for name in sorted(models, key=_by_number)]

    def get(self, name: str) -> ModelCard:
        """The card of `name`. Raises UnknownModelError, DamagedModelError."""
        found = self._read(name)
        if found.card is None:
            raise DamagedModelError("the model {name} cannot be used: {reason}", name=name, reason=found.reason)
        return found.card

    def load(self, name: str) -> tuple[ModelCard, Network]:
        """The card and the network of `name`. Raises UnknownModelError, DamagedModelError."""
        return self.load_with_detector(name)[:2]

    def load_with_detector(self, name: str) -> tuple[ModelCard, Network, OutOfDistributionDetector | None]:
        """The card and the network of `name`, and its detector of outliers, if it has one.

        Raises UnknownModelError, DamagedModelError.
        """
        card = self.get(name)
        try:
            network = build(card)
            weights = load(self.path(name, WEIGHTS).read_bytes())
            rejection = card.calibration.rejection if card.calibration is not None else None
            detector = None
            if rejection is not None:
                arrays = {key: weights.pop(key) for key in ARRAYS if key in weights}
                detector = OutOfDistributionDetector(
                    rejection, len(card.labels), arrays, features=network.feature_count
                )
            network.load_weights(weights)
        except (TypeError, SafetensorError, OSError):
            reason = Message("{file} cannot be read", file=WEIGHTS)
            raise DamagedModelError("the model {name} cannot be used: {reason}", name=name, reason=reason) from None
        except ValueError as error:
            reason = message_of(error)
            raise DamagedModelError("the model {name} cannot be used: {reason}", name=name, reason=reason) from None
        return card, network, detector

    def path(self, name: str, file: str) -> Path:
        """The path of `file` of model `name`. Raises UnknownModelError."""
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
        """Store a network with its card atomically, and return the card with the hash of the weights.

        `arrays` are those of the card's calibration, stored with the weights. With `replace` a model with the same name
        is replaced; otherwise the new name ends in "-2", "-3", ... With `once` an equal model of the same run is not
        saved again.
        Raises OSError.
        """
        weights = save({name: array.copy() for name, array in {**network.weights(), **(arrays or {})}.items()})
        digest = hashlib.sha256(weights).hexdigest()
        for model in self.list() if once else ():
            known = model.card
            if known is not None and (known.run, known.recipe, known.sha256) == (card.run, card.recipe, digest):
                with suppress(UnknownModelError, DamagedModelError):
                    return self.get(model.name)
        self.home.mkdir(parents=True, exist_ok=True)
        base = card.name
        for count in range(2, MOST_NAMES):
            name = card.name
            if not replace and any((folder / name).exists() for folder in self._folders):
                card = card.model_copy(update={"name": numbered(base, count)})
                continue
            card = ModelCard.model_validate({**card.model_dump(), "name": name, "sha256": digest})
            prefix = f".{name}{'' if card.run is None else f'+{card.run}'}."
            folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=self.home))
            try:
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
                card = card.model_copy(update={"name": numbered(base, count)})
        raise OSError(f"no free name for the model {base}")

    def update_card(self, name: str, **fields: Any) -> ModelCard:
        """Change `fields` of a model's card, and return the new card.

        The weights and their hash stay the same. Raises UnknownModelError, DamagedModelError, ValueError for invalid
        fields, and OSError.
        """
        card = self.get(name)
        unknown = set(fields) - set(ModelCard.model_fields)
        if unknown or "sha256" in fields:
            raise InputError("expected card fields that can be changed; got {names}", names=", ".join(sorted(fields)))
        updated = ModelCard.model_validate({**card.model_dump(), **fields})
        write_atomic(self.path(name, CARD), (updated.model_dump_json(indent=2) + "\n").encode(), prefix=".card.")
        return updated

    def delete(self, name: str) -> None:
        """Delete a model. Raises UnknownModelError, ProtectedModelError."""
        found = self._read(name)
        folder = self._folder(name)
        if folder.parent != self.home or (found.card is not None and found.card.shipped):
            raise ProtectedModelError("the model {name} ships with digitpad and cannot be deleted", name=name)
        shutil.rmtree(self._set_aside(name))

    def rename(self, name: str, new: str) -> ModelCard:
        """Rename a model, and update the default if it is this model; return its new card.

        Raises UnknownModelError, DamagedModelError, ProtectedModelError, ValueError for an invalid name,
        NameTakenError, and OSError, after which nothing has changed.
        """
        try:
            check_name(new)
        except InputError as error:
            raise error.within("name") from None
        card = self.get(name)
        if self._folder(name).parent != self.home or card.shipped:
            raise ProtectedModelError("the model {name} ships with digitpad and cannot be renamed", name=name)
        if new == name:
            return card
        if any((folder / new).exists() for folder in self._folders):
            raise NameTakenError("a model named {new} already exists", new=new)
        card = card.model_copy(update={"name": new})
        # Link the weights next to the new card, so that a complete model exists at all times.
        folder = Path(tempfile.mkdtemp(prefix=f".{new}.", suffix=".tmp", dir=self.home))
        try:
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
        """Remove files that killed processes left over an hour ago."""
        for path in self.home.glob(".*.tmp"):
            with suppress(FileNotFoundError):
                if is_stale(path):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def remove_unfinished(self, run: int) -> None:
        """Remove files that a process killed while saving the model of this run has left."""
        pattern = re.compile(rf"\..+\+{run}\.[a-z0-9_]{{8}}\.tmp")  # names have no plus sign
        for path in self.home.glob(".*.tmp"):
            if pattern.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)

    def _set_aside(self, name: str) -> Path:
        """Move a model into a new temporary folder in one step; return the folder."""
        folder = Path(tempfile.mkdtemp(prefix=".deleted.", suffix=".tmp", dir=self.home))
        (self.home / name).rename(folder / name)
        return folder

    def chosen(self) -> str | None:
        """The chosen or shipped default name, whether or not such a model exists; cached."""
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
        """The name of the default model: the chosen one or, if that is not usable, the first usable one.

        `models` is the result of `list`, if known.
        """
        chosen = self.chosen()
        usable = [model.name for model in (self.list() if models is None else models) if model.card]
        return chosen if chosen in usable else next(iter(usable), None)

    def set_default(self, name: str, *, force: bool = False) -> None:
        """Set the default model; refuse one that is clearly less accurate than its parent, unless `force`.

        Raises UnknownModelError, DamagedModelError, AccuracyDroppedError.
        """
        personalization = self.get(name).mine
        forgot = None if personalization is None or force else personalization.forgot()
        if forgot is not None:
            raise AccuracyDroppedError("{name} was not made the default: {reason}", name=name, reason=forgot)
        self.home.mkdir(parents=True, exist_ok=True)
        write_atomic(self._choice, f"{name}\n".encode(), prefix=".default.")

    def _folder(self, name: str) -> Path:
        with suppress(InputError):
            check_name(name)
            for folder in self._folders:
                if (folder / name / CARD).is_file():
                    return folder / name
        raise UnknownModelError("there is no model {name}", name=name[:LONGEST_NAME])

    def _read_card(self, name: str) -> StoredModel:
        """A model as it was last read, or with its card alone. Raises UnknownModelError."""
        folder = self._folder(name)
        try:
            stamps = file_stamp(str(folder / CARD)), file_stamp(str(folder / WEIGHTS))
        except FileNotFoundError:
            return StoredModel(name, None, Message("{weights} is missing", weights=WEIGHTS), 0)
        known = self._known.get(name)
        if known is not None and known[:2] == stamps:
            return known[2]
        size = stamps[1][2]
        try:
            model = _parse_card(folder, size)
        except OSError as error:  # which may be of the moment, such as too many open files
            return StoredModel(name, None, Message("it cannot be read: {why}", why=error.strerror), size)
        self._known[name] = (*stamps, model)
        return model

    def _read(self, name: str) -> StoredModel:
        """A model that is checked. Raises UnknownModelError."""
        model = self._read_card(name)
        if model.checked:
            return model
        known = self._known.get(name)
        folder = self._folder(name)
        try:
            card = model.card or _parse_card(folder, model.bytes).card
            reason = None if card is None else damage(card, name, folder / WEIGHTS)
            model = StoredModel(name, None if reason else card, reason, model.bytes)
        except OSError as error:
            reason = Message("it cannot be read: {why}", why=error.strerror)
            model = StoredModel(name, None, reason, model.bytes, checked=False)  # it is tried again
        if known is not None:  # with the stamps from before the check
            self._known[name] = (*known[:2], model)
        return model

    def _check_later(self, names: Iterable[str]) -> None:
        """Check the weights of these models in a thread, if there are any."""
        with self._lock:
            self._to_check.update(dict.fromkeys(names))
            if self._to_check and (self._checker is None or not self._checker.is_alive()):
                self._checker = threading.Thread(target=self._check_waiting, name="models", daemon=True)
                self._checker.start()

    def _check_waiting(self) -> None:
        while True:
            with self._lock:
                if not self._to_check:
                    self._checker = None
                    return
                name = next(iter(self._to_check))
                del self._to_check[name]
            with suppress(UnknownModelError):
                self._read(name)


def _parse_card(folder: Path, size: int) -> StoredModel:
    """A model with its card, whose weights are not checked, or the reason why it cannot be used. Raises OSError."""
    try:
        card = ModelCard.model_validate_json((folder / CARD).read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        reason = Message("{file} is not a model card: {reason}", file=CARD, reason=pydantic_message(first))
        return StoredModel(folder.name, None, reason, size)
    return StoredModel(folder.name, card, None, size, checked=False)


def file_stamp(path: str) -> Stamp:
    """The stamp of a file. Raises FileNotFoundError."""
    stat = os.stat(path)  # noqa: PTH116  # pathlib is several times slower, and this runs at every prediction
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _by_number(name: str) -> list[tuple[str, int]]:
    """A key to sort names by, with "quick-2" before "quick-10"."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name)]


def numbered(name: str, count: int) -> str:
    """A name with a number at its end, limited to the longest name."""
    suffix = f"-{count}"
    return name[: LONGEST_NAME - len(suffix)] + suffix


def link(source: Path, target: Path) -> None:
    """Link a file, or copy it if the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def damage(card: ModelCard, name: str, weights: Path) -> Message | None:
    """The reason why a model cannot be used, or None."""
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
    """The network of a card, without its weights. Raises ValueError, TypeError."""
    network = Network.from_spec(card.network, dtype=card.dtype)
    if network.output_shape != (len(card.labels),):
        raise InputError(
            "expected one for each of the {outputs} outputs; got {count}",
            field="labels",
            outputs=" × ".join(map(str, network.output_shape)),
            count=len(card.labels),
        )
    return network
