// The current layer as code of four frameworks, and as convcheck's case descriptor.
import { effectiveKernel, isPool, isTransposed } from "./geometry.mjs";

const isTrivial = (axis) => axis.size === 1 && axis.kernel === 1 && axis.stride === 1 &&
  axis.before === 0 && axis.after === 0 && axis.dilation === 1 && axis.outputPadding === 0;

/** The axes that count: width alone where the height does nothing. */
const liveAxes = (layer) => (isTrivial(layer.axes[0]) ? [layer.axes[1]] : layer.axes);

const tuple = (values) => (values.every((value) => value === values[0]) ? String(values[0])
  : `(${values.join(", ")})`);
const python = (value) => (value ? "True" : "False");

const isEven = (axes) => axes.every(({ before, after }) => before === after);

/** convcheck's one-line descriptor. */
export function descriptor(layer) {
  const axes = liveAxes(layer);
  const joined = (field, key) => {
    const values = axes.map((axis) => axis[field]);
    return key + (values.every((value) => value === values[0]) ? values[0] : values.join("x"));
  };
  const pads = axes.map(({ before, after }) => (before === after ? before : `${before}:${after}`));
  const padding = "p" + (pads.every((pad) => pad === pads[0]) ? pads[0] : pads.join("x"));
  const sizes = (axes.length === 1 ? ["w"] : ["h", "w"]).map((name, at) => name + axes[at].size);
  const kernel = "k" + axes.map((axis) => axis.kernel).join("x");
  const window = [kernel, joined("stride", "s"), padding, joined("dilation", "d")];
  const rank = `${axes.length}d`;
  if (isPool(layer.op)) {
    const flags = [...(layer.ceil ? ["ceil"] : []),
      ...(layer.op === "avg_pool" && !layer.includePad ? ["exclude_pad"] : [])];
    return [layer.op + rank, "n1", "c1", ...sizes, ...window, ...flags].join(" ");
  }
  const name = (isTransposed(layer.op) ? "conv_transpose" : "conv") + rank;
  const tail = isTransposed(layer.op) ? [joined("outputPadding", "op")]
    : layer.mode === "zeros" ? [] : [layer.mode];
  return [name, "n1", "c1", ...sizes, "f1", ...window, "g1", ...tail].join(" ");
}

function torch(layer) {
  const axes = liveAxes(layer);
  const each = (field) => tuple(axes.map((axis) => axis[field]));
  const rank = `${axes.length}d`;
  const even = isEven(axes);
  const lines = ["import torch", "from torch import nn", ""];
  const window = `kernel_size=${each("kernel")}, stride=${each("stride")}`;
  const input = `x = torch.randn(1, 1, ${axes.map((axis) => axis.size).join(", ")})`;
  if (isPool(layer.op)) {
    const name = layer.op === "max_pool" ? "MaxPool" : "AvgPool";
    const more = layer.op === "max_pool" ? `, dilation=${each("dilation")}`
      : `, count_include_pad=${python(layer.includePad)}`;
    if (!even) lines.push("# torch's pooling pads both sides alike; this setting has no equal");
    return [...lines, input,
      `layer = nn.${name}${rank}(${window}, padding=${each("before")}${more}, ` +
        `ceil_mode=${python(layer.ceil)})`, "print(layer(x).shape)"].join("\n");
  }
  if (isTransposed(layer.op)) {
    if (!even) lines.push("# torch crops both sides alike; crop the rest by slicing");
    return [...lines, input,
      `layer = nn.ConvTranspose${rank}(1, 1, ${window}, padding=${each("before")}, ` +
        `output_padding=${each("outputPadding")}, dilation=${each("dilation")})`,
      "print(layer(x).shape)"].join("\n");
  }
  lines.push(input);
  if (!even) {
    const pads = [...axes].reverse().flatMap(({ before, after }) => [before, after]).join(", ");
    const mode = layer.mode === "zeros" ? "constant" : layer.mode;
    lines.push(`x = nn.functional.pad(x, (${pads}), mode="${mode}")`);
  }
  const mode = layer.mode === "zeros" || !even ? "" : `, padding_mode="${layer.mode}"`;
  lines.push(`layer = nn.Conv${rank}(1, 1, ${window}, padding=${even ? each("before") : 0}, ` +
    `dilation=${each("dilation")}${mode})`);
  if (layer.op === "convolution") {
    const dims = axes.map((_, at) => at + 2).join(", ");
    lines.push("# a true convolution flips the kernel; a framework's layer does not",
      `layer.weight.data = layer.weight.data.flip(${dims})`);
  }
  return [...lines, "print(layer(x).shape)"].join("\n");
}

