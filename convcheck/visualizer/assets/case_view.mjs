// A case: what was given, what is expected, what came back, and the taps of the first difference.
import { choice, exportSvg, button, html, refill } from "./dom.mjs";
import { isPool, tapsOf } from "./geometry.mjs";
import { Grid, hueOf } from "./grid.mjs";
import { isInside } from "./layer_grids.mjs";
import { shown } from "./values.mjs";

const MARGIN = 6;

/**
 * The view of `store.data.case`: {descriptor, layer, groups, input, weight, bias, expected, actual,
 * message}; the arrays are nested as [n][c][row][column] and may be null.
 */
export class CaseView {
  constructor(root, store) {
    this.store = store;
    this.given = store.data.case;
    const first = firstDifference(this.given);
    this.at = first ?? [0, 0, 0, 0];
    this.channel = 0;
    this.controls = html("div", { class: "toolbar" });
    this.grids = {
      input: new Grid("input", "input"), kernel: new Grid("kernel", "kernel"),
      expected: new Grid("output", "expected output; arrow keys choose a cell"),
      ...(this.given.actual ? { actual: new Grid("output actual", "actual output"),
        difference: new Grid("output difference", "actual minus expected") } : {}),
    };
    this.sentence = html("p", { class: "sentence", "aria-live": "polite" });
    this.products = html("div", { class: "scroll" });
    this.captions = {};
    const figures = Object.entries(this.grids).map(([name, grid]) => {
      this.captions[name] = html("figcaption", {}, name);
      return html("figure", {}, this.captions[name], grid.svg);
    });
    this.figures = html("div", { class: "figures" }, figures);
    root.append(html("div", { class: "stage" },
      html("p", {}, html("code", {}, this.given.descriptor)),
      this.given.actual ? html("p", { class: "told" }, countDifferences(this.given)) : null,
      this.given.message ? html("p", { class: "told" }, this.given.message) : null,
      this.controls, this.figures, this.sentence, this.products));
    for (const name of ["expected", "actual", "difference"]) {
      this.grids[name]?.svg.addEventListener("pointermove", (event) => {
        const cell = this.grids[name].cellAt(event);
        if (cell && cell.join() !== this.at.slice(2).join()) {
          this.at = [this.at[0], this.at[1], ...cell];
          this.frame();
        }
      });
    }
    new ResizeObserver(() => this.render()).observe(this.figures);
  }

  render() {
    const { given } = this;
    if (!given.expected || this.figures.clientWidth === 0) {
      this.figures.classList.toggle("none", !given.expected);
      return;
    }
    const numbered = (count) => Array.from({ length: count }, (_, at) => [String(at), String(at)]);
    const pick = (index) => (value) => {
      this.at[index] = Number(value);
      this.channel = 0;
      this.render();
    };
    refill(this.controls,
      choice("batch", numbered(given.expected.length), String(this.at[0]), pick(0)),
      choice("output channel", numbered(given.expected[0].length), String(this.at[1]), pick(1)),
      choice("input channel", this.#channels().map((index, at) => [String(at), String(index)]),
        String(this.channel), (value) => { this.channel = Number(value); this.render(); }),
      button("save SVG", () => exportSvg(Object.values(this.grids).map((grid) => grid.svg), "case")));
    this.#draw();
    this.frame();
  }

