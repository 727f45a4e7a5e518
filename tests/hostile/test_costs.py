"""Files that are made to cost far more than they weigh: none of up to 20 MB takes 300 MB of memory."""

import sys

import pytest

from tests.hostile.costs import COSTLY
from tests.hostile.measure import measure

MOST_MEGABYTES = 300
PATIENCE = 60
"""Seconds of one core; the aim is 2, and `python -m benchmarks.parsers` shows them on an idle machine."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory is read from /proc")
@pytest.mark.parametrize("name", COSTLY)
def test_reading_it_takes_little(name):
    cost = measure(name)
    assert cost.megabytes < MOST_MEGABYTES
    assert cost.seconds < PATIENCE
    assert len(cost.refusal) < 2000
