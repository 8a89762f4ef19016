// The flip: (f * g)(t) beside (g * f)(t), one sequence reversed and moved along the other.
import { button, exportSvg, html, prefersStill, refill, svg } from "./dom.mjs";
import { convolutionTerms, convolve } from "./sequence.mjs";
import { shown } from "./values.mjs";

const ROWS = { fixed: 56, moving: 122, product: 188, result: 262 };
const FLIP_MS = 700;

/** The view of f * g = g * f in one dimension. */
export class FlipView {
  constructor(root, store) {
    this.store = store;
    this.flipped = 1;
    this.timer = null;
    this.controls = html("div", { class: "toolbar" });
    this.drawings = [this.#drawing("f", "g"), this.#drawing("g", "f")];
    this.sentence = html("p", { class: "sentence", "aria-live": "polite" });
    root.append(html("div", { class: "stage" }, this.controls,
      html("p", { class: "hint" }, "One sequence stays; the other is reversed and moved to t; " +
        "what lies under one another is multiplied and added up. Both sides have the same " +
        "products, in reverse order: that is the substitution u = t \u2212 \u03c4 of the proof."),
      html("div", { class: "figures" }, this.drawings), this.sentence));
    new ResizeObserver(() => this.frame()).observe(root);
  }

  #drawing(fixed, moving) {
    return svg("svg", { class: "flip", role: "img", tabindex: 0,
      "aria-label": `${fixed} convolved with ${moving}` });
  }

  render() {
    const { state } = this.store;
    const listBox = (name) => html("label", { class: "field" }, html("span", {}, `${name} =`),
      html("input", { type: "text", value: state[name].join(", "), "aria-label": name, size: 12,
        change: (event) => this.#setList(name, event.target.value) }));
    const slider = html("input", { type: "range", min: 0, max: this.#last(), value: this.#t(),
      "aria-label": "t", input: (event) => this.#move(Number(event.target.value)) });
    this.slider = slider;
    this.playButton = button("\u25b6 play", () => this.#togglePlay(), { class: "primary" });
    refill(this.controls, listBox("f"), listBox("g"), this.playButton,
      button("flip again", () => this.#flip()),
      html("label", { class: "field" }, html("span", {}, "t"), slider),
      button("save SVG", () => exportSvg(this.drawings, "flip")));
    this.frame();
  }

  #last() {
    return this.store.state.f.length + this.store.state.g.length - 2;
  }

  #t() {
    return Math.max(0, Math.min(this.#last(), this.store.state.t));
  }

  #setList(name, text) {
    const items = text.split(/[\s,;]+/).filter(Boolean);
    const isGood = items.length >= 1 && items.length <= 8 &&
      items.every((item) => /^-?\d{1,4}$/.test(item));
    this.store.complain(isGood ? []
      : [`${name} takes 1 to 8 whole numbers of at most four digits; it stays as it was.`]);
    this.store.update(isGood ? { [name]: items.map(Number) } : {});
  }

  #move(t) {
    this.store.update({ t: Math.max(0, Math.min(this.#last(), t)) }, "frame");
    this.slider.value = this.#t();
  }

  #flip() {
    if (prefersStill()) {
      this.flipped = 1;
      this.frame();
      return;
    }
    const began = performance.now();
    const tick = (now) => {
      this.flipped = Math.min(1, Math.max(0, (now - began) / FLIP_MS));
      this.frame();
      if (this.flipped < 1) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  #togglePlay() {
    if (this.timer !== null) return this.hide();
    this.playButton.textContent = "\u275a\u275a pause";
    const tick = () => {
      this.#move(this.#t() >= this.#last() ? 0 : this.#t() + 1);
      this.timer = setTimeout(tick, 1400 / this.store.state.speed);
    };
    tick();
    return undefined;
  }

  hide() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.playButton) this.playButton.textContent = "\u25b6 play";
  }

  frame() {
    const { f, g } = this.store.state;
    const t = this.#t();
    this.#drawPanel(this.drawings[0], ["f", "g"], f, g, t);
    this.#drawPanel(this.drawings[1], ["g", "f"], g, f, t);
    const terms = convolutionTerms(f, g, t);
    const sum = terms.reduce((total, { product }) => total + product, 0);
    this.sentence.textContent = `t = ${t}: (f \u2217 g)(${t}) = ` +
      `${terms.map(({ left, right }) => `${shown(left)}\u00b7${shown(right)}`).join(" + ")} = ` +
      `${shown(sum)} = (g \u2217 f)(${t})`;
  }

  #drawPanel(drawing, [fixed, moving], a, b, t) {
    const room = Math.max(300, Math.min(620, drawing.parentElement.clientWidth / 2 - 20));
    const count = a.length + 2 * (b.length - 1) + 0.5;
    const cell = Math.min(40, (room - 92) / Math.max(count, a.length + b.length - 1));
    const x = (index) => 84 + (index + b.length - 1) * cell;
    const box = (index, row, value, name) => [
      svg("rect", { x: x(index), y: ROWS[row], width: cell, height: 34, class: `cell ${name}` }),
      svg("text", { x: x(index) + cell / 2, y: ROWS[row] + 17, class: "number",
        "font-size": Math.min(15, cell * 0.5) }, typeof value === "number" ? shown(value) : value)];
    const label = (row, text) => svg("text", { x: 6, y: ROWS[row] + 17, class: "name" }, text);
    const place = (j) => (1 - this.flipped) * j + this.flipped * (t - j);
    const terms = convolutionTerms(a, b, t);
    const whole = convolve(a, b);
    const parts = [
      svg("text", { x: 6, y: 24, class: "title" }, `(${fixed} \u2217 ${moving})(${t}) = ` +
        shown(whole[t])),
      label("fixed", `${fixed}(\u03c4)`), label("moving", `${moving}(${t}\u2212\u03c4)`),
      label("product", "product"), label("result", `${fixed} \u2217 ${moving}`),
      ...a.flatMap((value, tau) => box(tau, "fixed", value, "in")),
      ...b.flatMap((value, j) => box(place(j), "moving", value, "weight")),
      ...terms.flatMap(({ tau, product }) => box(tau, "product", product, "out")),
      ...whole.flatMap((value, at) => box(at - (b.length - 1) / 2, "result", value,
        at === t ? "out chosen" : "none")),
    ];
    const height = ROWS.result + 50;
    drawing.setAttribute("viewBox", `0 0 ${room} ${height}`);
    drawing.setAttribute("width", room);
    drawing.setAttribute("height", height);
    drawing.replaceChildren(...parts);
  }

  key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key in moves) this.#move(this.#t() + moves[event.key]);
    else if (event.key === "Home") this.#move(0);
    else if (event.key === "End") this.#move(this.#last());
    else if (event.key === " ") this.#togglePlay();
    else return false;
    return true;
  }
}
