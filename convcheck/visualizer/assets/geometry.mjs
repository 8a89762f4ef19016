// Sizes, refusals and taps of one layer: the rules of convcheck's core, in exact integers.
// Pure functions without a document; the tests run this file under Node beside the Python.
//
// An axis is {size, kernel, stride, before, after, dilation, outputPadding}.
// A layer is {op, axes: [height, width], mode, ceil, includePad}.

export const OPS = ["cross_correlation", "convolution", "conv_transpose", "max_pool", "avg_pool"];
export const MODES = ["zeros", "reflect", "replicate", "circular"];

export const isPool = (op) => op.endsWith("_pool");
export const isTransposed = (op) => op === "conv_transpose";
export const effectiveKernel = (axis) => axis.dilation * (axis.kernel - 1) + 1;

/** A setting that no layer can have, in the parts of convcheck's GeometryError. */
export class GeometryError extends Error {
  constructor(what, why, fix = "") {
    super(what);
    Object.assign(this, { what, why, fix });
  }
}

function checkWindow(axis) {
  const rules = [
    ["input_size", axis.size, 1],
    ["kernel_size", axis.kernel, 1],
    ["stride", axis.stride, 1],
    ["padding", Math.min(axis.before, axis.after), 0],
    ["dilation", axis.dilation, 1],
  ];
  for (const [name, value, least] of rules) {
    if (value < least) {
      throw new GeometryError(
        `${name} ${value}`, `it must be at least ${least}`, `use ${name} >= ${least}`);
    }
  }
}

function doesNotFit(axis) {
  const span = effectiveKernel(axis);
  const padded = axis.size + axis.before + axis.after;
  const lack = span - padded;
  const both = axis.before === axis.after;
  const fixes = both ? [`padding >= ${axis.before + Math.ceil(lack / 2)}`] : [];
  const dilation = Math.floor((padded - 1) / (axis.kernel - 1));
  if (axis.kernel > 1 && dilation >= 1) fixes.push(`dilation <= ${dilation}`);
  fixes.push(`an input of at least ${axis.size + lack}`);
  const sum = both ? `${axis.size} + 2 x ${axis.before}`
    : `${axis.size} + ${axis.before} + ${axis.after}`;
  return new GeometryError(
    "kernel does not fit",
    `effective kernel ${span} (dilation ${axis.dilation} x (kernel ${axis.kernel} - 1) + 1) ` +
      `is larger than the padded input ${padded} (${sum})`,
    "use " + fixes.join(", or "));
}

function convSize(axis) {
  checkWindow(axis);
  const free = axis.size + axis.before + axis.after - effectiveKernel(axis);
  if (free < 0) throw doesNotFit(axis);
  return Math.floor(free / axis.stride) + 1;
}

function transposedSize(axis) {
  checkWindow(axis);
  const { size, stride, dilation, before, after, outputPadding } = axis;
  const most = Math.max(stride, dilation);
  if (!(outputPadding >= 0 && outputPadding < most)) {
    throw new GeometryError(
      `output_padding ${outputPadding}`,
      `it must be at least 0 and less than stride ${stride} or dilation ${dilation}`,
      `use output_padding <= ${most - 1}`);
  }
  const span = effectiveKernel(axis);
  const out = (size - 1) * stride - before - after + span + outputPadding;
  if (out < 1) {
    throw new GeometryError(
      `nothing is left of the output: ${out}`,
      `(${size} - 1) x ${stride} - ${before} - ${after} + ${span} + ${outputPadding} = ${out}`,
      "use less padding, or a larger input, kernel or output_padding");
  }
  return out;
}

function poolSize(axis, ceil) {
  checkWindow(axis);
  const most = Math.floor(axis.kernel / 2);
  const padding = Math.max(axis.before, axis.after);
  if (padding > most) {
    throw new GeometryError(
      `pool padding ${padding} is more than half the kernel`,
      `it must be at most kernel // 2 = ${axis.kernel} // 2 = ${most}, or a window could lie ` +
        "wholly in padding",
      `use padding <= ${most}, or a larger kernel`);
  }
  const free = axis.size + axis.before + axis.after - effectiveKernel(axis);
  let out = Math.floor((ceil ? free + axis.stride - 1 : free) / axis.stride) + 1;
  if (ceil && (out - 1) * axis.stride >= axis.size + axis.before) out -= 1;
  if (out < 1) throw doesNotFit(axis);
  return out;
}

