"""Limits of a run's numbers."""

LARGEST_INT = 2**31 - 1
"""The largest integer in a database's column: a run's number, an event's `seq`, or a place in a list."""
