"""The formulas of the tutorials by name, in the order in which a learner meets them."""

from collections.abc import Mapping

from app.learn.formulas import network, training
from app.learn.formulas.formula import Formula

FORMULAS: Mapping[str, Formula] = {formula.name: formula for formula in (*network.FORMULAS, *training.FORMULAS)}
"""Every formula that a page can show, by its name."""
