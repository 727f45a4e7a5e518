"""The stored models that a run needs, pinned when it is queued."""

from app.errors import Message, MessageError, message_of
from app.models import ModelCard, ModelStore
from app.models.store import DamagedModelError, UnknownModelError
from app.nn import Network


class UnusableModelError(MessageError):
    """A model that a run needs is missing, has changed, or has unusable outputs."""

    code = "unusable_model"


def load_pinned(store: ModelStore, name: str, sha256: str | None, role: Message) -> tuple[ModelCard, Network]:
    """The model `name` if its weights have the hash in the config, even if it was renamed.

    Raises UnusableModelError, which names its `role`, such as "the model to start from".
    """
    try:
        try:
            card, network = store.load(name)
        except UnknownModelError:  # it may have been renamed
            same = (model.card for model in store.list() if model.card is not None)
            card, network = store.load(next((card.name for card in same if card.sha256 == sha256), name))
    except (UnknownModelError, DamagedModelError) as error:
        raise UnusableModelError("{role} cannot be used: {reason}", role=role, reason=message_of(error)) from None
    if card.sha256 != sha256:
        raise UnusableModelError("{role}, {name}, has changed since the run was queued", role=role, name=name)
    return card, network
