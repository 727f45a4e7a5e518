"""Measurements of speed and memory. Run them with nothing else at work: `make bench`."""
