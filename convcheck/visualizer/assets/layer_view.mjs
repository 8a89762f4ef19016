// One layer: input, kernel and output as linked grids, the products, the formula, the code.
import { button, exportSvg, html, prefersStill, refill, settings } from "./dom.mjs";
import { formulaOf } from "./formula.mjs";
import {
  GeometryError, axisFeeds, axisTaps, effectiveKernel, isPool, isTransposed, outputSize, tapsOf,
} from "./geometry.mjs";
import { hueOf } from "./grid.mjs";
import { LayerGrids, isInside } from "./layer_grids.mjs";
import { layerControls } from "./layer_controls.mjs";
import { snippets } from "./code.mjs";
import { divisorOf, shown, termsOf } from "./values.mjs";

const MOST_PER_AXIS = 80;
const MOST_TERMS = 30;
const MOST_MARKS = 400;

const place = ([row, column]) => `(${row}, ${column})`;

/** The view of one layer; `store` is {state, update(patch), say(text), complain(text)}. */
export class LayerView {
  constructor(root, store) {
    this.store = store;
    this.hover = null;
    this.timer = null;
    this.grids = new LayerGrids();
    this.figures = this.grids.root;
    this.controls = html("form", { class: "controls", submit: (event) => event.preventDefault() });
    this.note = html("p", { class: "told", role: "status", hidden: true });
    this.sentence = html("p", { id: "sentence", class: "sentence", "aria-live": "polite" });
    this.products = html("div", { class: "products" });
    this.formula = html("div", { class: "formulas" });
    this.code = html("div", { class: "code" });
    this.playButton = button("\u25b6 play", () => this.togglePlay(), { class: "primary" });
    this.pinButton = button("pin", () => this.pin(), { "aria-pressed": "false" });
    this.speed = html("input", {
      type: "range", min: "0.5", max: "20", step: "0.5", "aria-label": "windows per second",
      value: store.state.speed,
      input: (event) => store.update({ speed: Number(event.target.value) }, "frame"),
    });
    const toolbar = html("div", { class: "toolbar", role: "group", "aria-label": "animation" },
      this.playButton,
      button("\u25c0 step", () => this.step(-1)), button("step \u25b6", () => this.step(1)),
      html("label", { class: "speed" }, "speed", this.speed), this.pinButton,
      button("save SVG", () => exportSvg(this.grids.drawings,
        "convolution")));
    root.append(html("div", { class: "split" }, settings(this.controls),
      html("div", { class: "stage" }, toolbar, this.note, this.figures, this.sentence,
        this.products, this.formula, this.code)));
    this.#listen();
    new ResizeObserver(() => this.render()).observe(this.figures);
  }

  #listen() {
    for (const [name, grid] of Object.entries(this.grids.named)) {
      grid.svg.addEventListener("pointermove", (event) => this.#hoverOn(name, grid.cellAt(event)));
      grid.svg.addEventListener("pointerleave", () => this.#hoverOn(name, null));
      grid.svg.addEventListener("click", (event) => {
        const cell = grid.cellAt(event);
        if (name === "output" && cell) {
          this.store.update({ cell, pinned: !this.store.state.pinned ||
            cell.join() !== this.store.state.cell.join() }, "frame");
        }
      });
    }
    const light = (event, isLit) => {
      const source = event.target.closest?.("[data-term]");
      if (source) this.#lightTerm(source.dataset.term,
        source.dataset.axis ?? source.closest("[data-axis]")?.dataset.axis, isLit);
    };
    for (const root of [this.formula, this.figures]) {
      root.addEventListener("pointerover", (event) => light(event, true));
      root.addEventListener("pointerout", (event) => light(event, false));
    }
  }

