// One grid of cells as an SVG: numbers, marks, dimension lines, and which cell the pointer is on.
import { svg } from "./dom.mjs";
import { shown } from "./values.mjs";

const SMALLEST_WITH_TEXT = 17;

/** A colour that tells one tap from the next. */
export const hueOf = (index, count) => `hsl(${Math.round((index * 360) / Math.max(count, 1) + 20)
  % 360} 72% 46%)`;

/**
 * A grid. `draw` lays out the cells; `mark` changes the marks alone, which is all that a frame of
 * an animation does. Cells are named by their own indices, which may start below 0.
 */
export class Grid {
  constructor(name, label) {
    this.cells = svg("g", {});
    this.lines = svg("g", { class: "dimensions" });
    this.bands = svg("g", { class: "bands" });
    this.marks = svg("g", { class: "marks" });
    this.svg = svg("svg", {
      class: `grid ${name}`, tabindex: 0, role: "application", "aria-label": label,
      "aria-roledescription": "grid", "aria-describedby": "sentence",
    }, this.cells, this.bands, this.lines, this.marks);
    this.layout = null;
  }

  /**
   * @param layout {rows: [first, end], columns: [first, end], cell, margin, kind(row, column),
   *   value(row, column) or null, tint(row, column) 0..1, noted: whether marks bring notes}
   */
  draw(layout) {
    this.layout = layout;
    const { rows, columns, cell, margin } = layout;
    const width = (columns[1] - columns[0]) * cell + 2 * margin;
    const height = (rows[1] - rows[0]) * cell + 2 * margin;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    const parts = [];
    for (let row = rows[0]; row < rows[1]; row++) {
      for (let column = columns[0]; column < columns[1]; column++) {
        parts.push(...this.#cellAt(row, column));
      }
    }
    this.cells.replaceChildren(...parts);
    this.lines.replaceChildren();
    this.bands.replaceChildren();
    this.marks.replaceChildren();
  }

  #cellAt(row, column) {
    const { cell, kind, value, tint } = this.layout;
    const [x, y] = this.corner(row, column);
    const parts = [svg("rect", {
      x, y, width: cell, height: cell, class: `cell ${kind(row, column)}`,
      "fill-opacity": tint ? (0.25 + 0.75 * tint(row, column)).toFixed(3) : null,
    })];
    const content = value && cell >= SMALLEST_WITH_TEXT ? value(row, column) : null;
    if (content !== null && content !== undefined) {
      const text = typeof content === "number" ? shown(content) : content;
      const size = Math.min(cell * 0.42, (cell * 1.2) / Math.max(text.length, 1));
      parts.push(svg("text", {
        x: x + cell / 2, y: y + cell * (this.layout.noted ? 0.4 : 0.5), class: "number",
        "font-size": size.toFixed(1),
      }, text));
    }
    return parts;
  }

  corner(row, column) {
    const { rows, columns, cell, margin } = this.layout;
    return [margin + (column - columns[0]) * cell, margin + (row - rows[0]) * cell];
  }

  has(row, column) {
    const { rows, columns } = this.layout;
    return row >= rows[0] && row < rows[1] && column >= columns[0] && column < columns[1];
  }

  /** Replaces the marks: [{at: [row, column], kind, color, note}]. */
  mark(marks) {
    const { cell } = this.layout;
    const inset = Math.min(2.5, cell * 0.12);
    const parts = [];
    for (const { at, kind = "", color = null, note = null } of marks) {
      if (!this.has(...at)) continue;
      const [x, y] = this.corner(...at);
      parts.push(svg("rect", {
        x: x + inset, y: y + inset, width: cell - 2 * inset, height: cell - 2 * inset,
        rx: Math.min(4, cell * 0.15), class: `mark ${kind}`, stroke: color,
        "stroke-width": Math.min(3, Math.max(1.2, cell * 0.09)),
      }));
      if (note !== null && cell >= 30) {
        parts.push(svg("text", {
          x: x + cell * 0.92, y: y + cell * 0.9, class: "note",
          "font-size": (cell * 0.25).toFixed(1),
        }, note));
      }
    }
    this.marks.replaceChildren(...parts);
  }

  /** The cell under a pointer event, or null. */
  cellAt(event) {
    if (!this.layout) return null;
    const { rows, columns, cell, margin } = this.layout;
    const box = this.svg.getBoundingClientRect();
    const scale = this.svg.viewBox.baseVal.width / box.width;
    const row = rows[0] + Math.floor(((event.clientY - box.top) * scale - margin) / cell);
    const column = columns[0] + Math.floor(((event.clientX - box.left) * scale - margin) / cell);
    return this.has(row, column) ? [row, column] : null;
  }

  /** Shades what a term measures: `ranges` of an axis, [[from, to], ...], cut at the grid's edge. */
  band(axis, ranges, term) {
    const { rows, columns, cell, margin } = this.layout;
    const [along, across] = axis === 1 ? [columns, rows] : [rows, columns];
    for (const [from, to] of ranges) {
      const low = Math.max(from, along[0]);
      const length = (Math.min(to, along[1]) - low) * cell;
      if (length <= 0) continue;
      const [start, width] = [margin + (low - along[0]) * cell, (across[1] - across[0]) * cell];
      this.bands.append(svg("rect", { class: `band t-${term}`, ...(axis === 1
        ? { x: start, y: margin, width: length, height: width }
        : { x: margin, y: start, width, height: length }) }));
    }
  }

  /** Adds a dimension line along an axis (0 height, 1 width), "before" or "after" the cells. */
  dimension(axis, from, to, text, term, side) {
    const { rows, columns, cell, margin } = this.layout;
    const first = axis === 1 ? columns[0] : rows[0];
    const [a, b] = [margin + (from - first) * cell, margin + (to - first) * cell];
    const [low, high] = axis === 1
      ? [margin, margin + (rows[1] - rows[0]) * cell]
      : [margin, margin + (columns[1] - columns[0]) * cell];
    const across = side === "before" ? low - 9 : high + 9;
    const beside = side === "before" ? across - 8 : across + 9;
    const point = (along, off) => (axis === 1 ? [along, off] : [off, along]);
    const path = [[point(a, across - 4), point(a, across + 4)],
      [point(b, across - 4), point(b, across + 4)], [point(a, across), point(b, across)]]
      .map(([p, q]) => `M${p.join(" ")}L${q.join(" ")}`).join("");
    const [x, y] = point((a + b) / 2, beside);
    this.lines.append(svg("g", { class: `dimension t-${term}`, "data-term": term, "data-axis": axis },
      svg("path", { d: path }),
      svg("text", {
        x, y, transform: axis === 0 ? `rotate(${side === "before" ? -90 : 90} ${x} ${y})` : null,
      }, text)));
  }
}
