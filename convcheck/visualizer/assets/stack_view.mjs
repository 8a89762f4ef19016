// A stack of layers: what one unit reads, level by level, and size, field, jump, start per layer.
import { button, choice, exportSvg, html, refill, settings, stepper, svg } from "./dom.mjs";
import {
  MOST_INPUT, MOST_LAYERS, PRESETS, cone, edges, isWindow, workStack,
} from "./stack.mjs";
import { shown } from "./values.mjs";

const MOST_UNITS = 160;
const MOST_EDGES = 900;
const LEVEL = 74;
const LEVEL_OF_MANY = 50;
const MANY = 8;
const LEFT = 16;
const TRACED = "traced model";
const DEFAULTS = { kernel: 1, stride: 1, dilation: 1, outputPadding: 0, ceil: false };
const OPERATIONS = [["cross_correlation", "convolution layer"], ["conv_transpose", "transposed"],
  ["max_pool", "max pooling"], ["avg_pool", "average pooling"]];

/** The view of a stack; presets, or the layers of the traced model in `store.data.stack`. */
export class StackView {
  constructor(root, store) {
    this.store = store;
    this.pick = null;
    this.shown = null;
    this.controls = html("form", { class: "controls", submit: (event) => event.preventDefault() });
    this.drawing = svg("svg", {
      class: "stack", tabindex: 0, role: "application", "aria-roledescription": "stack of layers",
      "aria-label": "units of every layer; arrow keys choose one",
      "aria-describedby": "stack-sentence",
    });
    this.sentence = html("p", { id: "stack-sentence", class: "sentence", "aria-live": "polite" });
    this.holder = html("div", { class: "scroll" }, this.drawing);
    this.table = html("div", { class: "scroll" });
    this.note = html("p", { class: "hint" });
    root.append(html("div", { class: "split" }, settings(this.controls), html("div", { class: "stage" },
      html("div", { class: "toolbar" },
        button("save SVG", () => exportSvg([this.drawing], "receptive-field"))),
      this.holder, this.sentence, this.note, this.table)));
    this.drawing.addEventListener("pointermove", (event) => this.#pointAt(event));
    this.drawing.addEventListener("click", (event) => this.#pointAt(event));
    new ResizeObserver(() => this.frame()).observe(this.holder);
  }

  #model() {
    const { data, state } = this.store;
    if (state.preset === TRACED && data.stack) {
      const axis = Math.min(state.axis, data.stack.input.length - 1);
      const along = ({ axes, ...layer }) => {
        const { p: [before, after] = [0, 0], ...window } = axes[axis];
        return { ...DEFAULTS, ...layer, ...window, before, after };
      };
      return {
        input: data.stack.input[axis], layers: data.stack.layers.map(along),
        left: data.stack.left, axes: data.stack.input.length,
      };
    }
    const preset = PRESETS[state.preset] ?? Object.values(PRESETS)[0];
    return { ...(state.stack ?? preset), left: [], axes: 1 };
  }

  #edit(patch) {
    const { input, layers } = this.#model();
    this.pick = null;
    this.store.update({ stack: { input, layers, ...patch } });
  }

  render() {
    const { data, state } = this.store;
    if (this.shown !== state.preset) this.pick = null;
    this.shown = state.preset;
    const model = this.#model();
    const names = [...(state.stack ? [["", "your own"]] : []), ...(data.stack ? [[TRACED, data.stack.name || TRACED]] : []),
      ...Object.keys(PRESETS).map((name) => [name, name])];
    const isTraced = state.preset === TRACED && data.stack;
    refill(this.controls,
      choice("stack", names, state.stack ? "" : state.preset, (preset) =>
        preset && this.store.update({ preset, stack: null, unit: null })),
      model.axes > 1 ? choice("axis", data.stack.input.map((size, at) =>
        [String(at), `axis ${at} (${size})`]), String(state.axis), (axis) => {
        this.pick = null;
        this.store.update({ axis: Number(axis) });
      }) : null,
      isTraced ? null : html("div", {}, this.#editor(model)));
    this.frame();
  }

  #editor(model) {
    const fields = [["kernel", "k"], ["stride", "s"], ["before", "p"], ["dilation", "d"]];
    const change = (at, field, value) => this.#edit({
      layers: model.layers.map((layer, index) => (index !== at ? layer : {
        ...layer, [field]: value, ...(field === "before" ? { after: value } : {}) })),
    });
    const editable = model.layers.map((layer, at) => (!isWindow(layer.op) ? null
      : html("fieldset", { class: "layer" }, html("legend", {}, layer.name),
        choice(`${layer.name} operation`, OPERATIONS, layer.op, (op) => change(at, "op", op)),
        fields.map(([field, name]) => html("label", {}, name,
          stepper(`${layer.name} ${at + 1} ${field}`, layer[field], (value) =>
            change(at, field, Math.max(0, Math.min(999, value)))))))));
    const base = model.layers.at(-1) ?? {};
    return [html("label", { class: "field" }, html("span", {}, "input size"),
      stepper("input size", model.input, (input) =>
        this.#edit({ input: Math.max(1, Math.min(MOST_INPUT, input)) }))),
    ...editable.filter(Boolean),
    html("div", { class: "toolbar" },
      button("add a layer", () => this.#edit({ layers: [...model.layers, {
        op: "cross_correlation", kernel: 3, stride: 1, before: 1, after: 1, dilation: 1,
        outputPadding: 0, ceil: false, ...(isWindow(base.op ?? "") ? base : {}),
        name: `layer ${model.layers.length + 1}` }].slice(0, MOST_LAYERS) })),
      model.layers.length > 1 ? button("remove the last", () =>
        this.#edit({ layers: model.layers.slice(0, -1) })) : null)];
  }

