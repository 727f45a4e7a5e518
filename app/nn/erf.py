"""The error function, which NumPy does not have."""

import numpy as np

from app.nn.arrays import Array

# Cody 1969, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 631–637, with the coefficients
# of his CALERF (netlib specfun): numerator and denominator, highest power first
_NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE = (
    (
        *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1),
        *(2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3),
        1.23033935479799725e3,
    ),
    (
        *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
        *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
    ),
)
_FAR = (
    (
        *(1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1),
        *(1.60837851487422766e-2, 6.58749161529837803e-4),
    ),
    (
        *(1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2),
        2.33520497626869185e-3,
    ),
)
NEAR, FAR = 0.46875, 4.0
"""Where one approximation gives way to the next."""


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ e^(−t²) dt, in `x`'s shape and dtype; right to 1e-15 in float64."""
    size = np.abs(x)
    y = np.empty_like(x)
    near, far = size <= NEAR, size > FAR
    middle = ~(near | far)
    z = x[near]
    y[near] = z * _ratio(_NEAR, z * z)
    z = size[middle]
    y[middle] = np.copysign(1 - np.exp(-z * z) * _ratio(_MIDDLE, z), x[middle])
    z = size[far].clip(max=10)  # beyond 6 it is 1, to the last bit
    w = 1 / (z * z)
    y[far] = np.copysign(1 - np.exp(-z * z) * (1 / np.sqrt(np.pi) - w * _ratio(_FAR, w)) / z, x[far])
    return y


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    numerator, denominator = (_polynomial(row, x) for row in coefficients)
    return numerator / denominator


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's scheme, in x's dtype."""
    y = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        y *= x
        y += coefficient
    return y
