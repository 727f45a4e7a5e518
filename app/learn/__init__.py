"""What the lessons show: formulas, the code behind them, and figures that the engine computes."""
