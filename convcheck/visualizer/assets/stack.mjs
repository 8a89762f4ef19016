// A stack of layers along one axis: sizes, jumps, receptive fields, and what one unit reads.
//
// A stack layer is {name, op, kernel, stride, before, after, dilation, outputPadding, ceil}; an op
// that is neither a window nor elementwise reads everything ("whole": linear, adaptive pooling).
import { GeometryError, axisSize, effectiveKernel } from "./geometry.mjs";

const WINDOWS = new Set([
  "cross_correlation", "convolution", "conv_transpose", "max_pool", "avg_pool"]);
const MOST_INDICES = 2048;
const MOST_PHASES = 64;

export const isWindow = (op) => WINDOWS.has(op);

const asLayer = (layer) => ({ ...layer, mode: "zeros", axes: [] });

/**
 * The worked stack: one row per layer, {layer, input, size, field, jump, start, holes, refusal}.
 *
 * field is the extent of what a unit reads in the input, jump the distance in the input between
 * neighbouring units, start the first element that unit 0 reads (negative in the padding), holes
 * the elements inside the field that are not read (null where there are too many to follow).
 * After a layer that reads everything, field is Infinity.
 */
export function workStack(inputSize, layers) {
  const rows = [];
  let size = inputSize;
  let reach = { field: 1, jump: 1, start: 0, holes: 0, phases: 1 };
  for (const layer of layers) {
    const input = size;
    let refusal = null;
    if (layer.op === "whole") {
      size = layer.size ?? 1;
      reach = { field: Infinity, jump: null, start: null, holes: 0, phases: 1 };
    } else if (isWindow(layer.op)) {
      try {
        size = axisSize(asLayer(layer), { ...layer, size });
      } catch (error) {
        if (!(error instanceof GeometryError)) throw error;
        refusal = error;
      }
      const below = rows.map((row) => row.layer);
      if (!refusal && reach.jump !== null) reach = grow([...below, layer], reach);
    }
    rows.push({ layer, input, size: refusal ? null : size, ...reach, refusal });
    if (refusal) break;
  }
  return rows;
}

function grow(layers, reach) {
  const layer = layers[layers.length - 1];
  const transposed = layer.op === "conv_transpose";
  const jump = transposed ? reach.jump / layer.stride : reach.jump * layer.stride;
  const phases = transposed ? reach.phases * layer.stride : reach.phases;
  const supports = [];
  for (let unit = 0; unit < Math.min(phases, MOST_PHASES); unit++) {
    const support = supportOf(layers, unit);
    if (support === null) break;
    supports.push(support);
  }
  const far = phases > MOST_PHASES || supports.length < Math.min(phases, MOST_PHASES);
  if (far && layers.some(({ op }) => op === "conv_transpose")) {
    return { field: null, jump, start: null, holes: null, phases };
  }
  if (far) {
    const field = reach.field + (effectiveKernel(layer) - 1) * reach.jump;
    return { field, jump, start: reach.start - layer.before * reach.jump, holes: null, phases };
  }
  const extents = supports.map((found) => (found.length ? found.at(-1) - found[0] + 1 : 0));
  return {
    field: Math.max(...extents),
    jump,
    start: supports[0].length ? supports[0][0] : 0,
    holes: Math.max(...supports.map((found, at) => extents[at] - found.length)),
    phases,
  };
}

/** The input indices that a unit reads, padding included, ascending; null where too many. */
export function supportOf(layers, unit) {
  let read = [unit];
  for (const layer of [...layers].reverse()) {
    const below = new Set();
    for (const index of read) {
      for (const at of readsOf(layer, index, Infinity)) below.add(at);
      if (below.size > MOST_INDICES) return null;
    }
    read = [...below].sort((a, b) => a - b);
  }
  return read;
}

/** The indices that unit `index` of a layer's output reads in its input (may be padding). */
function readsOf(layer, index, input) {
  if (layer.op === "whole") return Array.from({ length: input }, (_, at) => at);
  if (!isWindow(layer.op)) return [index];
  const found = [];
  for (let tap = 0; tap < layer.kernel; tap++) {
    if (layer.op === "conv_transpose") {
      const at = (index + layer.before - tap * layer.dilation) / layer.stride;
      if (Number.isInteger(at) && (input === Infinity || (at >= 0 && at < input))) found.push(at);
    } else {
      found.push(index * layer.stride + tap * layer.dilation - layer.before);
    }
  }
  return found;
}

