"""Runs that are disturbed at random moments, in real processes."""
