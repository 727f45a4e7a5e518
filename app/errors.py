"""Messages as data: a template, which is also gettext's key, and its values; and errors with such a message.

The web and the command line share `OUTCOMES`, the outcome of each kind of error.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

_SLOT = re.compile(r"\{(\w+)\}")
_DEEPEST = 8
"""The largest depth of nested messages; deeper ones are not from this program."""


class Message(str):
    """An error message: an English string that can also be translated.

    `template` has a slot `{name}` for each of `values`: numbers, texts, or messages; others become texts. `field` is
    the path of the invalid value, such as "optimizer.learning_rate", and precedes the text.
    """

    template: str
    values: Mapping[str, Any]
    field: str | None

    def __new__(cls, template: str, /, *, field: str | None = None, **values: Any) -> Self:
        values = {name: _plain(value) for name, value in values.items()}
        text = _fill(template, values, str)
        made = super().__new__(cls, text if field is None else f"{field}: {text}")
        made.template, made.values, made.field = template, values, field
        return made

    @property
    def first_field(self) -> str | None:
        """The field of the message or, for joined messages, of the first that has one."""
        inner = (value.first_field for value in self.values.values() if isinstance(value, Message))
        return self.field or next((field for field in inner if field), None)

    def within(self, place: str) -> "Message":
        """The same message for a field of `place`, such as "layers[2]"."""
        return Message(self.template, field=place if self.field is None else f"{place}.{self.field}", **self.values)

    def localized(self, gettext: Callable[[str], str]) -> str:
        """The message, with nested ones, in the language of `gettext`, after the field."""
        text = self.localized_text(gettext)
        return text if self.field is None else f"{self.field}: {text}"

    def localized_text(self, gettext: Callable[[str], str], depth: int = 0) -> str:
        """As `localized`, without the field."""

        def shown(value: Any) -> str:
            if isinstance(value, Message) and depth < _DEEPEST:
                text = value.localized_text(gettext, depth + 1)
                return text if value.field is None else f"{value.field}: {text}"
            return str(value)

        return _fill(gettext(self.template), self.values, shown)

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON for `from_json`."""
        values = {key: value.to_json() if isinstance(value, Message) else value for key, value in self.values.items()}
        return {"message": self.template, "values": values} | ({} if self.field is None else {"field": self.field})

    @classmethod
    def from_json(cls, data: object) -> Any:
        """The message from `to_json`; anything else unchanged, such as the text of an older version."""
        if not isinstance(data, Mapping) or not isinstance(data.get("message"), str):
            return data
        values = data.get("values")
        found = {str(key): cls.from_json(value) for key, value in values.items()} if isinstance(values, Mapping) else {}
        field = data.get("field")
        return cls(data["message"], field=field if isinstance(field, str) else None, **found)


def _plain(value: Any) -> Any:
    """A value for JSON."""
    if isinstance(value, BaseException):
        return message_of(value)
    if isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _fill(template: str, values: Mapping[str, Any], shown: Callable[[Any], str]) -> str:
    """`template` with each slot replaced once, so values may have braces; a slot without a value stays."""
    return _SLOT.sub(lambda slot: shown(values[slot[1]]) if slot[1] in values else slot[0], template)


def joined(messages: list[Message]) -> Message:
    """Several messages as one."""
    if len(messages) == 1:
        return messages[0]
    slots = [f"part{index}" for index in range(len(messages))]
    return Message("; ".join(f"{{{slot}}}" for slot in slots), **dict(zip(slots, messages, strict=True)))


def localized(data: Any, gettext: Callable[[str], str]) -> Any:
    """`data`, plain JSON, with every message in it in the language of `gettext`."""
    if isinstance(data, Message):
        return data.localized(gettext)
    if isinstance(data, Mapping):
        return {key: localized(value, gettext) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [localized(value, gettext) for value in data]
    return data


def shortened(names: Sequence[str], most: int = 8) -> Message:
    """The first names, and the number of the others."""
    listed = ", ".join(names[:most])
    if len(names) <= most:
        return Message("{names}", names=listed)
    return Message("{names} and {count} more", names=listed, count=len(names) - most)


class MessageError(Exception):
    """An error with a message. `code` identifies its kind for programs, and `OUTCOMES` has the outcome."""

    code = "failed"

    def __init__(self, template: str, /, *, field: str | None = None, **values: Any) -> None:
        if isinstance(template, Message) and field is None and not values:
            self.message = template
        else:
            self.message = Message(template, field=field, **values)
        super().__init__(self.message)

    @property
    def field(self) -> str | None:
        """The path of the invalid value."""
        return self.message.field


class InputError(MessageError, ValueError):
    """A value is invalid; the message has the expected and the given value."""

    code = "invalid"

    def within(self, place: str) -> "InputError":
        """The same error for a field of `place`."""
        return InputError(self.message.within(place))


def message_of(error: BaseException) -> Message:
    """The message of an error, including the engine's; for other errors their text."""
    if isinstance(error, MessageError):
        return error.message
    template, values = getattr(error, "template", None), getattr(error, "values", None)
    if isinstance(template, str) and isinstance(values, dict):  # app.nn.errors, which does not import this module
        return Message(template, field=getattr(error, "field", None), **values)
    return Message("{text}", text=str(error))


class RequestError(MessageError):
    """A request is refused with the HTTP status `status`; 422 for an invalid value."""

    def __init__(
        self,
        status: int,
        template: str,
        /,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(template, field=field, **values)
        self.status, self.headers, self.code = int(status), headers, code_of(status)


def code_of(status: int) -> str:
    """The code of an error that only has an HTTP status."""
    return "invalid" if status == HTTPStatus.UNPROCESSABLE_ENTITY else HTTPStatus(status).name.lower()


class LimitError(MessageError):
    """A limit of the server is reached; the message says which. `retry_after` is in seconds."""

    code = "busy"

    def __init__(self, template: str, /, *, retry_after: int, **values: Any) -> None:
        super().__init__(template, **values)
        self.retry_after = retry_after


class QueueFullError(LimitError):
    """Too many runs are waiting."""

    code = "queue_full"


@dataclass(frozen=True)
class Outcome:
    """The outcome of an error: the HTTP status, and the exit code of a command."""

    status: int
    exit_code: int


_WRONG, _UNKNOWN, _CONFLICT = Outcome(422, 2), Outcome(404, 2), Outcome(409, 1)
OUTCOMES: Mapping[str, Outcome] = {
    "invalid": _WRONG,
    "label_mismatch": Outcome(409, 2),
    "not_kept": _CONFLICT,
    "unknown_drawing": _UNKNOWN,
    "unknown_set": _UNKNOWN,
    "unknown_model": _UNKNOWN,
    "unknown_run": _UNKNOWN,
    "unknown_upload": _UNKNOWN,
    "no_patterns": _UNKNOWN,
    "nothing_yet": _CONFLICT,
    "not_ended": _CONFLICT,
    "no_checkpoint": _CONFLICT,
    "checkpoint": _CONFLICT,
    "data_changed": _CONFLICT,
    "protected_model": _CONFLICT,
    "damaged_model": _CONFLICT,
    "unprepared": _CONFLICT,
    "unusable_model": _CONFLICT,
    "name_taken": _CONFLICT,
    "set_exists": _CONFLICT,
    "accuracy_dropped": _CONFLICT,
    "missing_extra": Outcome(501, 1),
    "dataset_unavailable": _CONFLICT,
    "busy": Outcome(503, 1),
    "queue_full": Outcome(429, 1),
    "too_large": _CONFLICT,
    "full": _CONFLICT,
}
"""By `code`; errors with other codes are always caught."""
