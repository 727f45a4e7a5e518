"""The languages, and the texts of each by their key, the English text."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from app.errors import Message

LOCALE = Path(__file__).resolve().parent / "locale"

LANGUAGES: Mapping[str, str] = {"en": "English", "ja": "日本語"}
"""The languages' names for themselves, by tag. The first is that of the keys, and needs no catalogue."""

KEYS = next(iter(LANGUAGES))


@dataclass(frozen=True)
class Text:
    """A text in a language, and the files with its key, relative to the project."""

    key: str
    text: str
    places: frozenset[str]


def read_texts(language: str) -> list[Text]:
    """The catalogue of a language; that of the keys is empty. Raises ValueError for a damaged one."""
    if language == KEYS:
        return []
    with (LOCALE / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, language, abort_invalid=True)
    found = []
    for message in catalogue:
        key, text = (part[0] if isinstance(part, tuple | list) else part for part in (message.id, message.string))
        if key and text and not message.fuzzy:
            found.append(Text(key, text, frozenset(place for place, _ in message.locations)))
    return found


@dataclass(frozen=True)
class Catalog:
    """The texts of a language by key, and the files with each key, relative to the project."""

    language: str
    texts: Mapping[str, str]
    places: Mapping[str, frozenset[str]]

    def gettext(self, key: str) -> str:
        """Return `key` in this language, or itself if it is not translated."""
        return self.texts.get(key, key)

    def translate(self, text: str) -> str:
        """Return a text, or a `Message` with its values, in this language."""
        if isinstance(text, Message):
            return text.localized(self.gettext)
        return self.gettext(text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Return a text for a number, in a language without plural forms."""
        return self.texts.get(one, one if number == 1 else many)


def key_id(key: str) -> str:
    """A short id of a key: 32-bit FNV-1a over UTF-16 units, as in static/js/i18n/translate.js."""
    name = 0x811C9DC5
    for unit in memoryview(key.encode("utf-16-le")).cast("H"):
        name = (name ^ unit) * 0x01000193 & 0xFFFFFFFF
    return f"{name:x}"


@cache
def catalog(language: str) -> Catalog:
    """The catalogue of a language, cached. Raises ValueError for a damaged one."""
    texts = read_texts(language)
    return Catalog(language, {text.key: text.text for text in texts}, {text.key: text.places for text in texts})
