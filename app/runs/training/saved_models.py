"""Saving of a cancelled run's best model, from its last checkpoint."""

from typing import Any

from app.errors import InputError
from app.models import ModelCard, ModelStore
from app.runs.config.run_config import parse_config
from app.runs.training.checkpoints import Checkpoint
from app.runs.training.run_training import card_of


def model_name(recipe: str, run: int) -> str:
    """The name of a run's model; the store appends a number if it is taken."""
    return f"{recipe[:52]}-{run}"


class NotSavedError(InputError):
    """The model of this kind of run is not saved before its end."""

    code = "not_kept"


def save_best(checkpoint: Checkpoint, store: ModelStore, run: int) -> dict[str, Any] | None:
    """Save the weights of the best epoch, or of the last without validation; return the event's data.

    Returns None before the first epoch. Raises OSError, and NotSavedError for a personalization.
    """
    snapshot = checkpoint.snapshot
    if snapshot.epoch == 0:
        return None
    config = parse_config(checkpoint.config)
    if config.personal is not None:
        raise NotSavedError("a personalized model is compared with its parent only at the end")
    network = config.build_network()
    best = snapshot.part("best")
    network.load_weights(best or snapshot.part("network"))
    known = checkpoint.metrics if best or snapshot.batch == 0 else {}  # they do not fit the middle of an epoch
    metrics = {key: float(known[key]) for key in ("epoch", "val_loss", "val_accuracy") if known.get(key) is not None}
    name = model_name(config.recipe, run)
    card = card_of(name, network, config=config, labels=checkpoint.labels, metrics=metrics, run=run)
    return saved_event(store, store.save(card, network, once=True))


def saved_event(store: ModelStore, card: ModelCard) -> dict[str, Any]:
    """The data of the event `model_saved`."""
    return {"model": card.name, "bytes": store.path(card.name, "model.safetensors").stat().st_size}