const refusal = (framework, why) => `# ${framework} has no such layer: ${why}`;

function keras(layer) {
  const axes = liveAxes(layer);
  const rank = `${axes.length}D`;
  const each = (field) => tuple(axes.map((axis) => axis[field]));
  const head = ["import keras", "", "# channels last: (batch, ..., channels)",
    `x = keras.random.normal((1, ${axes.map((axis) => axis.size).join(", ")}, 1))`];
  const pads = axes.map(({ before, after }) => `(${before}, ${after})`);
  const isPadded = axes.some(({ before, after }) => before || after);
  const padding = axes.length === 1 ? pads[0] : `(${pads.join(", ")})`;
  if (isTransposed(layer.op)) {
    if (axes.some((axis) => axis.outputPadding)) return refusal("keras", "output_padding differs");
    if (axes.some((axis) => effectiveKernel(axis) < axis.stride)) {
      return refusal("keras", "its output is longer where the kernel is shorter than the stride");
    }
    const crop = isPadded ? [`y = keras.layers.Cropping${rank}(${padding})(y)`] : [];
    return [...head, `y = keras.layers.Conv${rank}Transpose(1, ${each("kernel")}, ` +
      `strides=${each("stride")}, dilation_rate=${each("dilation")})(x)`, ...crop,
    "print(y.shape)"].join("\n");
  }
  if (isPool(layer.op)) {
    if (layer.ceil) return refusal("keras", "pooling always rounds down");
    if (axes.some((axis) => axis.dilation > 1)) return refusal("keras", "pooling has no dilation");
    if (isPadded) return refusal("keras", 'pooling pads by "same" only');
    const name = layer.op === "max_pool" ? "MaxPooling" : "AveragePooling";
    return [...head, `y = keras.layers.${name}${rank}(${each("kernel")}, ` +
      `strides=${each("stride")})(x)`, "print(y.shape)"].join("\n");
  }
  if (layer.mode !== "zeros") return refusal("keras", `a layer pads with zeros, not ${layer.mode}`);
  const pad = isPadded ? [`x = keras.layers.ZeroPadding${rank}(${padding})(x)`] : [];
  const flip = layer.op === "convolution" ? ["# flip the kernel for a true convolution"] : [];
  return [...head, ...pad, ...flip, `y = keras.layers.Conv${rank}(1, ${each("kernel")}, ` +
    `strides=${each("stride")}, dilation_rate=${each("dilation")})(x)`, "print(y.shape)"].join("\n");
}

