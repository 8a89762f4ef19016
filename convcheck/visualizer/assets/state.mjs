// The page's state, and its form in the URL fragment: a link is a lesson.
//
// A fragment is untrusted: every value is parsed by a closed grammar, and what does not parse is
// replaced by the default and told to the reader.
import { MODES, OPS } from "./geometry.mjs";
import { PRESETS, readStack, writeStack } from "./stack.mjs";
import { INPUTS, WEIGHTS } from "./values.mjs";

export const VIEWS = ["layer", "stack", "matrix", "flip", "loss", "case"];
export const MOST = 10_000_000;
const FIELDS = { in: "size", k: "kernel", s: "stride", d: "dilation", extra: "outputPadding" };
const MOST_NUMBERS = 8;

export const AXIS = {
  size: 5, kernel: 3, stride: 1, before: 0, after: 0, dilation: 1, outputPadding: 0,
};

export const defaultState = () => ({
  view: "layer",
  op: "cross_correlation",
  axes: [{ ...AXIS }, { ...AXIS }],
  mode: "zeros",
  ceil: false,
  includePad: true,
  locked: true,
  sides: true,
  numbers: true,
  counts: false,
  input: "integers",
  weight: "integers",
  seed: 1,
  cell: [0, 0],
  pinned: false,
  speed: 2,
  preset: Object.keys(PRESETS)[0],
  stack: null,
  unit: null,
  axis: 1,
  transpose: false,
  f: [1, 2, 3, 2],
  g: [1, 0, -1],
  t: 3,
  p: [0.7, 0.2, 0.1],
  logits: [2, 1, 0],
});

const CHOICES = { view: VIEWS, op: OPS, mode: MODES, input: INPUTS, weight: WEIGHTS };
const SWITCHES = ["ceil", "includePad", "locked", "sides", "numbers", "counts", "pinned", "transpose"];

const whole = (text) => {
  if (!/^-?\d{1,12}$/.test(text)) throw new Error("is not a whole number");
  const value = Number(text);
  if (Math.abs(value) > MOST) throw new Error(`is beyond ${MOST.toLocaleString("en")}`);
  return value;
};

const real = (text) => {
  if (!/^-?\d{1,6}(\.\d{1,6})?$/.test(text)) throw new Error("is not a number");
  return Number(text);
};

const pairOf = (text, parse) => {
  const parts = text.split("x").map(parse);
  if (parts.length > 2) throw new Error("has more than two values");
  return [parts[0], parts[parts.length - 1]];
};

const sides = (text) => {
  const parts = text.split(":").map(whole);
  if (parts.length > 2) throw new Error("has more than two sides");
  return [parts[0], parts[parts.length - 1]];
};

const listOf = (text, parse) => {
  const parts = text.split(",").map(parse);
  if (parts.length > MOST_NUMBERS) throw new Error(`has more than ${MOST_NUMBERS} values`);
  return parts;
};

function read(state, key, text) {
  if (key in CHOICES) {
    if (!CHOICES[key].includes(text)) throw new Error(`is none of ${CHOICES[key].join(", ")}`);
    state[key] = text;
  } else if (SWITCHES.includes(key)) {
    if (text !== "0" && text !== "1") throw new Error("is neither 0 nor 1");
    state[key] = text === "1";
  } else if (key in FIELDS) {
    pairOf(text, whole).forEach((value, at) => { state.axes[at][FIELDS[key]] = value; });
  } else if (key === "p") {
    pairOf(text, sides).forEach(([before, after], at) =>
      Object.assign(state.axes[at], { before, after }));
  } else if (key === "cell") {
    state.cell = pairOf(text, whole);
  } else if (key === "seed" || key === "t" || key === "unit" || key === "axis") {
    state[key] = key === "axis" ? Math.min(1, Math.max(0, whole(text))) : whole(text);
  } else if (key === "speed") {
    state.speed = Math.min(60, Math.max(0.25, real(text)));
  } else if (key === "f" || key === "g") {
    state[key] = listOf(text, whole);
  } else if (key === "logits") {
    state.logits = listOf(text, real);
  } else if (key === "target") {
    const found = listOf(text, real);
    const sum = found.reduce((total, value) => total + value, 0);
    if (found.some((value) => value < 0) || !(sum > 0)) throw new Error("is no distribution");
    state.p = found.map((value) => value / sum);
  } else if (key === "stack") {
    state.stack = readStack(text);
  } else if (key === "preset") {
    state.preset = text;
  } else {
    throw new Error("is unknown");
  }
}

/** {state, complaints} of a fragment; starts from `base`. */
export function decode(fragment, base = defaultState()) {
  const state = structuredClone(base);
  const complaints = [];
  for (const item of fragment.replace(/^#/, "").slice(0, 2000).split("&").filter(Boolean)) {
    const [key, ...rest] = item.split("=");
    try {
      read(state, key, decodeURIComponent(rest.join("=")));
    } catch (error) {
      complaints.push(`${item.slice(0, 80)} ${error.message}`);
    }
  }
  if (state.p.length !== state.logits.length) {
    complaints.push("target and logits differ in length");
    Object.assign(state, { p: base.p, logits: base.logits });
  }
  return { state, complaints };
}

const joined = (values) => (values[0] === values[1] ? String(values[0]) : values.join("x"));

/** The fragment of a state, without what is at its default. */
export function encode(state) {
  const base = defaultState();
  const items = [["view", state.view]];
  const add = (key, value, initial) => { if (value !== initial) items.push([key, value]); };
  for (const key of Object.keys(CHOICES).filter((key) => key !== "view")) {
    add(key, state[key], base[key]);
  }
  for (const key of SWITCHES) add(key, Number(state[key]), Number(base[key]));
  const axes = (pick) => (one) => joined(one.axes.map(pick));
  for (const [key, field] of Object.entries(FIELDS)) {
    const text = axes((axis) => axis[field]);
    add(key, text(state), text(base));
  }
  const padding = axes(({ before, after }) => (before === after ? before : `${before}:${after}`));
  add("p", padding(state), padding(base));
  add("cell", joined(state.cell), joined(base.cell));
  for (const key of ["seed", "speed", "t", "unit", "axis", "preset"]) {
    add(key, state[key], base[key]);
  }
  if (state.stack) items.push(["stack", writeStack(state.stack)]);
  for (const key of ["f", "g", "logits"]) add(key, state[key].join(), base[key].join());
  const target = (one) => one.p.map((value) => Number(value.toFixed(4))).join();
  add("target", target(state), target(base));
  return "#" + items.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
}
