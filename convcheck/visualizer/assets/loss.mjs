// Softmax, entropy, cross-entropy and KL divergence, with 0 log 0 = 0 and p log(p / 0) = infinity.

/** Probabilities from logits; the largest is subtracted first, so that nothing overflows. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The terms -p(x) log q(x) of the cross-entropy H(p, q), in nats. */
export const crossEntropyTerms = (p, q) =>
  p.map((probability, at) => (probability === 0 ? 0 : -probability * Math.log(q[at])));

const sum = (values) => values.reduce((total, value) => total + value, 0);

export const crossEntropy = (p, q) => sum(crossEntropyTerms(p, q));

export const entropy = (p) => crossEntropy(p, p);

/** The KL divergence of q from p, from its own definition, not as a difference. */
export const divergence = (p, q) => sum(p.map((probability, at) =>
  (probability === 0 ? 0 : probability * Math.log(probability / q[at]))));

/** `distribution` with entry `at` set to `value` in 0..1, the others scaled so that it sums to 1. */
export function withEntry(distribution, at, value) {
  const wanted = Math.min(1, Math.max(0, value));
  const rest = sum(distribution) - distribution[at];
  const others = distribution.length - 1;
  return distribution.map((probability, index) => {
    if (index === at) return wanted;
    return rest > 0 ? (probability / rest) * (1 - wanted) : (1 - wanted) / others;
  });
}
