// The layer of the first tab as a matrix: Toeplitz and im2col, linked with its grids.
import { choice, exportSvg, button, html, refill, svg, toggle } from "./dom.mjs";
import { GeometryError, isPool, isTransposed, outputSize } from "./geometry.mjs";
import { Grid, hueOf } from "./grid.mjs";
import { entryWeight, imageToColumns, layerMatrix } from "./matrix.mjs";
import { makeInput, makeWeight, shown } from "./values.mjs";

const MOST_SIDE = 160;
const MARGIN = 44;

/** The view of the matrix of the current layer. */
export class MatrixView {
  constructor(root, store) {
    this.store = store;
    this.form = "toeplitz";
    this.place = [0, 0];
    this.controls = html("div", { class: "toolbar" });
    this.drawing = svg("svg", {
      class: "matrix", tabindex: 0, role: "application", "aria-roledescription": "matrix",
      "aria-label": "matrix of the layer; arrow keys choose an entry",
      "aria-describedby": "matrix-sentence",
    });
    this.sentence = html("p", { id: "matrix-sentence", class: "sentence", "aria-live": "polite" });
    this.about = html("p", { class: "hint" });
    this.holder = html("div", { class: "scroll" }, this.drawing);
    this.grids = { input: new Grid("input", "input of the layer"),
      output: new Grid("output", "output of the layer") };
    this.figures = html("div", { class: "figures" }, Object.entries(this.grids).map(([name, grid]) =>
      html("figure", { class: name }, html("figcaption", { class: "flush" }, name), grid.svg)));
    this.room = html("div", { class: "beside" }, this.holder, this.figures);
    root.append(html("div", { class: "stage" }, this.controls, this.about, this.sentence, this.room));
    this.drawing.addEventListener("pointermove", (event) => {
      const place = this.#placeAt(event);
      if (place && place.join() !== this.place.join()) this.#choose(place);
    });
    new ResizeObserver(() => this.render()).observe(this.room);
  }

  render() {
    const { state } = this.store;
    if (this.room.clientWidth === 0) return;
    refill(this.controls,
      choice("form", [["toeplitz", "input to output (banded, Toeplitz)"], ["columns", "im2col"]],
        this.form, (form) => { this.form = form; this.place = [0, 0]; this.render(); }),
      this.form === "toeplitz" ? toggle("transpose it", state.transpose, (transpose) =>
        this.store.update({ transpose })) : null,
      button("save SVG", () => exportSvg([this.drawing], "matrix")));
    const table = this.#table();
    this.table = table;
    this.figures.classList.toggle("none", typeof table === "string");
    if (typeof table === "string") {
      this.about.textContent = table;
      this.sentence.textContent = "";
      this.drawing.replaceChildren();
      this.drawing.setAttribute("height", 0);
      return;
    }
    this.about.textContent = this.#describe(table);
    this.#draw(table);
    const size = state.axes.map((axis) => axis.size);
    for (const [name, extents] of [["input", size], ["output", table.out]]) {
      this.grids[name].draw({ rows: [0, extents[0]], columns: [0, extents[1]], margin: 4,
        cell: Math.max(5, Math.min(26, 300 / Math.max(...extents))), tint: () => 0.35,
        kind: () => (name === "input" ? "in" : "out") });
    }
    this.frame();
  }

