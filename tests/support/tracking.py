"""A run that is told in full."""

from app.runs.log.state import RunState


def say_epoch(log, claim, epoch):
    data = {"epoch": epoch, "epochs": 5, "train_loss": 1 / epoch, "val_loss": None, "val_accuracy": 0.5 + epoch / 100}
    layers = [{"name": "0 dense", "gradient_norm": 2.0 * epoch, "weight_norm": None}]
    log.append(claim, "epoch", {**data, "seconds": 1.0, "samples_per_second": 1000.0, "layers": layers})


def finish(log, claim):
    log.append(claim, "evaluated", {"test_loss": 0.25, "test_accuracy": 0.75, "best_epoch": None})
    log.finish(claim, RunState.SUCCEEDED, {"model": "custom-1"})
