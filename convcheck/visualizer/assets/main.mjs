// The page: tabs, the state in the URL fragment, keys. Each view draws itself.
import { CaseView } from "./case_view.mjs";
import { html } from "./dom.mjs";
import { FlipView } from "./flip_view.mjs";
import { LayerView } from "./layer_view.mjs";
import { LossView } from "./loss_view.mjs";
import { MatrixView } from "./matrix_view.mjs";
import { StackView } from "./stack_view.mjs";
import { decode, defaultState, encode } from "./state.mjs";

const TABS = [
  ["layer", "One layer", LayerView], ["stack", "A stack", StackView],
  ["matrix", "The matrix", MatrixView], ["flip", "f \u2217 g = g \u2217 f", FlipView],
  ["loss", "Loss", LossView], ["case", "The case", CaseView],
];

const find = (id) => document.getElementById(id);
const data = JSON.parse(find("data").textContent);
const initial = { ...defaultState(), ...(data.stack ? { view: "stack", preset: "traced model" } : {}),
  ...(data.case ? { view: "case" } : {}) };
const shownTabs = TABS.filter(([name]) => name !== "case" || data.case);
const views = {};

const store = {
  data,
  state: initial,
  /** Applies a change: "all" draws the view anew, "frame" only what moves. */
  update(patch, extent = "all") {
    Object.assign(store.state, patch);
    current()[extent === "frame" ? "frame" : "render"]();
    remember();
  },
  say(text) {
    find("live").textContent = text;
  },
  complain(lines) {
    find("message").hidden = lines.length === 0;
    find("message").replaceChildren(...lines.map((line) => html("p", {}, line)));
  },
};

let pending = null;
let known = location.hash;
/**
 * Writes the state into the fragment, at most five times a second; not over a link that was just
 * followed and is yet to be read.
 */
function remember() {
  pending ??= setTimeout(() => {
    pending = null;
    if (location.hash !== known) return;
    history.replaceState(null, "", encode(store.state));
    known = location.hash;
  }, 200);
}

function current() {
  const name = store.state.view;
  if (!(name in views)) {
    const panel = html("section", {
      role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`,
    });
    find("panels").append(panel);
    const View = TABS.find(([key]) => key === name)[2];
    views[name] = { panel, view: new View(panel, store) };
  }
  return views[name].view;
}

function show(name) {
  views[store.state.view]?.view.hide?.();
  store.state.view = name;
  const view = current();
  for (const [key, { panel }] of Object.entries(views)) panel.hidden = key !== name;
  for (const tab of find("tabs").children) {
    const isChosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  view.render();
  remember();
}

function moveTab(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const at = shownTabs.findIndex(([name]) => name === store.state.view);
  const next = shownTabs[(at + step + shownTabs.length) % shownTabs.length][0];
  show(next);
  find(`tab-${next}`).focus();
  event.preventDefault();
  event.stopPropagation();
}

function load() {
  const { state, complaints } = decode(location.hash, initial);
  if (state.view === "case" && !data.case) {
    complaints.push("view=case: this page holds no case");
    state.view = "layer";
  }
  if (data.message) complaints.push(data.message);
  store.complain(complaints.map((line) => (line === data.message ? line
    : `In the link: ${line}; the default is used.`)));
  const { view } = state;
  store.state = state;
  show(view);
}

find("tabs").append(...shownTabs.map(([name, text]) => html("button", {
  type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`,
  click: () => show(name), keydown: moveTab,
}, text)));

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea, button, summary, pre");
  if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  if (current().key?.(event)) event.preventDefault();
});
addEventListener("hashchange", () => {
  known = location.hash;
  if (known !== encode(store.state)) load();
});

load();
performance.mark("first-drawing");