/**
 * What one unit reads, level by level: levels[last] is [unit], levels[0] the input's indices.
 * Indices in the padding are kept on the level where they lie and followed no further.
 * Returns null where there are too many to follow.
 */
export function cone(rows, unit) {
  const levels = [[unit]];
  for (const row of [...rows].reverse()) {
    const above = levels[0].filter((at) => at >= 0 && (row.size === null || at < row.size));
    if (row.layer.op === "whole" && row.input > MOST_INDICES) return null;
    const read = new Set();
    for (const index of above) {
      for (const at of readsOf(row.layer, index, row.input)) read.add(at);
      if (read.size > MOST_INDICES) return null;
    }
    levels.unshift([...read].sort((a, b) => a - b));
  }
  return levels;
}

/** The lines of the cone between two neighbouring levels: [[index below, index above], ...]. */
export function edges(rows, levels, level) {
  const row = rows[level];
  const above = levels[level + 1].filter((at) => at >= 0 && (row.size === null || at < row.size));
  return above.flatMap((index) => readsOf(row.layer, index, row.input).map((at) => [at, index]));
}

const layer = (name, op, kernel, stride = 1, padding = 0, dilation = 1) => ({
  name, op, kernel, stride, dilation, before: padding, after: padding, outputPadding: 0,
  ceil: false,
});

const LETTERS = {
  c: "cross_correlation", t: "conv_transpose", m: "max_pool", a: "avg_pool", w: "whole",
};
const LAYER = /^([ctma])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
export const MOST_LAYERS = 24;
export const MOST_INPUT = 4096;

/** A stack as one word of a link: 24~c3.1.1.1~m2.2.0.1~w, numbers in the order k, s, p, d. */
export const writeStack = ({ input, layers }) => [input, ...layers.map((one) => {
  const letter = Object.keys(LETTERS).find((key) => LETTERS[key] === one.op);
  return letter === "w" ? "w" : letter +
    [one.kernel, one.stride, one.before, one.dilation].join(".");
})].join("~");

/** The inverse of `writeStack`; throws an Error that says what is wrong. */
export function readStack(text) {
  const [input, ...words] = text.split("~");
  if (!/^\d{1,4}$/.test(input) || Number(input) < 1 || Number(input) > MOST_INPUT) {
    throw new Error(`does not start with an input size of 1 to ${MOST_INPUT}`);
  }
  if (words.length < 1 || words.length > MOST_LAYERS) {
    throw new Error(`does not have 1 to ${MOST_LAYERS} layers`);
  }
  return { input: Number(input), layers: words.map((word, at) => {
    const name = `layer ${at + 1}`;
    if (word === "w") return { ...layer(name, "whole", 1), size: 1 };
    const match = LAYER.exec(word);
    if (!match) throw new Error(`has a layer ${word} that is none`);
    return layer(name, LETTERS[match[1]], ...match.slice(2).map(Number));
  }) };
}

/** Stacks to start from: {name: {input, layers}}. */
export const PRESETS = {
  "dilations 1, 2, 4": {
    input: 24,
    layers: [1, 2, 4].map((d, at) =>
      layer(`layer ${at + 1}`, "cross_correlation", 3, 1, d, d)),
  },
  "dilations 2, 2, 2 (holes)": {
    input: 24,
    layers: [2, 2, 2].map((d, at) =>
      layer(`layer ${at + 1}`, "cross_correlation", 3, 1, d, d)),
  },
  "network of the notes": {
    input: 32,
    layers: [
      layer("conv1", "cross_correlation", 5), layer("pool", "max_pool", 2, 2),
      layer("conv2", "cross_correlation", 5), layer("pool", "max_pool", 2, 2),
      { ...layer("fc1", "whole", 1), size: 1 },
    ],
  },
  "encoder and decoder": {
    input: 16,
    layers: [
      layer("down1", "cross_correlation", 3, 2, 1), layer("down2", "cross_correlation", 3, 2, 1),
      layer("up1", "conv_transpose", 4, 2, 1), layer("up2", "conv_transpose", 4, 2, 1),
    ],
  },
};
