"""What is found out of a stored model later goes into its card; the weights, and so their hash, stay as they are."""

from typing import Any

from app.models.card import ModelCard
from app.models.store import CARD, ModelStore
from app.storage.atomic import write_whole


def amend(store: ModelStore, name: str, **fields: Any) -> ModelCard:
    """Put `fields` into the card of a model, in the place of what they were, and return the new card.

    Raises UnknownModelError, DamagedModelError, ValueError for what can be in no card, and OSError.
    """
    card = store.get(name)
    unknown = set(fields) - set(ModelCard.model_fields)
    if unknown or "sha256" in fields:
        raise ValueError(f"expected fields of a card that may change; got {', '.join(sorted(fields))}")
    amended = ModelCard.model_validate({**card.model_dump(), **fields})
    write_whole(store.path(name, CARD), (amended.model_dump_json(indent=2) + "\n").encode(), prefix=".card.")
    return amended