  /** {rows, columns, entries: [{row, column, text, color, says}], names} or why there is none. */
  #table() {
    const { state } = this.store;
    let out;
    try {
      out = outputSize(state);
    } catch (error) {
      if (!(error instanceof GeometryError)) throw error;
      return `No matrix: ${error.message}: ${error.why}. Change the setting under "One layer".`;
    }
    const size = state.axes.map((axis) => axis.size);
    const taps = state.axes[0].kernel * state.axes[1].kernel;
    const [rows, columns] = [out[0] * out[1], this.form === "columns" ? taps : size[0] * size[1]];
    if (Math.max(rows, columns) > MOST_SIDE) {
      return `A matrix of ${rows.toLocaleString("en")} by ${columns.toLocaleString("en")} is too ` +
        `large to draw (at most ${MOST_SIDE}); choose a smaller size under "One layer".`;
    }
    const weight = makeWeight(state.weight, state.axes.map((axis) => axis.kernel), state.seed);
    const width = state.axes[1].kernel;
    const cell = (index, extents) => `(${pairOf(index, extents).join(", ")})`;
    if (this.form === "columns") {
      const input = makeInput(state.input, size, state.seed);
      const entries = imageToColumns(state).flatMap((read, row) => read.map(({ source, tap }) => ({
        row, column: tap[0] * width + tap[1],
        text: source ? input[source[0]][source[1]] : "\u00b7",
        color: hueOf(tap[0] * width + tap[1], taps), isPadding: !source, source,
        says: `row of output ${cell(row, out)}, tap (${tap}): ` +
          (source ? `input (${source.join(", ")}) = ${shown(input[source[0]][source[1]])}`
            : "in the padding"),
      })));
      return { rows, columns, entries, out, names: ["output", "tap"] };
    }
    const entries = layerMatrix(state).entries.map((entry) => {
      const value = entryWeight(state, entry, weight);
      const [a, b] = entry.taps[0];
      return { row: entry.row, column: entry.column, text: value,
        color: hueOf(a * width + b, taps), source: pairOf(entry.column, size),
        says: `output ${cell(entry.row, out)} takes input ${cell(entry.column, size)} ` +
          (isPool(state.op) ? "into its window" : `times ${shown(value)}, weight ` +
            entry.taps.map((tap) => `(${tap.join(", ")})`).join(" + ")) };
    });
    if (!state.transpose) return { rows, columns, entries, out, names: ["output", "input"] };
    return { rows: columns, columns: rows, out, names: ["input", "output"],
      entries: entries.map((entry) => ({ ...entry, row: entry.column, column: entry.row })) };
  }

  #describe(table) {
    const { state } = this.store;
    const shape = `${table.rows} \u00d7 ${table.columns}`;
    if (this.form === "columns") {
      return `im2col, ${shape}: one row per output, one column per tap. The output is this matrix ` +
        "times the kernel written as one column: this is how many libraries compute a layer.";
    }
    const zeros = table.rows * table.columns - table.entries.length;
    const kind = isPool(state.op)
      ? "What each window reads. Pooling by the maximum is no matrix: it takes the largest of each row."
      : isTransposed(state.op)
        ? "A transposed convolution is the transpose of a convolution's matrix, whence its name."
        : "Every row holds the same weights, moved along: a layer is a matrix with shared entries.";
    return `${shape}, ${table.entries.length} entries, ${zeros} zeros. ${kind}`;
  }

  #draw(table) {
    const room = Math.max(280, this.room.clientWidth - 2);
    const cell = Math.max(5, Math.min(34, (room - MARGIN - 12) / table.columns,
      Math.max(300, innerHeight * 0.68) / table.rows));
    this.cell = cell;
    const [width, height] = [MARGIN + table.columns * cell + 12, MARGIN + table.rows * cell + 12];
    const at = (row, column) => ({ x: MARGIN + column * cell, y: MARGIN + row * cell });
    const frame = { x: MARGIN, y: MARGIN, width: table.columns * cell, height: table.rows * cell };
    const parts = [svg("rect", { ...frame, class: "paper" })];
    parts.push(svg("text", { x: MARGIN, y: 16, class: "axis" }, `${table.names[1]} \u2192`),
      svg("text", { x: 16, y: MARGIN, class: "axis", transform: `rotate(90 16 ${MARGIN})` },
        `${table.names[0]} \u2192`));
    for (const entry of table.entries) {
      const corner = at(entry.row, entry.column);
      parts.push(svg("rect", { ...corner, width: cell, height: cell,
        class: entry.isPadding ? "entry pad" : "entry", fill: entry.isPadding ? null : entry.color }));
      if (cell >= 18) {
        parts.push(svg("text", { x: corner.x + cell / 2, y: corner.y + cell / 2, class: "number",
          "font-size": (cell * 0.42).toFixed(1) },
        typeof entry.text === "number" ? shown(entry.text) : entry.text));
      }
    }
    this.cross = svg("g", {});
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.drawing.setAttribute("width", width);
    this.drawing.setAttribute("height", height);
    this.drawing.replaceChildren(...parts, this.cross);
  }

  #placeAt(event) {
    if (typeof this.table === "string") return null;
    const box = this.drawing.getBoundingClientRect();
    const scale = this.drawing.viewBox.baseVal.width / box.width;
    const row = Math.floor(((event.clientY - box.top) * scale - MARGIN) / this.cell);
    const column = Math.floor(((event.clientX - box.left) * scale - MARGIN) / this.cell);
    const isOn = row >= 0 && column >= 0 && row < this.table.rows && column < this.table.columns;
    return isOn ? [row, column] : null;
  }

  #choose(place) {
    this.place = place;
    this.frame();
  }

  frame() {
    const { table, cell } = this;
    if (typeof table === "string") return;
    const row = Math.min(this.place[0], table.rows - 1);
    const column = Math.min(this.place[1], table.columns - 1);
    this.cross.replaceChildren(
      svg("rect", { x: MARGIN, y: MARGIN + row * cell, width: table.columns * cell, height: cell,
        class: "cross" }),
      svg("rect", { x: MARGIN + column * cell, y: MARGIN, width: cell, height: table.rows * cell,
        class: "cross" }));
    this.#markGrids(table, row, column);
    const entry = table.entries.find((one) => one.row === row && one.column === column);
    this.sentence.textContent = entry ? `Row ${row}, column ${column}: ${entry.says}.`
      : `Row ${row}, column ${column}: zero.`;
  }

  /** Marks the cells that the chosen row or column of the matrix stands for. */
  #markGrids(table, row, column) {
    const byOutput = table.names[0] === "output";
    const output = byOutput ? row : column;
    const isChosen = (entry) => entry.row === row && entry.column === column;
    const read = table.entries.filter((entry) =>
      (byOutput ? entry.row : entry.column) === output && entry.source);
    const plain = byOutput && this.form === "toeplitz" ? column : byOutput ? null : row;
    const size = this.store.state.axes.map((axis) => axis.size);
    this.grids.output.mark([{ at: pairOf(output, table.out), kind: "chosen" }]);
    this.grids.input.mark([...read.map((entry) => ({ at: entry.source, color: entry.color,
      kind: isChosen(entry) ? "chosen" : "" })),
    ...(plain === null ? [] : [{ at: pairOf(plain, size), kind: "pointed" }])]);
  }

  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (!(event.key in moves) || typeof this.table === "string") return false;
    const [down, right] = moves[event.key];
    this.#choose([Math.max(0, Math.min(this.table.rows - 1, this.place[0] + down)),
      Math.max(0, Math.min(this.table.columns - 1, this.place[1] + right))]);
    return true;
  }
}

/** The [row, column] of a cell from its row-major index. */
const pairOf = (index, [, width]) => [Math.floor(index / width), index % width];
