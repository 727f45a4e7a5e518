"""The log, the states of a run, the runner that starts and watches processes, and the worker inside one."""
