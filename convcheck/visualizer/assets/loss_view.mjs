// Softmax, cross-entropy and KL divergence of two distributions that the reader drags.
import { button, exportSvg, html, refill, svg } from "./dom.mjs";
import { crossEntropy, crossEntropyTerms, divergence, entropy, softmax, withEntry } from "./loss.mjs";
import { shown } from "./values.mjs";

const HEIGHT = 230;
const TOP = 34;
const LOGIT_RANGE = 6;
const STEP = 0.01;

/** The view of the losses: drag the bars of p, and the logits that make q. */
export class LossView {
  constructor(root, store) {
    this.store = store;
    this.charts = {
      p: this.#chart("p", "the target p; drag a bar, or use the arrow keys"),
      logits: this.#chart("logits", "the logits z; drag a bar, or use the arrow keys"),
      q: this.#chart("q", "the prediction q, the softmax of the logits"),
    };
    this.toolbar = html("div", { class: "toolbar" });
    this.numbers = html("div", { class: "scroll" });
    this.sentence = html("p", { class: "sentence", "aria-live": "polite" });
    root.append(html("div", { class: "stage" }, this.toolbar,
      html("div", { class: "figures" }, Object.entries({ p: "target p", logits: "logits z",
        q: "prediction q = softmax(z)" }).map(([name, text]) =>
        html("figure", {}, html("figcaption", {}, text), this.charts[name]))),
      this.sentence, this.numbers));
  }