function checkMode({ op, mode }, axis) {
  if (isPool(op) || isTransposed(op) || (mode !== "reflect" && mode !== "circular")) return;
  const most = mode === "reflect" ? axis.size - 1 : axis.size;
  const padding = Math.max(axis.before, axis.after);
  if (padding > most) {
    throw new GeometryError(
      `${mode} padding ${padding} on an input of ${axis.size}`,
      `${mode} padding can be at most ${most} there`);
  }
}

function windowSize(layer, axis) {
  if (isTransposed(layer.op)) return transposedSize(axis);
  if (isPool(layer.op)) {
    if (layer.op === "avg_pool" && axis.dilation !== 1) {
      throw new GeometryError(
        `dilation ${axis.dilation}`, "average pooling has no dilation", "use dilation 1");
    }
    return poolSize(axis, layer.ceil);
  }
  return convSize(axis);
}

/** The output extent of one axis; throws a GeometryError where no layer can have it. */
export function axisSize(layer, axis) {
  const out = windowSize(layer, axis);
  checkMode(layer, axis);
  return out;
}

/** The output extents [height, width]; throws the GeometryError that the core raises first. */
export function outputSize(layer) {
  const out = layer.axes.map((axis) => windowSize(layer, axis));
  layer.axes.forEach((axis) => checkMode(layer, axis));
  return out;
}

/** Where index `at` of the padded input takes its value; null for padding that holds no input. */
export function sourceIndex(at, size, mode) {
  if (at >= 0 && at < size) return at;
  if (mode === "replicate") return at < 0 ? 0 : size - 1;
  if (mode === "circular") return ((at % size) + size) % size;
  if (mode === "reflect") return at < 0 ? -at : 2 * (size - 1) - at;
  return null;
}

/** The taps of output `position` on one axis: {at, tap}; `at` counts from the input's first. */
export function axisTaps(layer, axis, position) {
  const taps = [];
  for (let tap = 0; tap < axis.kernel; tap++) {
    if (isTransposed(layer.op)) {
      const distance = position + axis.before - tap * axis.dilation;
      const at = distance / axis.stride;
      if (Number.isInteger(at) && at >= 0 && at < axis.size) taps.push({ at, tap });
    } else {
      const flipped = layer.op === "convolution" ? axis.kernel - 1 - tap : tap;
      taps.push({ at: position * axis.stride + tap * axis.dilation - axis.before, tap: flipped });
    }
  }
  return taps;
}

/** The taps of an output cell: {at: [row, column], source: [row, column] or null, tap: [a, b]}. */
export function tapsOf(layer, cell) {
  const [height, width] = layer.axes;
  const mode = isPool(layer.op) ? "zeros" : layer.mode;
  const taps = [];
  for (const row of axisTaps(layer, height, cell[0])) {
    for (const column of axisTaps(layer, width, cell[1])) {
      const source = [
        sourceIndex(row.at, height.size, mode), sourceIndex(column.at, width.size, mode)];
      taps.push({
        at: [row.at, column.at],
        source: source.includes(null) ? null : source,
        tap: [row.tap, column.tap],
      });
    }
  }
  return taps;
}

/** The output positions on one axis that input `index` feeds, with the tap: [{position, tap}]. */
export function axisFeeds(layer, axis, index, out) {
  const fed = [];
  const mode = isPool(layer.op) || isTransposed(layer.op) ? "zeros" : layer.mode;
  if (mode === "zeros" && !isTransposed(layer.op)) {
    for (let tap = 0; tap < axis.kernel; tap++) {
      const position = (index + axis.before - tap * axis.dilation) / axis.stride;
      const flipped = layer.op === "convolution" ? axis.kernel - 1 - tap : tap;
      if (Number.isInteger(position) && position >= 0 && position < out) {
        fed.push({ position, tap: flipped });
      }
    }
    return fed;
  }
  for (let position = 0; position < out; position++) {
    for (const { at, tap } of axisTaps(layer, axis, position)) {
      if (sourceIndex(at, axis.size, mode) === index) fed.push({ position, tap });
    }
  }
  return fed;
}

/** How often each index of an axis is read (of the output: written, for a transposed layer). */
export function axisCounts(layer, axis, out) {
  if (isTransposed(layer.op)) {
    return Array.from({ length: out }, (_, position) => axisTaps(layer, axis, position).length);
  }
  return Array.from({ length: axis.size }, (_, index) => axisFeeds(layer, axis, index, out).length);
}
