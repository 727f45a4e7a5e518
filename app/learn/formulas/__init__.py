"""The formulas of the tutorials by name, in the order of the lessons."""

import inspect
from collections.abc import Mapping

from app.learn.formulas import network, training
from app.learn.formulas.formula import Formula
from app.nn.layers.activations import ACTIVATIONS, Activation


def _from_docstring(kind: type[Activation]) -> Formula:
    """The formula at the beginning of an activation's docstring, for one without a formula in LaTeX."""
    written = (inspect.getdoc(kind) or kind.__name__).partition(";")[0].rstrip(".")
    return Formula(
        name=kind.type,
        title=kind.__name__,
        latex=(rf"\text{{{written}}}",),
        code=(kind,),
        description="The formula at the top of its code.",
    )


_WRITTEN = {formula.name: formula for formula in (*network.FORMULAS, *training.FORMULAS)}

FORMULAS: Mapping[str, Formula] = {
    **_WRITTEN,
    **{name: _from_docstring(kind) for name, kind in ACTIVATIONS.items() if name not in _WRITTEN},
}
"""All formulas by name."""
