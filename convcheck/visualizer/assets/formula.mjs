// The worked size formula in MathML, each term linked to what it measures in the drawing.
import { button, html, math } from "./dom.mjs";
import { explainAxis, nearestPossible } from "./explain.mjs";
import { shown } from "./values.mjs";

const TOKEN = /floor|ceil|output_padding|before|after|reach|steps|l[123]|[Wpdks]|\d+|[-+*/(),]|\S/g;
const TERM = /^[a-zA-Z]/;
const SIGNS = { "-": "\u2212", "*": "\u00b7" };

const tokens = (text) => text.match(TOKEN) ?? [];

function leaf(token, term) {
  if (/^\d/.test(token)) return math("mn", term ? termAttributes(term) : {}, token);
  if (TERM.test(token)) {
    const name = /^l\d$/.test(token)
      ? math("msub", termAttributes(token), math("mi", {}, "l"), math("mn", {}, token[1]))
      : math(token.length > 1 ? "mtext" : "mi", termAttributes(token), token.replace("_", " "));
    return name;
  }
  return math("mo", { stretchy: "false" }, SIGNS[token] ?? token);
}

const termAttributes = (term) => ({ "data-term": term, class: `term t-${term}` });

/** A MathML row of a formula in plain text; `terms` names the quantity of each number, in order. */
function row(text, terms = null) {
  const items = tokens(text);
  if (items[0] === "floor" || items[0] === "ceil") {
    const [open, close] = items[0] === "floor" ? "\u230a\u230b" : "\u2308\u2309";
    const body = items.slice(2, -1);
    const at = body.indexOf("/");
    const side = (part, names) => math("mrow", {}, leaves(part, names));
    const count = body.slice(0, at).filter((token) => /^\d/.test(token)).length;
    return math("mrow", {}, math("mo", {}, open),
      math("mfrac", { displaystyle: "true" }, side(body.slice(0, at), terms), side(body.slice(at + 1), terms?.slice(count))),
      math("mo", {}, close));
  }
  return math("mrow", {}, leaves(items, terms));
}

function leaves(items, terms) {
  let next = 0;
  return items.map((token) => leaf(token, terms && /^\d/.test(token) ? terms[next++] : null));
}

/** The quantity behind each number of `numbers`, in order: the formula's terms and its constants. */
const termsOfNumbers = (formula) => tokens(formula).filter((token) =>
  (TERM.test(token) && token !== "floor" && token !== "ceil") || /^\d/.test(token))
  .map((token) => (TERM.test(token) ? token : null));

function line(worked, axis) {
  const name = math("math", {}, leaf(worked.name));
  const isText = /as the window/.test(worked.numbers);
  const middle = isText ? html("span", { class: "why" }, worked.numbers)
    : math("math", {}, math("mo", {}, "="), row(worked.numbers, termsOfNumbers(worked.formula)));
  return html("li", { "data-term": worked.name, "data-axis": axis, class: `line t-${worked.name}` },
    html("span", { class: "equation" }, name,
      math("math", {}, math("mo", {}, "="), row(worked.formula)), middle,
      math("math", {}, math("mo", {}, "="), math("mn", { class: "result" }, shown(worked.value)))),
    html("span", { class: "says" }, worked.says));
}

/**
 * The formula of one axis: a list of worked lines, or why it is impossible with ways out.
 * `linked` is the axis whose dimension lines belong to it; null where it stands for both.
 */
export function formulaOf(layer, axis, linked, title, onChoose) {
  const worked = explainAxis(layer, layer.axes[axis]);
  const parts = [html("h3", {}, title),
    html("ol", { class: "worked" }, worked.steps.map((step) => line(step, linked)))];
  if (worked.unread) {
    parts.push(html("p", { class: "hint" },
      `Left over: ${worked.unread} of the padded input's last elements, which no window reads.`));
  }
  if (worked.refusal) {
    const { message, why } = worked.refusal;
    parts.push(html("div", { class: "refusal", role: "status" },
      html("p", {}, html("strong", {}, `Impossible: ${message}`), ` \u2014 ${why}.`),
      html("p", {}, "Nearest that is possible: ",
        nearestPossible(layer, layer.axes[axis]).map((offer) =>
          button(offer.text, () => onChoose(axis, offer.axis), { class: "offer" })))));
  }
  return html("section", { class: "formula", "aria-label": `size formula, ${title}` }, parts);
}
