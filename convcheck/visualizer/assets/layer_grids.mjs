// The three grids of one layer: which cells there are, their numbers, shades and dimensions.
import { html } from "./dom.mjs";
import {
  axisCounts, effectiveKernel, isPool, isTransposed, tapsOf,
} from "./geometry.mjs";
import { Grid } from "./grid.mjs";
import { forward, makeInput, makeWeight } from "./values.mjs";

const MARGIN = 30;
const KERNEL_CELL = 34;

export const isInside = (at, size) =>
  at.every((index, axis) => index >= 0 && index < size[axis]);

/** Input, kernel and output side by side, with the values that they show. */
export class LayerGrids {
  constructor() {
    this.input = new Grid("input", "input; hover a cell to see which outputs it feeds");
    this.kernel = new Grid("kernel", "kernel; hover a weight to see what it multiplies");
    this.output = new Grid("output", "output; arrow keys choose a cell, Enter pins it");
    this.named = { input: this.input, kernel: this.kernel, output: this.output };
    this.captions = Object.fromEntries(Object.keys(this.named).map((name) =>
      [name, html("figcaption", {})]));
    this.root = html("div", { class: "figures" }, Object.entries(this.named).map(
      ([name, grid]) => html("figure", { class: name }, this.captions[name], grid.svg)));
  }

  get drawings() {
    return Object.values(this.named).map((grid) => grid.svg);
  }

  draw(state, out) {
    this.state = state;
    this.out = out;
    const [height, width] = state.axes;
    const size = [height.size, width.size];
    const transposed = isTransposed(state.op);
    const input = makeInput(state.input, size, state.seed);
    const weight = makeWeight(state.weight, [height.kernel, width.kernel], state.seed);
    const output = out ? forward(state, input, weight) : null;
    this.values = { input, weight, output };
    const border = (axis, at) => (transposed ? [0, axis.size] : [-axis.before,
      Math.max(axis.size + axis.after, effectiveKernel(axis) - axis.before +
        ((out?.[at] ?? 1) - 1) * axis.stride)]);
    const [rows, columns] = [border(height, 0), border(width, 1)];
    const shape = out ?? [1, 1];
    const cells = this.#cellSizes(rows, columns, shape);
    const counts = state.counts && this.out ? state.axes.map((axis, at) =>
      axisCounts(state, axis, this.out[at])) : null;
    const countAt = (row, column) => counts[0][row] * counts[1][column];
    const most = counts ? Math.max(1, ...counts[0].map((a) => a * Math.max(...counts[1]))) : 1;
    const largest = Math.max(1, ...input.flat().map(Math.abs));
    const heatIn = counts && !transposed;
    const numbers = (values) => (row, column) => (values[row]?.[column] ?? null);
    this.input.draw({
      rows, columns, cell: cells.main, margin: MARGIN,
      kind: (row, column) => {
        if (!isInside([row, column], size)) {
          return row < height.size + height.after && column < width.size + width.after
            ? "padding" : "beyond";
        }
        return heatIn ? (countAt(row, column) ? "heat" : "unread") : "in";
      },
      tint: (row, column) => (!isInside([row, column], size) ? 1
        : heatIn ? countAt(row, column) / most : Math.abs(input[row][column]) / largest),
      noted: state.numbers && !isPool(state.op),
      value: heatIn ? (row, column) => (isInside([row, column], size) ? countAt(row, column) : null)
        : state.numbers ? (row, column) => (isInside([row, column], size) ? input[row][column]
          : this.#paddingText(row, column)) : null,
    });
    this.kernel.draw({
      rows: [0, height.kernel], columns: [0, width.kernel], cell: cells.kernel, margin: MARGIN,
      kind: () => "weight", tint: () => 0.4,
      value: state.numbers && !isPool(state.op) ? numbers(weight) : null,
    });
    const strongest = Math.max(1, ...(output ?? []).flat().map(Math.abs)
      .filter(Number.isFinite));
    const heatOut = counts && transposed;
    this.output.draw({
      rows: [0, shape[0]], columns: [0, shape[1]], cell: cells.main, margin: MARGIN,
      kind: (row, column) => (!this.out ? "none" : heatOut
        ? (countAt(row, column) ? "heat" : "unread") : "out"),
      tint: (row, column) => (heatOut ? countAt(row, column) / most
        : output ? Math.min(1, Math.abs(output[row][column]) / strongest) : 1),
      value: heatOut ? countAt : state.numbers && output ? numbers(output) : () => null,
    });
    this.#drawDimensions();
    const named = (extent) => extent.join(" \u00d7 ");
    this.captions.input.textContent = `input ${named(size)}`;
    this.captions.kernel.textContent = `${isPool(state.op) ? "window" : "kernel"} ` +
      named([height.kernel, width.kernel]) + (state.op === "convolution" ? ", read backwards" : "");
    this.captions.output.textContent = this.out ? `output ${named(this.out)}` : "no output";
  }

  #paddingText(row, column) {
    const { state } = this;
    const isBeyond = state.axes.some((axis, at) =>
      [row, column][at] >= axis.size + axis.after);
    if (isBeyond) return null;
    if (isPool(state.op)) return state.op === "max_pool" ? "\u2212\u221e" : 0;
    if (state.mode === "zeros") return 0;
    const [tap] = tapsOf({ ...state, op: "cross_correlation", axes: state.axes.map((axis, at) =>
      ({ ...axis, kernel: 1, stride: 1, before: 0, after: 0, at })) }, [row, column]);
    return tap.source ? this.values.input[tap.source[0]]?.[tap.source[1]] ?? null : 0;
  }

