"""digitpad: draw a digit, and watch a neural network written in NumPy read it."""

__version__ = "0.1.0"
