// Building elements. Text goes in as text nodes only: nothing on this page parses HTML.

const NAMESPACES = {
  svg: "http://www.w3.org/2000/svg", math: "http://www.w3.org/1998/Math/MathML",
};

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element; an attribute that is a function listens to the event of that name. */
export const html = (tag, attributes, ...children) =>
  build(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) =>
  build(document.createElementNS(NAMESPACES.svg, tag), attributes, children);

export const math = (tag, attributes, ...children) =>
  build(document.createElementNS(NAMESPACES.math, tag), attributes, children);

/** A labelled <select>; `choices` is [[value, text], ...]. */
export function choice(label, choices, value, onChange) {
  const select = html("select", { change: (event) => onChange(event.target.value) },
    choices.map(([key, text]) => html("option", { value: key, selected: key === value }, text)));
  return html("label", { class: "field" }, html("span", {}, label), select);
}

export const toggle = (label, checked, onChange) => {
  const box = html("input", {
    type: "checkbox", change: (event) => onChange(event.target.checked),
  });
  box.checked = checked;
  return html("label", { class: "toggle" }, box, label);
};

export const button = (text, onClick, attributes = {}) =>
  html("button", { type: "button", click: onClick, ...attributes }, text);

/** A number with - and + beside it. `name` is what a screen reader says. */
export function stepper(name, value, onChange) {
  const set = (text) => { if (/^-?\d+$/.test(text)) onChange(Number(text)); };
  const input = html("input", {
    type: "text", inputmode: "numeric", "aria-label": name, value, size: 4,
    change: (event) => set(event.target.value.trim()),
    keydown: (event) => {
      const steps = { ArrowUp: 1, ArrowDown: -1 };
      if (event.key in steps) {
        event.preventDefault();
        onChange(value + steps[event.key]);
      }
    },
  });
  return html("span", { class: "stepper" },
    button("\u2212", () => onChange(value - 1), { "aria-label": `${name} down`, tabindex: -1 }),
    input,
    button("+", () => onChange(value + 1), { "aria-label": `${name} up`, tabindex: -1 }));
}

/** Fills `root` anew and gives the focus back to the control of the same label. */
export function refill(root, ...children) {
  const active = document.activeElement;
  const label = root.contains(active)
    ? active.getAttribute("aria-label") ?? active.closest("label")?.textContent : null;
  root.replaceChildren(...children.flat().filter((child) => child !== null));
  if (label === null || label === undefined) return;
  const same = [...root.querySelectorAll("input, select, button")].find((control) =>
    (control.getAttribute("aria-label") ?? control.closest("label")?.textContent) === label);
  same?.focus();
}

const NARROW = "(max-width: 52rem)";

/** Controls that a narrow screen shows folded, above the drawing. */
export const settings = (controls) => html("details",
  { class: "settings", open: !matchMedia(NARROW).matches }, html("summary", {}, "Settings"), controls);

export const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Saves a drawing as an SVG file, its colours written out so that it stands alone. */
export function exportSvg(figures, name) {
  const gap = 24;
  let [x, height] = [gap, 0];
  const whole = svg("svg", { xmlns: NAMESPACES.svg });
  for (const figure of figures) {
    const copy = standalone(figure);
    const box = figure.viewBox.baseVal;
    for (const [key, value] of [["x", x], ["y", gap], ["width", box.width],
      ["height", box.height]]) copy.setAttribute(key, value);
    whole.append(copy);
    x += box.width + gap;
    height = Math.max(height, box.height);
  }
  whole.setAttribute("viewBox", `0 0 ${x} ${height + 2 * gap}`);
  const paper = getComputedStyle(document.body).backgroundColor;
  whole.prepend(svg("rect", { width: "100%", height: "100%", fill: paper }));
  const text = new XMLSerializer().serializeToString(whole);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  html("a", { href: url, download: `${name}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  return text;
}

const PAINT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity",
  "font-size", "font-family", "font-weight", "text-anchor", "dominant-baseline"];

function standalone(figure) {
  const copy = figure.cloneNode(true);
  const originals = [figure, ...figure.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, at) => {
    const style = getComputedStyle(originals[at]);
    for (const name of PAINT) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
    element.removeAttribute("tabindex");
  });
  return copy;
}