function jax(layer) {
  const axes = liveAxes(layer);
  const list = (field) => `(${axes.map((axis) => axis[field]).join(", ")},)`;
  const head = ["import jax", "import jax.numpy as jnp", "",
    `x = jnp.ones((1, 1, ${axes.map((axis) => axis.size).join(", ")}))`];
  const pads = (pick) => `[${axes.map((axis) => `(${pick(axis).join(", ")})`).join(", ")}]`;
  if (isPool(layer.op)) {
    if (layer.ceil) return refusal("jax", "reduce_window rounds down; pad after by hand");
    const whole = (field) => `(1, 1, ${axes.map((axis) => axis[field]).join(", ")})`;
    const [start, add] = layer.op === "max_pool" ? ["-jnp.inf", "max"] : ["0.0", "add"];
    const lines = [...head, `y = jax.lax.reduce_window(x, ${start}, jax.lax.${add}, ` +
      `${whole("kernel")}, ${whole("stride")},`,
    `    padding=[(0, 0), (0, 0), ${pads((a) => [a.before, a.after]).slice(1)}, ` +
      `window_dilation=${whole("dilation")})`];
    if (layer.op === "avg_pool") {
      const taps = axes.map((axis) => axis.kernel).join(" * ");
      lines.push(layer.includePad ? `y = y / (${taps})`
        : "# divide by the count of input elements in each window (padding excluded)");
    }
    return [...lines, "print(y.shape)"].join("\n");
  }
  const kernel = `w = jnp.ones((1, 1, ${axes.map((axis) => axis.kernel).join(", ")}))`;
  const modes = { reflect: "reflect", replicate: "edge", circular: "wrap" };
  if (isTransposed(layer.op)) {
    const span = (axis) => axis.dilation * (axis.kernel - 1);
    const padding = pads((a) => [span(a) - a.before, span(a) - a.after + a.outputPadding]);
    return [...head, kernel, "# the adjoint: the input spread out by the stride, the kernel flipped",
      `y = jax.lax.conv_general_dilated(x, jnp.flip(w, ${tuple(axes.map((_, at) => at + 2))}),`,
      `    window_strides=(${axes.map(() => 1).join(", ")},), padding=${padding},`,
      `    lhs_dilation=${list("stride")}, rhs_dilation=${list("dilation")})`,
      "print(y.shape)"].join("\n");
  }
  const isZeros = layer.mode === "zeros";
  const pad = isZeros ? [] : [`x = jnp.pad(x, [(0, 0), (0, 0), ` +
    `${pads((a) => [a.before, a.after]).slice(1)}, mode="${modes[layer.mode]}")`];
  const flip = layer.op !== "convolution" ? []
    : [`w = jnp.flip(w, (${axes.map((_, at) => at + 2).join(", ")},))`];
  return [...head, ...pad, kernel, ...flip, "y = jax.lax.conv_general_dilated(",
    `    x, w, window_strides=${list("stride")}, ` +
      `padding=${isZeros ? pads((a) => [a.before, a.after]) : pads(() => [0, 0])},`,
    `    rhs_dilation=${list("dilation")})`, "print(y.shape)"].join("\n");
}

function onnx(layer) {
  const axes = liveAxes(layer);
  const list = (field) => `[${axes.map((axis) => axis[field]).join(", ")}]`;
  if (!isPool(layer.op) && layer.mode !== "zeros") {
    return refusal("onnx", `Conv pads with zeros; put a Pad node (${layer.mode}) before it`);
  }
  const names = { max_pool: "MaxPool", avg_pool: "AveragePool", conv_transpose: "ConvTranspose" };
  const pads = [...axes.map((axis) => axis.before), ...axes.map((axis) => axis.after)];
  const lines = [`    "${names[layer.op] ?? "Conv"}",`,
    isPool(layer.op) ? '    ["x"],' : '    ["x", "w"],', '    ["y"],',
    `    kernel_shape=${list("kernel")},`, `    strides=${list("stride")},`,
    `    pads=[${pads.join(", ")}],`, `    dilations=${list("dilation")},`];
  if (isPool(layer.op)) lines.push(`    ceil_mode=${Number(layer.ceil)},`);
  if (layer.op === "avg_pool") lines.push(`    count_include_pad=${Number(layer.includePad)},`);
  if (isTransposed(layer.op)) lines.push(`    output_padding=${list("outputPadding")},`);
  const flip = layer.op === "convolution" ? ["# flip w for a true convolution"] : [];
  return ["from onnx import helper", "", ...flip, "node = helper.make_node(", ...lines, ")"]
    .join("\n");
}

/** {name: code} for every framework, and the descriptor. */
export const snippets = (layer) => ({
  torch: torch(layer), keras: keras(layer), jax: jax(layer), onnx: onnx(layer),
  "test case": `convcheck replay "${descriptor(layer)}" --target mymodule:fn ` +
    `--op ${descriptor(layer).split(" ")[0]}`,
});