  frame() {
    const model = this.#model();
    this.rows = workStack(model.input, model.layers);
    const good = this.rows.filter((row) => row.refusal === null);
    this.good = good;
    const level = Math.min(this.pick?.level ?? good.length, good.length);
    const size = level ? good[level - 1].size : model.input;
    const chosen = this.pick?.unit ?? this.store.state.unit ?? size >> 1;
    this.at = { level, unit: Math.max(0, Math.min(chosen, size - 1)) };
    const levels = cone(good.slice(0, level), this.at.unit);
    this.#draw(model, good, levels);
    this.#tell(model, good, levels);
    this.#drawTable(model);
  }

  #draw(model, rows, levels) {
    const count = rows.length;
    const room = Math.max(280, this.holder.clientWidth - 2);
    const names = Math.min(190, Math.max(90, room * 0.2));
    const step = (room - names - 2 * LEFT) / model.input;
    const apart = count > MANY ? LEVEL_OF_MANY : LEVEL;
    const height = (count + 1) * apart + 10;
    const sizes = [model.input, ...rows.map((row) => row.size)];
    const jumps = [1, ...rows.map((row) => row.jump)];
    const centres = [0];
    for (const row of rows) centres.push(centreOf(row, jumps[centres.length - 1], centres.at(-1)));
    this.geometry = { sizes, x: (level, unit) => LEFT + step * (0.5 + (jumps[level] === null
      ? (model.input - 1) / 2 : centres[level] + unit * jumps[level])),
    y: (level) => height - 30 - level * apart, width: (level) => step * (jumps[level] ?? 1) };
    const parts = [];
    if (levels) parts.push(...this.#cone(rows, levels));
    for (let level = 0; level <= count; level++) {
      parts.push(...this.#level(level, levels?.[level] ?? []));
      parts.push(svg("text", { x: room - names + 4, y: this.geometry.y(level) - 2, class: "name" },
        clip(level ? rows[level - 1].layer.name : "input", Math.floor(names / 8))),
      svg("text", { x: room - names + 4, y: this.geometry.y(level) + 18, class: "detail" },
        `${sizes[level].toLocaleString("en")} ${sizes[level] === 1 ? "unit" : "units"}`));
    }
    this.drawing.setAttribute("viewBox", `0 0 ${room} ${height}`);
    this.drawing.setAttribute("width", room);
    this.drawing.setAttribute("height", height);
    this.drawing.replaceChildren(...parts);
  }

  #cone(rows, levels) {
    const { x, y } = this.geometry;
    const parts = [];
    for (let level = 0; level < levels.length - 1; level++) {
      const [below, above] = [levels[level], levels[level + 1]];
      if (!below.length || !above.length) continue;
      const corners = [[x(level, below[0]), y(level)], [x(level, below.at(-1)), y(level)],
        [x(level + 1, above.at(-1)), y(level + 1)], [x(level + 1, above[0]), y(level + 1)]];
      parts.push(svg("polygon", { class: "cone", points: corners.map((at) => at.join()).join(" ") }));
      const lines = edges(rows, levels, level);
      if (lines.length > MOST_EDGES) continue;
      parts.push(...lines.map(([low, high]) => svg("line", { class: "edge", x1: x(level, low),
        y1: y(level), x2: x(level + 1, high), y2: y(level + 1) })));
    }
    return parts;
  }

