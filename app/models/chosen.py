"""Which model reads on the pad: a choice that is refused where it would be a loss that nobody asked for."""

from app.models.store import ModelStore


class ForgetfulModelError(RuntimeError):
    """The model has forgotten too much of what its parent knew; the message has the figures."""


def choose_default(store: ModelStore, name: str, *, force: bool = False) -> None:
    """Make `name` the default; one that forgot too much while it was made somebody's own only with `force`.

    Raises UnknownModelError, DamagedModelError, ForgetfulModelError.
    """
    mine = store.get(name).mine
    forgot = None if mine is None or force else mine.forgot()
    if forgot is not None:
        raise ForgetfulModelError(f"{name} is not made the default: {forgot}")
    store.set_default(name)
