"""Runs: the log, the supervisor of processes, and the worker that trains in one."""
