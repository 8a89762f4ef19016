// Convolution of two sequences, as the notes define it: (f * g)(t) = sum of f(tau) g(t - tau).

/** The terms of (f * g)(t): [{tau, left, right, product}], tau ascending. */
export function convolutionTerms(f, g, t) {
  const terms = [];
  for (let tau = 0; tau < f.length; tau++) {
    const other = t - tau;
    if (other >= 0 && other < g.length) {
      terms.push({ tau, left: f[tau], right: g[other], product: f[tau] * g[other] });
    }
  }
  return terms;
}

/** The whole of f * g: f.length + g.length - 1 values. */
export const convolve = (f, g) => Array.from({ length: f.length + g.length - 1 }, (_, t) =>
  convolutionTerms(f, g, t).reduce((total, { product }) => total + product, 0));
