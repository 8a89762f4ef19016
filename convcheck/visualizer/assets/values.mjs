// The numbers in the cells: small integers, and the forward pass of a layer in exact arithmetic.
import { isPool, outputSize, tapsOf } from "./geometry.mjs";

export const INPUTS = ["integers", "ramp", "one_hot", "ones", "picture"];
export const WEIGHTS = ["integers", "ones", "identity", "edge", "blur"];

/** A small integer that depends on the seed and the place alone (an integer hash). */
function scattered(seed, row, column) {
  let word = (seed * 374761393 + row * 668265263 + column * 2246822519) | 0;
  word = Math.imul(word ^ (word >>> 13), 1274126177);
  return (word ^ (word >>> 16)) >>> 0;
}

const fill = ([height, width], value) => Array.from({ length: height }, (_, row) =>
  Array.from({ length: width }, (_, column) => value(row, column)));

/** The input's numbers, rows of columns. */
export function makeInput(kind, size, seed) {
  const [height, width] = size;
  const middle = [height >> 1, width >> 1];
  const makers = {
    integers: (row, column) => scattered(seed, row, column) % 10,
    ramp: (row, column) => row * width + column,
    one_hot: (row, column) => Number(row === middle[0] && column === middle[1]),
    ones: () => 1,
    picture: (row, column) => picture((row + 0.5) / height, (column + 0.5) / width),
  };
  return fill(size, makers[kind] ?? makers.integers);
}

function picture(y, x) {
  const disc = (x - 0.5) ** 2 + (y - 0.45) ** 2;
  if (disc < 0.03) return 9;
  if (disc < 0.11) return 4;
  return y > 0.8 ? 7 : 1;
}

/** The kernel's numbers. */
export function makeWeight(kind, kernel, seed) {
  const [height, width] = kernel;
  const middle = [(height - 1) >> 1, (width - 1) >> 1];
  const makers = {
    integers: (row, column) => (scattered(seed + 77, row, column) % 7) - 3,
    ones: () => 1,
    identity: (row, column) => Number(row === middle[0] && column === middle[1]),
    edge: (row, column) => Math.sign(column - (width - 1) / 2) *
      (row === middle[0] && height > 1 ? 2 : 1),
    blur: (row, column) => (1 + Math.min(row, height - 1 - row)) *
      (1 + Math.min(column, width - 1 - column)),
  };
  return fill(kernel, makers[kind] ?? makers.integers);
}

/** The products of one output cell: [{source, tap, value, weight, product}]; pools: weight null. */
export function termsOf(layer, cell, input, weight) {
  return tapsOf(layer, cell).map(({ at, source, tap }) => {
    const value = source ? input[source[0]][source[1]] : layer.op === "max_pool" ? -Infinity : 0;
    const factor = isPool(layer.op) ? null : weight[tap[0]][tap[1]];
    return { at, source, tap, value, weight: factor, product: factor === null ? value
      : value * factor };
  });
}

/**
 * How many elements an average divides by: windows count padding where includePad, but never what
 * lies beyond the padded input (as torch does for ceil_mode).
 */
export function divisorOf(layer, cell) {
  return layer.axes.map((axis, index) => {
    const start = cell[index] * axis.stride - axis.before;
    const stop = Math.min(start + axis.kernel, axis.size + axis.after);
    if (layer.includePad) return stop - start;
    return Math.min(stop, axis.size) - Math.max(start, 0);
  }).reduce((product, count) => product * count, 1);
}

/** The value of one output cell. */
export function valueAt(layer, cell, input, weight) {
  const terms = termsOf(layer, cell, input, weight);
  if (layer.op === "max_pool") return Math.max(...terms.map((term) => term.value));
  const sum = terms.reduce((total, term) => total + term.product, 0);
  return layer.op === "avg_pool" ? sum / divisorOf(layer, cell) : sum;
}

/** The whole output; rows of columns. Throws the GeometryError of an impossible layer. */
export const forward = (layer, input, weight) =>
  fill(outputSize(layer), (row, column) => valueAt(layer, [row, column], input, weight));

/** A number as it stands in a cell: at most three decimals, a true minus sign. */
export function shown(value) {
  if (value === Infinity) return "\u221e";
  if (value === -Infinity) return "\u2212\u221e";
  if (typeof value !== "number") return String(value);
  const rounded = Number.isInteger(value) ? String(value) : String(Number(value.toFixed(3)));
  return rounded.replace("-", "\u2212");
}

