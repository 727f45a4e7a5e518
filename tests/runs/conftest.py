"""The log of a test's own home."""

from collections.abc import Iterator

import pytest

from app.runs.log.event_log import Log
from app.settings import Settings


@pytest.fixture
def log(settings: Settings) -> Iterator[Log]:
    """A log in the test's own folder, closed at its end."""
    opened = Log(settings.log_url)
    yield opened
    opened.close()
