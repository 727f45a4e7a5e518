"""The formulas of the tutorials by name, in the order in which a learner meets them."""

from collections.abc import Mapping

from app.learn import network_formulas, training_formulas
from app.learn.formula import Formula

FORMULAS: Mapping[str, Formula] = {
    formula.name: formula for formula in (*network_formulas.FORMULAS, *training_formulas.FORMULAS)
}
"""Every formula that a page can show, by its name."""
