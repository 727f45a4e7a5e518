"""The image sets that the user has imported: a folder each, in the layout of those below DIGITPAD_DATA_DIR.

An upload lies in a folder of its own, `.drafts/<id>`, until it is saved under a name by one rename or discarded.
"""

import os
import re
import secrets
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.data.dataset import DatasetUnavailable
from app.data.drawings.drawing import SET_NAME, check_set_name
from app.data.drawings.store import FullError, SetExistsError
from app.data.images.archive import place_upload
from app.data.images.preview import ImageSetPreview, preview_images
from app.errors import InputError, MessageError
from app.storage.atomic import STALE_SECONDS, sync_folder
from app.storage.lock import FolderLock

PREFIX = "images:"
MOST_SETS = 200
MOST_DRAFTS = 16
"""The most uploads that are neither saved nor discarded; the oldest ones are removed."""
DRAFT_SECONDS = 86_400.0
"""The age at which such an upload is removed."""

_DRAFTS = ".drafts"
_ID = re.compile(r"[0-9a-f]{32}")


class UnknownUploadError(MessageError):
    """There is no upload with this id."""

    code = "unknown_upload"


def title_of(name: str) -> str:
    """The data set's title on pages."""
    return f"Your images: {name.removeprefix(PREFIX)}"


@dataclass(frozen=True)
class Draft:
    """An upload; `body` is where it is written, and `files` the folder of what becomes the set."""

    id: str
    folder: Path

    @property
    def body(self) -> Path:
        return self.folder / "body"

    @property
    def files(self) -> Path:
        return self.folder / "files"


class ImageSetStore:
    """The sets under `folder`, which need not exist yet. Safe for threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing = FolderLock(folder)
        self._preparing = threading.Lock()

    def names(self) -> list[str]:
        """The sorted names of the sets."""
        with suppress(OSError), os.scandir(self._folder) as entries:
            return sorted(entry.name for entry in entries if SET_NAME.fullmatch(entry.name) and entry.is_dir())
        return []

    def find(self, name: str) -> Path:
        """The folder of a set. Raises ValueError for an invalid name, DatasetUnavailable if there is none."""
        place = self._folder / _check_name(name)
        if not place.is_dir():
            raise DatasetUnavailable("there is no data set {name}: it may have been deleted", name=PREFIX + name)
        return place

    def create_draft(self) -> Draft:
        """A place for an upload. Raises OSError."""
        self.tidy(DRAFT_SECONDS, MOST_DRAFTS - 1)
        draft = self._draft(secrets.token_hex(16))
        draft.files.mkdir(parents=True)
        return draft

    def prepare(self, draft: Draft) -> ImageSetPreview:
        """Unpack an upload whose body is there, and look through it.

        Raises ValueError if it is no data set, UnknownUploadError, OSError if it cannot be written.
        """
        with self._preparing:  # one at a time, which limits the memory
            if not draft.body.is_file():
                raise _unknown()
            unread = place_upload(draft.body, draft.files)
            draft.body.unlink(missing_ok=True)
            return preview_images(draft.files, unread)

    def save(self, draft_id: str, name: str) -> str:
        """Make an upload the set `name`, and return the data set's name.

        Raises ValueError for the name, UnknownUploadError, SetExistsError, FullError, OSError.
        """
        place, draft = self._folder / _check_name(name), self._draft(draft_id)
        with self._writing.hold():
            if not draft.files.is_dir() or draft.body.exists():  # removed, or not read through
                raise _unknown()
            if place.exists():
                raise _taken(name)
            if len(self.names()) >= MOST_SETS:
                raise FullError("expected at most {most} data sets; delete one first", most=MOST_SETS)
            draft.files.rename(place)
            sync_folder(self._folder)
        self.drop(draft)
        return PREFIX + name

    def check_free(self, name: str) -> None:
        """Raise SetExistsError if there is a set of this name, ValueError if there cannot be one."""
        if (self._folder / _check_name(name)).exists():
            raise _taken(name)

    def drop(self, draft: Draft) -> None:
        """Remove what there is of an upload."""
        shutil.rmtree(draft.folder, ignore_errors=True)

    def discard(self, draft_id: str) -> None:
        """Remove an upload. Raises UnknownUploadError, OSError."""
        folder = self._draft(draft_id).folder
        if not folder.is_dir():
            raise _unknown()
        shutil.rmtree(folder)

    def delete(self, name: str) -> None:
        """Delete a set at once, even if it cannot be removed from the disk at once. Raises as `find`, OSError."""
        with self._writing.hold():
            place, draft = self.find(name), self._draft(secrets.token_hex(16))
            draft.folder.parent.mkdir(exist_ok=True)
            place.rename(draft.folder)
            sync_folder(self._folder)
        shutil.rmtree(draft.folder, ignore_errors=True)

    def tidy(self, seconds: float = STALE_SECONDS, most: int = MOST_DRAFTS) -> None:
        """Remove uploads older than `seconds`, and the oldest beyond `most`."""
        found = []
        for folder in (self._folder / _DRAFTS).glob("*"):
            with suppress(OSError):
                found.append((folder.stat().st_mtime, folder))
        for place, (changed, folder) in enumerate(sorted(found, reverse=True)):
            if place >= most or changed < time.time() - seconds:
                shutil.rmtree(folder, ignore_errors=True)

    def _draft(self, draft_id: str) -> Draft:
        if not _ID.fullmatch(draft_id):
            raise _unknown()
        return Draft(draft_id, self._folder / _DRAFTS / draft_id)


def _check_name(name: object) -> str:
    try:
        return check_set_name(name)
    except InputError as error:
        raise InputError(error.message.template, field="name", **error.message.values) from None


def _taken(name: str) -> SetExistsError:
    return SetExistsError(
        "there is already a data set {name}: choose another name, or delete that one first", name=PREFIX + name
    )


def _unknown() -> UnknownUploadError:
    return UnknownUploadError("this upload is no longer there: import the files again")
