// The size formula worked with its numbers, and the nearest settings that are possible.
import {
  GeometryError, axisSize, effectiveKernel, isPool, isTransposed,
} from "./geometry.mjs";

const step = (name, formula, numbers, value, says) => ({ name, formula, numbers, value, says });

/** {steps, size, unread, refusal} of one axis; the twin of core.explanation.explain_axis. */
export function explainAxis(layer, axis) {
  const { size, kernel, stride, dilation, before, after, outputPadding } = axis;
  const span = effectiveKernel(axis);
  let out = null;
  let refusal = null;
  try {
    out = axisSize(layer, axis);
  } catch (error) {
    if (!(error instanceof GeometryError)) throw error;
    refusal = error;
  }
  const effective =
    step("l2", "d(k-1) + 1", `${dilation}*(${kernel}-1) + 1`, span, "effective kernel");
  if (isTransposed(layer.op)) {
    const reach = (size - 1) * stride;
    const steps = [
      step("reach", "(W - 1)s", `(${size} - 1)*${stride}`, reach,
        "distance from the first window to the last"),
      effective,
    ];
    if (refusal) return { steps, size: null, unread: 0, refusal };
    steps.push(step(
      "size", "reach + l2 - before - after + output_padding",
      `${reach} + ${span} - ${before} - ${after} + ${outputPadding}`, out, "output"));
    return { steps, size: out, unread: 0, refusal };
  }
  const both = before === after;
  const padded = size + before + after;
  const free = padded - span;
  const steps = [
    step("l1", both ? "W + 2p" : "W + before + after",
      both ? `${size} + 2*${before}` : `${size} + ${before} + ${after}`, padded, "padded input"),
    effective,
    step("l3", "l1 - l2", `${padded} - ${span}`, free, "free play of the window"),
  ];
  if (refusal) return { steps, size: null, unread: 0, refusal };
  const ceil = layer.ceil && isPool(layer.op);
  const moves = ceil ? Math.ceil(free / stride) : Math.floor(free / stride);
  const name = ceil ? "ceil" : "floor";
  steps.push(
    step("steps", `${name}(l3 / s)`, `${name}(${free} / ${stride})`, moves,
      "moves of the window"));
  steps.push(out === moves
    ? step("size", "steps",
      `${moves} + 1 - 1, as the window at ${moves * stride} would start at or after ` +
        `${size + before}, in the padding`,
      out, "output (a last window that starts in the padding is dropped)")
    : step("size", "steps + 1", `${moves} + 1`, out, "output"));
  return { steps, size: out, unread: Math.max(0, free - (out - 1) * stride), refusal };
}

const KNOBS = [
  ["padding", ["before", "after"]], ["size", ["size"]], ["kernel", ["kernel"]],
  ["stride", ["stride"]], ["dilation", ["dilation"]], ["output padding", ["outputPadding"]],
];
const FARTHEST = 64;

/**
 * The nearest possible settings, each {text, axis}: those that change one parameter of the axis,
 * or where several are wrong, those that change one more after each was brought into its range.
 * Found by trying, nearest first, so that every one offered is possible.
 */
export function nearestPossible(layer, axis) {
  const offers = changingOne(layer, axis);
  if (offers.length) return offers;
  const inRange = broughtIntoRange(layer, axis);
  if (explainAxis(layer, inRange).refusal === null) {
    return [{ text: "every value in its range", axis: inRange }];
  }
  const plain = { ...inRange, kernel: 1, before: 0, after: 0, dilation: 1, outputPadding: 0 };
  return [...changingOne(layer, inRange), { text: "kernel 1, padding 0, dilation 1", axis: plain }];
}

function broughtIntoRange(layer, axis) {
  const least = (field, value) => Math.max(value, axis[field]);
  const [stride, dilation] = [least("stride", 1), layer.op === "avg_pool" ? 1
    : least("dilation", 1)];
  return {
    size: least("size", 1), kernel: least("kernel", 1), stride, dilation,
    before: least("before", 0), after: least("after", 0),
    outputPadding: Math.min(least("outputPadding", 0), Math.max(stride, dilation) - 1),
  };
}

function changingOne(layer, axis) {
  const offers = [];
  for (const [name, fields] of KNOBS) {
    const found = nearestValue(layer, axis, fields);
    if (found !== null) {
      const patch = Object.fromEntries(fields.map((field) => [field, found]));
      offers.push({ text: `${name} ${found}`, axis: { ...axis, ...patch } });
    }
  }
  return offers;
}

function nearestValue(layer, axis, fields) {
  const now = axis[fields[0]];
  const room = axis.size + axis.before + axis.after - 1;
  const boundary = {
    before: Math.ceil((effectiveKernel(axis) - axis.size) / 2),
    size: effectiveKernel(axis) - axis.before - axis.after,
    kernel: Math.floor(room / axis.dilation) + 1,
    dilation: Math.floor(room / (axis.kernel - 1)),
  }[fields[0]];
  const near = [now];
  for (let distance = 1; distance <= FARTHEST; distance++) near.push(now + distance, now - distance);
  for (const value of [...near, boundary]) {
    if (!Number.isSafeInteger(value) || value < 0) continue;
    const patch = Object.fromEntries(fields.map((field) => [field, value]));
    try {
      axisSize(layer, { ...axis, ...patch });
      return value;
    } catch (error) {
      if (!(error instanceof GeometryError)) throw error;
    }
  }
  return null;
}