  #level(level, read) {
    const { sizes, x, y, width } = this.geometry;
    const size = sizes[level];
    const chosen = new Set(read);
    const isTop = (unit) => level === this.at.level && unit === this.at.unit;
    if (size > MOST_UNITS) {
      const [a, b] = [x(level, 0), x(level, size - 1)];
      const bar = (from, to, name) => svg("rect", { x: from, y: y(level) - 6,
        width: Math.max(2, to - from), height: 12, rx: 3, class: name });
      const inside = read.filter((unit) => unit >= 0 && unit < size);
      return [bar(a, b, "bar"), inside.length
        ? bar(x(level, inside[0]), x(level, inside.at(-1)), "bar read") : null].filter(Boolean);
    }
    const radius = Math.max(1.5, Math.min(9, width(level) * 0.4, 400 / size));
    const units = new Set([...Array(size).keys(), ...read]);
    return [...units].map((unit) => svg("circle", {
      cx: x(level, unit), cy: y(level), r: radius,
      class: `unit ${unit < 0 || unit >= size ? "outside" : ""} ${chosen.has(unit) ? "read" : ""} ` +
        `${isTop(unit) ? "chosen" : ""}`,
    }));
  }

  #tell(model, rows, levels) {
    const { level, unit } = this.at;
    const name = level ? rows[level - 1].layer.name : "the input";
    if (!levels) {
      this.sentence.textContent = `Unit ${unit} of ${name} reads too many elements to follow.`;
      return;
    }
    const read = levels[0].filter((at) => at >= 0 && at < model.input);
    const pad = levels[0].length - read.length;
    const extent = read.length ? read.at(-1) - read[0] + 1 : 0;
    const holes = extent - read.length;
    const field = level ? rows[level - 1].field : 1;
    this.sentence.textContent = `Unit ${unit} of ${name} sees ${read.length} of ${model.input} ` +
      `inputs${read.length ? `, from ${read[0]} to ${read.at(-1)}` : ""}` +
      (holes > 0 ? `, with ${holes} holes` : ", without holes") +
      (pad ? `; ${pad} more lie in the padding` : "") +
      (Number.isFinite(field) ? `. Receptive field: ${field}.` : ". It sees everything.");
  }

  #drawTable(model) {
    const heads = ["layer", "operation", "k", "s", "p", "d", "size", "receptive field", "jump",
      "start", "holes"];
    const body = this.rows.map((row) => {
      const { layer } = row;
      const window = isWindow(layer.op)
        ? [layer.kernel, layer.stride, layer.before === layer.after ? layer.before
          : `${layer.before}:${layer.after}`, layer.dilation] : ["", "", "", ""];
      const all = row.field === Infinity;
      const beyond = Number.isFinite(row.field) && row.field > model.input;
      return html("tr", { class: row.refusal ? "refused" : beyond ? "beyond" : "" },
        html("th", { scope: "row" }, layer.name), [layer.kind ?? layer.op.replace("_", " "),
          ...window, row.refusal ? `impossible: ${row.refusal.message}` : row.size,
          all ? "all" : (row.field ?? "?") + (beyond ? " (more than the input)" : ""),
          row.jump === null ? "" : shown(row.jump), row.start === null ? "" : shown(row.start),
          all ? "" : row.holes ?? "?"].map((cell) => html("td", {}, String(cell))));
    });
    const refused = this.rows.find((row) => row.refusal);
    this.note.textContent = [refused ? `${refused.layer.name}: ${refused.refusal.message}: ` +
      `${refused.refusal.why}; ${refused.refusal.fix}` : "", ...model.left].filter(Boolean).join(" ");
    refill(this.table, html("table", { class: "layers" },
      html("caption", {}, "start: the first element that unit 0 reads; jump: how far apart in the " +
        "input neighbouring units look"),
      html("thead", {}, html("tr", {}, heads.map((head) => html("th", { scope: "col" }, head)))),
      html("tbody", {}, body)));
  }

  #pointAt(event) {
    const { sizes, x, y } = this.geometry;
    const box = this.drawing.getBoundingClientRect();
    const scale = this.drawing.viewBox.baseVal.width / box.width;
    const [px, py] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    const level = sizes.findIndex((_, at) => Math.abs(y(at) - py) < LEVEL_OF_MANY / 3);
    if (level < 0) return;
    const apart = x(level, 1) - x(level, 0);
    const unit = apart ? Math.round((px - x(level, 0)) / apart) : 0;
    if (unit < 0 || unit >= sizes[level]) return;
    if (this.pick?.level === level && this.pick.unit === unit) return;
    this.pick = { level, unit };
    this.frame();
  }

  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
    if (!(event.key in moves)) return false;
    const [up, along] = moves[event.key];
    const level = Math.max(0, Math.min(this.good.length, this.at.level + up));
    this.pick = { level, unit: up ? this.geometry.sizes[level] >> 1 : this.at.unit + along };
    this.frame();
    return true;
  }
}

/** The centre in the input of unit 0 after a layer, from the centre and jump before it. */
function centreOf(row, jump, centre) {
  const { layer } = row;
  if (jump === null || row.jump === null || !isWindow(layer.op)) return centre;
  const reach = layer.dilation * (layer.kernel - 1) / 2;
  if (layer.op === "conv_transpose") return centre + ((layer.before - reach) * jump) / layer.stride;
  return centre + (reach - layer.before) * jump;
}

const clip = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);
