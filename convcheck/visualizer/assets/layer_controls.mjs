// The controls of one layer: operation, per-axis numbers, padding mode, what fills the cells.
import { choice, html, refill, stepper, toggle } from "./dom.mjs";
import { MODES, isPool, isTransposed } from "./geometry.mjs";
import { AXIS, MOST } from "./state.mjs";
import { INPUTS, WEIGHTS } from "./values.mjs";

const OP_NAMES = [
  ["cross_correlation", "cross-correlation (what conv layers compute)"],
  ["convolution", "convolution (kernel flipped)"],
  ["conv_transpose", "transposed convolution"],
  ["max_pool", "max pooling"],
  ["avg_pool", "average pooling"],
];

const both = (numbers) => [{ ...AXIS, ...numbers }, { ...AXIS, ...numbers }];

const SETTINGS = {
  "same size (padding 1)": { op: "cross_correlation", axes: both({ size: 6, before: 1, after: 1 }) },
  "stride 2, a row left over": {
    op: "cross_correlation", axes: both({ size: 6, stride: 2 }), counts: true,
  },
  "dilation 2": { op: "cross_correlation", axes: both({ size: 7, dilation: 2 }) },
  "kernel does not fit": { op: "cross_correlation", axes: both({ size: 4, dilation: 3 }) },
  "height and width differ": {
    op: "cross_correlation", locked: false, sides: false,
    axes: [{ ...AXIS, size: 5, kernel: 2, before: 1 }, { ...AXIS, size: 8, stride: 2, after: 1 }],
  },
  "one axis": {
    op: "cross_correlation", locked: false,
    axes: [{ ...AXIS, size: 1, kernel: 1 }, { ...AXIS, size: 12, before: 1, after: 1 }],
  },
  "circular padding": {
    op: "cross_correlation", mode: "circular", axes: both({ size: 5, before: 1, after: 1 }),
  },
  "transposed, checkerboard": {
    op: "conv_transpose", axes: both({ size: 4, stride: 2, kernel: 3 }), counts: true,
  },
  "max pooling 2, stride 2": { op: "max_pool", axes: both({ size: 6, kernel: 2, stride: 2 }) },
  "pooling, ceil mode": {
    op: "max_pool", ceil: true, axes: both({ size: 6, kernel: 3, stride: 2 }),
  },
  "64 x 64": { op: "cross_correlation", axes: both({ size: 64, before: 1, after: 1 }) },
};

const ROWS = [
  ["size", "size", "W"], ["kernel", "kernel", "k"], ["stride", "stride", "s"],
  ["padding before", "before", "p"], ["padding after", "after", "p"],
  ["dilation", "dilation", "d"], ["output padding", "outputPadding", "output_padding"],
];

const clamp = (value) => Math.max(-MOST, Math.min(MOST, value));

/** The axes with `field` of `axis` set; both axes where locked, both sides where `sides`. */
export function withNumber(state, axis, field, value) {
  const isSide = field === "before" || field === "after";
  const fields = isSide && state.sides ? ["before", "after"] : [field];
  const patch = Object.fromEntries(fields.map((name) => [name, clamp(value)]));
  return state.axes.map((old, at) => (at === axis || state.locked ? { ...old, ...patch } : old));
}

function numberRows(state, update) {
  const rows = ROWS.filter(([, field]) => (field !== "outputPadding" || isTransposed(state.op)) &&
    (field !== "after" || !state.sides) && (field !== "dilation" || state.op !== "avg_pool" ||
      state.axes.some((axis) => axis.dilation !== 1)));
  return rows.map(([label, field, term]) => {
    const name = field === "before" && state.sides ? "padding" : label;
    const cells = (state.locked ? [1] : [0, 1]).map((axis) => html("td", {},
      stepper(state.locked ? name : `${name}, ${axis ? "width" : "height"}`,
        state.axes[axis][field],
        (value) => update({ axes: withNumber(state, axis, field, value) }))));
    return html("tr", {}, html("th", { scope: "row", class: `t-${term}` }, name), cells);
  });
}

/** Fills `root` with the controls of the state; `update(patch)` is called on each change. */
export function layerControls(root, state, update) {
  const pool = isPool(state.op);
  refill(root,
    choice("example", [["", "choose an example \u2026"],
      ...Object.keys(SETTINGS).map((name) => [name, name])], "", (name) => {
      if (name) {
        update({ mode: "zeros", ceil: false, locked: true, sides: true, counts: false,
          cell: [0, 0], pinned: false, ...SETTINGS[name] });
      }
    }),
    choice("operation", OP_NAMES, state.op, (op) => update({ op })),
    html("table", { class: "numbers" },
      state.locked ? null : html("thead", {}, html("tr", {}, html("td", {}),
        html("th", { scope: "col" }, "height"), html("th", { scope: "col" }, "width"))),
      html("tbody", {}, numberRows(state, update))),
    html("div", { class: "toggles" },
      toggle("square (one number for both axes)", state.locked, (locked) =>
        update({ locked, axes: locked ? [{ ...state.axes[1] }, { ...state.axes[1] }]
          : state.axes })),
      toggle("same padding on both sides", state.sides, (sides) => update({
        sides,
        axes: sides ? state.axes.map((axis) => ({ ...axis, after: axis.before })) : state.axes,
      })),
      pool ? toggle("ceil mode (round up)", state.ceil, (ceil) => update({ ceil })) : null,
      state.op === "avg_pool" ? toggle("padding counts in the average", state.includePad,
        (includePad) => update({ includePad })) : null),
    pool || isTransposed(state.op) ? null
      : choice("padding mode", MODES.map((mode) => [mode, mode]), state.mode,
        (mode) => update({ mode })),
    choice("input values", INPUTS.map((kind) => [kind, kind.replace("_", " ")]), state.input,
      (input) => update({ input })),
    pool ? null : choice("weights", WEIGHTS.map((kind) => [kind, kind]), state.weight,
      (weight) => update({ weight })),
    html("div", { class: "toggles" },
      toggle("numbers", state.numbers, (numbers) => update({ numbers })),
      toggle(isTransposed(state.op) ? "how often each output is written"
        : "how often each input is read", state.counts, (counts) => update({ counts }))));
}