  #chart(name, label) {
    const chart = svg("svg", { class: `bars ${name}`, "aria-label": label, role: "group" });
    if (name !== "q") {
      let held = null;
      chart.addEventListener("pointerdown", (event) => {
        held = this.#barAt(chart, event);
        chart.setPointerCapture(event.pointerId);
        this.#drag(name, held, this.#valueAt(chart, name, event));
        event.preventDefault();
      });
      chart.addEventListener("pointermove", (event) => {
        if (held !== null) this.#drag(name, held, this.#valueAt(chart, name, event));
      });
      for (const end of ["pointerup", "pointercancel"]) {
        chart.addEventListener(end, () => { held = null; });
      }
    }
    return chart;
  }

  #barAt(chart, event) {
    const box = chart.getBoundingClientRect();
    const count = this.store.state.p.length;
    const at = Math.floor(((event.clientX - box.left) / box.width) * count);
    return Math.max(0, Math.min(count - 1, at));
  }

  #valueAt(chart, name, event) {
    const box = chart.getBoundingClientRect();
    const scale = chart.viewBox.baseVal.height / box.height;
    const up = 1 - ((event.clientY - box.top) * scale - TOP) / HEIGHT;
    return name === "p" ? up : (2 * up - 1) * LOGIT_RANGE;
  }

  #drag(name, at, value) {
    const { state } = this.store;
    if (name === "p") {
      const snapped = Math.round(value / STEP) * STEP;
      this.store.update({ p: withEntry(state.p, at, snapped) }, "frame");
    } else {
      const bounded = Math.max(-LOGIT_RANGE, Math.min(LOGIT_RANGE, value));
      const logits = state.logits.map((old, index) =>
        (index === at ? Number(bounded.toFixed(2)) : old));
      this.store.update({ logits }, "frame");
    }
  }

  render() {
    const { state } = this.store;
    const count = state.p.length;
    const resize = (size) => {
      const p = Array.from({ length: size }, (_, at) => state.p[at] ?? 0);
      const sum = p.reduce((total, value) => total + value, 0);
      this.store.update({
        p: sum > 0 ? p.map((value) => value / sum) : p.map(() => 1 / size),
        logits: Array.from({ length: size }, (_, at) => state.logits[at] ?? 0),
      });
    };
    refill(this.toolbar,
      button("one-hot target", () => this.store.update({
        p: state.p.map((_, at) => Number(at === 0)) }, "frame")),
      button("uniform target", () => this.store.update({ p: state.p.map(() => 1 / count) }, "frame")),
      button("q = p", () => this.store.update({ logits: state.p.map((value) =>
        Number(Math.max(-LOGIT_RANGE, Math.log(Math.max(value, 1e-9)) + 2).toFixed(4))) }, "frame")),
      button("a class more", () => resize(Math.min(8, count + 1))),
      button("a class less", () => resize(Math.max(2, count - 1))),
      button("save SVG", () => exportSvg(Object.values(this.charts), "losses")));
    this.frame();
  }

  frame() {
    const { p, logits } = this.store.state;
    const q = softmax(logits);
    this.#draw("p", p, (value) => value);
    this.#draw("logits", logits, (value) => (value / LOGIT_RANGE + 1) / 2);
    this.#draw("q", q, (value) => value);
    const [crossed, own, apart] = [crossEntropy(p, q), entropy(p), divergence(p, q)];
    this.sentence.textContent = `H(p, q) = ${nats(crossed)} = H(p) + KL(p\u2016q) = ${nats(own)} + ` +
      `${nats(apart)}. H(p) does not depend on q: whatever lowers one of H(p, q) and KL lowers the ` +
      "other as much.";
    const terms = crossEntropyTerms(p, q);
    const heads = ["class", "p", "z", "q = e\u1dbb / \u03a3e\u1dbb", "\u2212p log q",
      "p log(p / q)"];
    refill(this.numbers, html("table", { class: "layers" },
      html("thead", {}, html("tr", {}, heads.map((head) => html("th", { scope: "col" }, head)))),
      html("tbody", {}, p.map((value, at) => html("tr", {},
        html("th", { scope: "row" }, String(at)), [shown(value), shown(logits[at]), shown(q[at]),
          nats(terms[at]), nats(value === 0 ? 0 : value * Math.log(value / q[at]))].map((cell) =>
          html("td", {}, cell))))),
      html("tfoot", {}, html("tr", {}, html("th", { scope: "row" }, "sum"), ["1", "", "1",
        nats(crossed), nats(apart)].map((cell) => html("td", {}, cell))))));
  }

  #draw(name, values, heightOf) {
    const chart = this.charts[name];
    const width = Math.max(250, values.length * 60);
    const cell = width / values.length;
    const base = name === "logits" ? 0.5 : 0;
    const y = (level) => TOP + HEIGHT * (1 - level);
    const focused = chart.contains(document.activeElement)
      ? [...chart.querySelectorAll("[role=slider]")].indexOf(document.activeElement) : -1;
    const bars = values.map((value, at) => {
      const level = heightOf(value);
      const isDragged = name !== "q";
      return svg("g", isDragged ? { role: "slider", tabindex: 0, "aria-label": `${name} of class ${at}`,
        "aria-valuenow": value.toFixed(3), "aria-valuemin": name === "p" ? 0 : -LOGIT_RANGE,
        "aria-valuemax": name === "p" ? 1 : LOGIT_RANGE,
        keydown: (event) => this.#barKey(event, name, at) } : {},
      svg("rect", { class: "slot", x: at * cell + 4, y: TOP, width: cell - 8, height: HEIGHT }),
      svg("rect", { class: `bar ${name}`, x: at * cell + 4, width: cell - 8,
        y: Math.min(y(level), y(base)), height: Math.max(1.5, Math.abs(y(level) - y(base))) }),
      svg("text", { class: "number", x: (at + 0.5) * cell, y: 18, "font-size": 14 },
        shown(value)),
      svg("text", { class: "number", x: (at + 0.5) * cell, y: TOP + HEIGHT + 16, "font-size": 12 },
        `class ${at}`));
    });
    chart.setAttribute("viewBox", `0 0 ${width} ${TOP + HEIGHT + 28}`);
    chart.setAttribute("width", width);
    chart.setAttribute("height", TOP + HEIGHT + 28);
    chart.replaceChildren(...bars);
    if (focused >= 0) bars[focused]?.focus();
  }

  #barKey(event, name, at) {
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10,
      PageDown: -10 };
    if (!(event.key in steps)) return;
    const { state } = this.store;
    const size = name === "p" ? STEP : 0.1;
    this.#drag(name, at, state[name][at] + steps[event.key] * size);
    event.preventDefault();
  }
}

const nats = (value) => (Number.isFinite(value) ? value.toFixed(4).replace("-", "\u2212")
  : shown(value));