  /** Shades what a term of the formula measures along `axis`; nothing where `term` is null. */
  light(term, axis) {
    for (const grid of Object.values(this.named)) grid.bands.replaceChildren();
    if (term === null || !this.input.layout) return;
    for (const [name, ranges] of this.#measured(term, this.state.axes[axis], axis)) {
      this.named[name].band(axis, ranges, term);
    }
  }

  /** Where a term is seen: [[grid, ranges], ...]. */
  #measured(term, { size, kernel, stride, before, after, dilation }, axis) {
    const span = dilation * (kernel - 1) + 1;
    const [first, end, out] = [-before, size + after, this.out?.[axis] ?? 0];
    const isSpread = isTransposed(this.state.op);
    const windows = isSpread ? "output" : "input";
    const taps = Array.from({ length: kernel }, (_, tap) =>
      [first + tap * dilation, first + tap * dilation + 1]);
    const starts = Array.from({ length: out }, (_, at) => [at * stride - before,
      at * stride - before + Math.min(1, stride) * 0.5]);
    const margins = isSpread ? [] : [[first, 0], [size, end]];
    return {
      W: [["input", [[0, size]]]],
      p: [["input", margins]],
      before: [["input", margins.slice(0, 1)]],
      after: [["input", margins.slice(1)]],
      k: [["kernel", [[0, kernel]]], [windows, taps]],
      d: [[windows, [[first, first + dilation]]]],
      s: [[windows, [[first, first + stride]]]],
      l1: [["input", [[first, end]]]],
      l2: [[windows, [[first, first + span]]]],
      l3: [["input", [[first + span, end]]]],
      reach: [["output", [[first, first + (size - 1) * stride]]]],
      steps: [["input", starts.slice(1)]],
      size: [["output", [[0, out]]]],
      output_padding: [["output", [[first + (size - 1) * stride + span, out]]]],
    }[term] ?? [];
  }

  #cellSizes(rows, columns, out) {
    const width = this.root.clientWidth;
    const kernel = this.state.axes.map((axis) => axis.kernel);
    const across = [columns[1] - columns[0], kernel[1], out[1]];
    const down = Math.max(rows[1] - rows[0], out[0]);
    const tallest = Math.max(260, Math.min(innerHeight * 0.7, 820)) / down;
    const inRow = (width - 6 * MARGIN - 48 - KERNEL_CELL * across[1]) / (across[0] + across[2]);
    const stacked = (width - 2 * MARGIN - 4) / Math.max(across[0], across[2]);
    const wanted = inRow >= (width > 900 ? 6 : 15) ? inRow : Math.max(stacked, inRow);
    const main = Math.max(3, Math.min(Math.max(46, innerWidth / 30), wanted, tallest));
    const room = (width - 2 * MARGIN) / kernel[1];
    return { main, kernel: Math.max(3, Math.min(KERNEL_CELL, room, 400 / kernel[0])) };
  }

  #drawDimensions() {
    const { state } = this;
    state.axes.forEach((axis, at) => {
      const span = effectiveKernel(axis);
      const end = axis.size + axis.after;
      const grid = this.input;
      if (isTransposed(state.op)) {
        grid.dimension(at, 0, axis.size, `W = ${axis.size}`, "W", "before");
        if (this.out) {
          this.output.dimension(at, 0, this.out[at], `size = ${this.out[at]}`, "size",
            "before");
        }
        return;
      }
      grid.dimension(at, -axis.before, end, `l1 = ${end + axis.before}`, "l1", "before");
      grid.dimension(at, -axis.before, span - axis.before, `l2 = ${span}`, "l2", "after");
      if (end > span - axis.before) {
        grid.dimension(at, span - axis.before, end, `l3 = ${end + axis.before - span}`, "l3",
          "after");
      }
      if (this.out) {
        this.output.dimension(at, 0, this.out[at], `${this.out[at]}`, "size", "before");
      }
      this.kernel.dimension(at, 0, axis.kernel, `${axis.kernel}`, "k", "before");
    });
  }
}