  /** The input channels that the chosen output channel reads. */
  #channels() {
    const { given } = this;
    if (isPool(given.layer.op)) return [this.at[1]];
    const inputs = given.input[0].length;
    const group = Math.floor(this.at[1] / (given.expected[0].length / given.groups));
    return Array.from({ length: inputs / given.groups }, (_, at) =>
      group * (inputs / given.groups) + at);
  }

  /** The kernel between input channel number `at` of the group and the chosen output channel. */
  #kernel(at) {
    const { given } = this;
    if (!given.weight) return null;
    if (given.layer.op === "conv_transpose") {
      const within = this.at[1] % (given.expected[0].length / given.groups);
      return given.weight[this.#channels()[at]][within];
    }
    return given.weight[this.at[1]][at];
  }

  #draw() {
    const { given, at, grids } = this;
    const [height, width] = given.layer.axes;
    const input = given.input[at[0]][this.#channels()[this.channel]];
    const plane = given.expected[at[0]][at[1]];
    const isTransposed = given.layer.op === "conv_transpose";
    const pads = (axis) => (isTransposed ? [0, axis.size] : [-axis.before, axis.size + axis.after]);
    const [rows, columns] = [pads(height), pads(width)];
    const widest = Math.max(columns[1] - columns[0], plane[0].length);
    const cell = Math.max(9, Math.min(44, (this.figures.clientWidth - 24) / widest - 1));
    const size = [height.size, width.size];
    grids.input.draw({ rows, columns, cell, margin: MARGIN,
      kind: (row, column) => (isInside([row, column], size) ? "in" : "padding"), tint: () => 0.4,
      value: (row, column) => input[row]?.[column] ?? null });
    const kernel = this.#kernel(this.channel);
    grids.kernel.draw({ rows: [0, height.kernel], columns: [0, width.kernel], cell, margin: MARGIN,
      kind: () => "weight", tint: () => 0.4,
      value: (row, column) => kernel?.[row]?.[column] ?? null });
    const draw = (grid, values, kind) => grid?.draw({ rows: [0, plane.length],
      columns: [0, plane[0].length], cell, margin: MARGIN, kind, tint: () => 0.5,
      value: (row, column) => values?.[row]?.[column] ?? null });
    draw(grids.expected, plane, () => "out");
    const actual = given.actual?.[at[0]]?.[at[1]];
    const allowed = given.bound?.[at[0]]?.[at[1]];
    const kind = (row, column) => (differs(actual?.[row]?.[column], plane[row][column],
      allowed?.[row]?.[column]) ? "wrong" : "out");
    draw(grids.actual, actual, kind);
    draw(grids.difference, plane.map((line, row) => line.map((value, column) =>
      difference(actual?.[row]?.[column], value))), kind);
    this.captions.input.textContent = `input, channel ${this.#channels()[this.channel]}`;
    this.captions.kernel.textContent = isPool(given.layer.op) ? "window" : "weights";
  }

  frame() {
    const { given, grids } = this;
    if (!given.expected) return;
    const cell = this.at.slice(2);
    const taps = tapsOf(given.layer, cell);
    const [height, width] = given.layer.axes;
    const color = ([row, column]) => hueOf(row * width.kernel + column,
      height.kernel * width.kernel);
    grids.input.mark(taps.map(({ at, tap }) => ({ at, color: color(tap) })));
    grids.kernel.mark(taps.map(({ tap }) => ({ at: tap, color: color(tap) })));
    for (const name of ["expected", "actual", "difference"]) {
      grids[name]?.mark([{ at: cell, kind: "chosen" }]);
    }
    const [n, c, row, column] = this.at;
    const expected = given.expected[n][c][row][column];
    const actual = given.actual?.[n]?.[c]?.[row]?.[column];
    const wrong = given.actual && differs(actual, expected, given.bound?.[n]?.[c]?.[row]?.[column]);
    this.sentence.textContent = `Output [${this.at.join(", ")}]: expected ${shown(expected)}` +
      (given.actual ? `, actual ${shown(actual ?? "nothing")}` +
        (wrong ? `, difference ${shown(difference(actual, expected))}.` : ", as it must be.") : ".");
    this.#showTaps(taps);
  }

  #showTaps(taps) {
    const { given } = this;
    const rows = this.#channels().flatMap((channel, at) => {
      const plane = given.input[this.at[0]][channel];
      const kernel = this.#kernel(at);
      return taps.map(({ source, tap }) => {
        const value = source ? plane[source[0]][source[1]] : null;
        const weight = kernel ? kernel[tap[0]][tap[1]] : null;
        const product = typeof value === "number" && typeof weight === "number"
          ? shown(value * weight) : "";
        return [channel, source ? `(${source.join(", ")})` : "padding", value === null ? ""
          : shown(value), `(${tap.join(", ")})`, weight === null ? "" : shown(weight), product];
      });
    });
    const bias = given.bias ? ` The bias ${shown(given.bias[this.at[1]])} is added.` : "";
    const heads = ["channel", "input cell", "value", "tap", "weight", "product"];
    refill(this.products, html("table", { class: "layers" },
      html("caption", {}, `What the chosen output reads.${bias}`),
      html("thead", {}, html("tr", {}, heads.map((head) => html("th", { scope: "col" }, head)))),
      html("tbody", {}, rows.slice(0, 200).map((row) => html("tr", {}, row.map((cell) =>
        html("td", {}, String(cell))))))));
  }

  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (!(event.key in moves) || !this.given.expected) return false;
    const plane = this.given.expected[this.at[0]][this.at[1]];
    const [down, right] = moves[event.key];
    this.at = [this.at[0], this.at[1],
      Math.max(0, Math.min(plane.length - 1, this.at[2] + down)),
      Math.max(0, Math.min(plane[0].length - 1, this.at[3] + right))];
    this.frame();
    return true;
  }
}

const difference = (actual, expected) => (typeof actual === "number" && typeof expected === "number"
  ? actual - expected : actual === expected ? 0 : "\u2260");

/** Whether a value is not the expected one, nor within its bound (none: not at all). */
const differs = (actual, expected, bound = 0) => actual !== expected &&
  !(typeof bound === "number" && Math.abs(actual - expected) <= bound);

function countDifferences({ expected, actual, bound }) {
  const flat = (values) => values?.flat(3) ?? [];
  const [wanted, found, allowed] = [flat(expected), flat(actual), flat(bound)];
  const wrong = wanted.filter((value, at) => differs(found[at], value, allowed[at])).length;
  return wrong ? `${wrong} of ${wanted.length} elements differ; the first one is chosen.`
    : `All ${wanted.length} elements are as they must be.`;
}

/** The index [n, c, row, column] of the first element that differs, or null. */
function firstDifference({ expected, actual, bound }) {
  if (!expected || !actual) return null;
  for (const [n, batch] of expected.entries()) {
    for (const [c, plane] of batch.entries()) {
      for (const [row, line] of plane.entries()) {
        const column = line.findIndex((value, at) => differs(actual[n]?.[c]?.[row]?.[at],
          value, bound?.[n]?.[c]?.[row]?.[at]));
        if (column >= 0) return [n, c, row, column];
      }
    }
  }
  return null;
}
