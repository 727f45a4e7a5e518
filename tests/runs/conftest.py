"""What tests of runs share: the log of a test's own home, and trainings that cost little."""

from collections.abc import Iterator

import pytest

from app.runs.log.event_log import EventLog
from app.settings import Settings


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Two workers, so that each has one core; one where a test is of the queue, or of a training that is shared out."""
    alone = request.node.get_closest_marker("one_worker")
    return settings.model_copy(update={"workers": 1 if alone else 2})


@pytest.fixture
def uncalibrated() -> Iterator[None]:
    """Models are not calibrated, which takes longer than the small trainings here."""
    with pytest.MonkeyPatch.context() as patched:  # its own: a test may undo what it did itself
        patched.setattr("app.runs.training.run_training.calibrate", lambda *_, **__: None)
        yield


@pytest.fixture
def log(settings: Settings) -> Iterator[EventLog]:
    """A log in the test's own folder, closed at its end."""
    opened = EventLog(settings.log_url)
    yield opened
    opened.close()