  #hoverOn(name, cell) {
    const same = this.hover?.name === name && this.hover?.cell?.join() === cell?.join();
    if (same || (!cell && this.hover === null)) return;
    this.hover = cell ? { name, cell } : null;
    this.frame();
  }

  #lightTerm(term, axis, isLit) {
    for (const element of [...this.formula.querySelectorAll(`[data-term="${CSS.escape(term)}"]`),
      ...this.figures.querySelectorAll(`[data-term="${CSS.escape(term)}"]`)]) {
      const own = element.dataset.axis ?? element.closest("[data-axis]")?.dataset.axis;
      element.classList.toggle("lit", isLit && (own === axis || !own || !axis));
    }
    if (this.drawable) this.grids.light(isLit ? term : null, Number(axis || 1));
  }

  /** Draws everything anew: after a change of the layer or of the room on the page. */
  render() {
    const { state } = this.store;
    if (this.figures.clientWidth === 0) return;
    layerControls(this.controls, state, (patch) => this.store.update(patch));
    this.out = null;
    let tooLarge = null;
    try {
      this.out = outputSize(state);
    } catch (error) {
      if (!(error instanceof GeometryError)) throw error;
    }
    const extents = state.axes.flatMap((axis) => [axis.kernel, axis.size,
      axis.size + axis.before + axis.after, effectiveKernel(axis)]);
    const largest = Math.max(...extents, ...(this.out ?? []));
    if (largest > MOST_PER_AXIS) {
      tooLarge = `${largest.toLocaleString("en")} elements on an axis are too many to draw (at ` +
        `most ${MOST_PER_AXIS}); the formula below still holds.`;
    } else if (Math.min(...state.axes.flatMap((axis) => [axis.size, axis.kernel, axis.dilation,
      axis.before + 1, axis.after + 1])) < 1) {
      tooLarge = "Nothing to draw: see below why this setting is impossible.";
    }
    this.drawable = tooLarge === null;
    this.note.hidden = this.drawable;
    this.note.textContent = tooLarge ?? "";
    this.figures.classList.toggle("none", !this.drawable);
    if (this.drawable) this.grids.draw(state, this.out);
    else this.#stop();
    this.#renderFormula();
    this.#renderCode();
    this.frame();
  }

  #renderFormula() {
    const { state } = this.store;
    const onChoose = (axis, numbers) => this.store.update({
      axes: state.axes.map((old, at) => (at === axis || state.locked ? numbers : old)),
      sides: state.sides && numbers.before === numbers.after,
    });
    const same = JSON.stringify(state.axes[0]) === JSON.stringify(state.axes[1]);
    const titles = same ? [[1, null, "Size, height and width alike"]]
      : [[0, 0, "Height"], [1, 1, "Width"]];
    refill(this.formula, titles.map(([axis, linked, title]) =>
      formulaOf(state, axis, linked, title, onChoose)));
  }

  #renderCode() {
    const open = this.code.querySelector("details")?.open ?? false;
    const blocks = Object.entries(snippets(this.store.state)).map(([name, text]) => {
      const pre = html("pre", { tabindex: 0, "aria-label": `${name} code` }, text);
      const copy = button("copy", () => copyText(text, pre, copy), { "aria-label": `copy ${name}` });
      return html("section", {}, html("h4", {}, name, copy), pre);
    });
    refill(this.code, html("details", { open }, html("summary", {}, "This layer as code"),
      html("div", { class: "snippets" }, blocks)));
  }

  /** Draws the marks of the current cell: what changes from one frame to the next. */
  frame() {
    const { state } = this.store;
    this.pinButton.setAttribute("aria-pressed", String(state.pinned));
    if (!this.drawable) {
      refill(this.products);
      this.sentence.textContent = "";
      return;
    }
    if (!this.out) return this.#frameRefused();
    if (this.hover?.name === "input" && this.#frameInput(this.hover.cell)) return;
    if (this.hover?.name === "kernel") return this.#frameWeight(this.hover.cell);
    const hovered = this.hover?.name === "output" && !state.pinned ? this.hover.cell : null;
    this.#frameOutput(hovered ?? this.#boundedCell());
  }

  #boundedCell() {
    return this.store.state.cell.map((index, axis) =>
      Math.max(0, Math.min(index, this.out[axis] - 1)));
  }

  #frameRefused() {
    const { state } = this.store;
    const taps = tapsOf({ ...state, op: "cross_correlation" }, [0, 0]);
    this.grids.input.mark(taps.slice(0, MOST_MARKS).map(({ at }) => ({ at, kind: "refused" })));
    refill(this.products);
    this.sentence.textContent = "No output: the setting is impossible; the formula says why.";
  }

  #frameOutput(cell) {
    const { state } = this.store;
    const terms = termsOf(state, cell, this.grids.values.input, this.grids.values.weight);
    const width = state.axes[1].kernel;
    const color = ([row, column]) => hueOf(row * width + column, state.axes[0].kernel * width);
    const pool = isPool(state.op);
    this.grids.input.mark(terms.map(({ at, tap, weight }) => ({
      at, color: color(tap), note: state.numbers && !pool ? `\u00d7${shown(weight)}` : null,
    })));
    this.grids.kernel.mark(terms.map(({ tap }) => ({ at: tap, color: color(tap) })));
    this.grids.output.mark([{ at: cell, kind: "chosen" }]);
    const read = terms.filter((term) => term.source);
    const outside = terms.length - read.length;
    this.sentence.textContent = `Output ${place(cell)} = ${shown(this.grids.values.output[cell[0]][cell[1]])}: ` +
      `${read.length} input ${read.length === 1 ? "cell" : "cells"}` +
      (outside ? ` and ${outside} in the padding` : "") + (read.length
      ? `, rows ${span(read, 0)}, columns ${span(read, 1)}.` : ".");
    this.#showProducts(cell, terms, color);
  }

  #showProducts(cell, terms, color) {
    const { state } = this.store;
    if (!state.numbers) return refill(this.products);
    const value = shown(this.grids.values.output[cell[0]][cell[1]]);
    const items = terms.slice(0, MOST_TERMS).map(({ tap, value: number, weight, source }) => {
      const item = html("span", { class: source ? "term-box" : "term-box pad" },
        weight === null ? shown(number) : `${shown(number)}\u00b7${shown(weight)}`);
      item.style.borderColor = color(tap);
      return item;
    });
    const joint = state.op === "max_pool" ? ", " : " + ";
    const list = items.flatMap((item, at) => (at ? [joint, item] : [item]));
    if (terms.length > MOST_TERMS) list.push(`${joint}\u2026 ${terms.length - MOST_TERMS} more`);
    if (!terms.length) list.push("nothing: no input reaches this cell");
    const [open, close] = { max_pool: ["max(", ")"], avg_pool: ["(",
      `) / ${divisorOf(state, cell)}`] }[state.op] ?? ["", ""];
    refill(this.products, html("p", {}, html("b", {}, `y${place(cell)} = `), open, list, close,
      html("b", {}, ` = ${value}`)));
    return undefined;
  }

  #frameInput(cell) {
    const { state } = this.store;
    if (!isInside(cell, state.axes.map((axis) => axis.size))) return false;
    const fed = state.axes.map((axis, at) => axisFeeds(state, axis, cell[at], this.out[at]));
    const width = state.axes[1].kernel;
    const pairs = fed[0].flatMap((a) => fed[1].map((b) =>
      ({ at: [a.position, b.position], tap: [a.tap, b.tap] })));
    const color = ([row, column]) => hueOf(row * width + column, state.axes[0].kernel * width);
    this.grids.input.mark([{ at: cell, kind: "chosen" }]);
    this.grids.kernel.mark(pairs.map(({ tap }) => ({ at: tap, color: color(tap) })));
    this.grids.output.mark(pairs.slice(0, MOST_MARKS).map(({ at, tap }) =>
      ({ at, color: color(tap) })));
    refill(this.products);
    this.sentence.textContent = pairs.length
      ? `Input ${place(cell)} feeds ${pairs.length} ` +
        `${pairs.length === 1 ? "output" : "outputs"}, each through a weight of its own.`
      : `Input ${place(cell)} is never read: no window covers it.`;
    return true;
  }

  #frameWeight(tap) {
    const { state } = this.store;
    const along = state.axes.map((axis, at) =>
      Array.from({ length: this.out[at] }, (_, position) => axisTaps(state, axis, position))
        .flat().filter((one) => one.tap === tap[at]).map((one) => one.at));
    const read = along[0].slice(0, MOST_MARKS).flatMap((row) =>
      along[1].map((column) => [row, column])).slice(0, MOST_MARKS);
    this.grids.kernel.mark([{ at: tap, kind: "chosen" }]);
    this.grids.input.mark(read.map((at) => ({ at, kind: "chosen" })));
    this.grids.output.mark([]);
    refill(this.products);
    const name = isPool(state.op) ? "Place" : "Weight";
    this.sentence.textContent = `${name} ${place(tap)} is used ` +
      `${along[0].length * along[1].length} times: every output shares it, and reads it at one ` +
      "input cell at most.";
  }

  /** Moves the window by `by` output cells, row by row. */
  step(by) {
    if (!this.drawable || !this.out) return;
    const count = this.out[0] * this.out[1];
    const [row, column] = this.#boundedCell();
    const next = (((row * this.out[1] + column + by) % count) + count) % count;
    this.hover = null;
    this.store.update({ cell: [Math.floor(next / this.out[1]), next % this.out[1]] }, "frame");
  }

  pin() {
    this.store.update({ pinned: !this.store.state.pinned }, "frame");
  }

  togglePlay() {
    if (this.timer !== null) return this.#stop();
    if (prefersStill()) this.store.say("Reduced motion is asked for: the window moves in steps.");
    this.playButton.textContent = "\u275a\u275a pause";
    this.playButton.setAttribute("aria-pressed", "true");
    const tick = () => {
      this.step(1);
      this.timer = setTimeout(tick, 1000 / this.store.state.speed);
    };
    this.timer = setTimeout(tick, 0);
    return undefined;
  }

  #stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.playButton.textContent = "\u25b6 play";
    this.playButton.setAttribute("aria-pressed", "false");
  }

  hide() {
    this.#stop();
  }

  /** Handles a key; returns whether it was one of this view's. */
  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key in moves && this.out && this.drawable) {
      const cell = this.#boundedCell().map((index, axis) =>
        Math.max(0, Math.min(this.out[axis] - 1, index + moves[event.key][axis])));
      this.hover = null;
      this.store.update({ cell }, "frame");
    } else if (event.key === "Home") this.store.update({ cell: [0, 0] }, "frame");
    else if (event.key === "End" && this.out) {
      this.store.update({ cell: this.out.map((extent) => extent - 1) }, "frame");
    } else if (event.key === " ") this.togglePlay();
    else if (event.key === "Enter") this.pin();
    else if (event.key === "[" || event.key === "]") {
      const speed = this.store.state.speed * (event.key === "]" ? 1.5 : 1 / 1.5);
      this.store.update({ speed: Math.min(20, Math.max(0.5, Number(speed.toFixed(2)))) }, "frame");
      this.speed.value = this.store.state.speed;
    } else return false;
    return true;
  }
}

function span(terms, axis) {
  const indices = terms.map((term) => term.source[axis]);
  const [low, high] = [Math.min(...indices), Math.max(...indices)];
  return low === high ? String(low) : `${low} to ${high}`;
}

async function copyText(text, pre, control) {
  getSelection().selectAllChildren(pre);
  let done = "copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = "selected: press Ctrl+C";
  }
  control.textContent = done;
  setTimeout(() => { control.textContent = "copy"; }, 2000);
}
