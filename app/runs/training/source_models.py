"""The stored models that a run needs: the very ones that were there when it was queued."""

from app.errors import MessageError, message_of
from app.models import ModelCard, ModelStore
from app.models.store import DamagedModelError, UnknownModelError
from app.nn import Network


class UnusableModelError(MessageError):
    """A model that a run needs is not there any more, or is another one now, or says what is of no use."""

    code = "unusable_model"


def load_pinned(store: ModelStore, name: str, sha256: str | None, role: str) -> tuple[ModelCard, Network]:
    """The model `name` if its weights have the hash that the config was given, also where it was renamed since.

    Raises UnusableModelError, which calls it by its `role`, as "the model to start from".
    """
    try:
        try:
            card, network = store.load(name)
        except UnknownModelError:  # it may have been renamed since
            same = (model.card for model in store.list() if model.card is not None)
            card, network = store.load(next((card.name for card in same if card.sha256 == sha256), name))
    except (UnknownModelError, DamagedModelError) as error:
        raise UnusableModelError("{role} cannot be used: {reason}", role=role, reason=message_of(error)) from None
    if card.sha256 != sha256:
        raise UnusableModelError("{role}, {name}, has changed since the run was queued", role=role, name=name)
    return card, network
