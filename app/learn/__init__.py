"""The lessons: formulas, their code, and figures computed by the engine."""
