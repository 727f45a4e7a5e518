// The error function, which JavaScript does not have, as app/nn/layers/activations.py.
// Cody 1969, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 631–637, with the coefficients
// of his CALERF (netlib specfun): numerator and denominator, highest power first.

const NEAR = [
  [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  [1.0, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
];
const MIDDLE = [
  [2.1531153547440383e-08, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972],
  [1.0, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247, 3439.3676741437216, 1230.3393548037495],
];
const FAR = [
  [0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378],
  [1.0, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918],
];
const [NEAR_END, FAR_START] = [0.46875, 4]; // where one approximation gives way to the next

/** 2/√π ∫₀ˣ e^(−t²) dt. */
export function erf(x) {
  const size = Math.abs(x);
  if (size <= NEAR_END) return x * ratio(NEAR, x * x);
  if (size <= FAR_START) return Math.sign(x) * (1 - Math.exp(-size * size) * ratio(MIDDLE, size));
  const far = Math.min(size, 10); // beyond 6 it is 1, to the last bit
  const w = 1 / (far * far);
  return Math.sign(x) * (1 - (Math.exp(-far * far) * (1 / Math.sqrt(Math.PI) - w * ratio(FAR, w))) / far);
}

const ratio = ([numerator, denominator], x) => polynomial(numerator, x) / polynomial(denominator, x);
const polynomial = (coefficients, x) => coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
