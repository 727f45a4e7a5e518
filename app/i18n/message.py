"""A text for people that has values in it, and can be said in another language."""

from typing import Any, Self


class Message(str):
    """A text in English that knows its `template`, which is its key in the catalogues, and the `values` in it."""

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Self:
        """Put `values` into the braces of `template` that name them."""
        made = super().__new__(cls, template.format_map(values))
        made.template, made.values = template, values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), self.values
