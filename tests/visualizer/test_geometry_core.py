"""The page's arithmetic gives what convcheck's own gives: sizes, steps, refusals, taps, counts."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from convcheck.core.case import Case, parse_case
from convcheck.core.errors import GeometryError
from convcheck.core.explanation import explain_axis
from convcheck.core.receptive_field import Window, receptive_field
from convcheck.core.shapes import output_shape
from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.oracle.pooling import divisors
from convcheck.oracle.taps import read_counts, taps

OPS = ("cross_correlation", "convolution", "conv_transpose", "max_pool", "avg_pool")
FIELDS = ("size", "kernel", "stride", "before", "after", "dilation", "outputPadding")
SETTINGS = 1000


def random_layer(generator: random.Random, *, most: int = 9) -> dict[str, Any]:
    op = generator.choice(OPS)

    def axis() -> dict[str, int]:
        stride, kernel = generator.randint(0 if most > 9 else 1, 3), generator.randint(1, 4)
        before = generator.randint(0, 3 if op == "conv_transpose" else max(1, kernel // 2))
        return {
            "size": generator.randint(1, most),
            "kernel": kernel,
            "stride": stride,
            "before": before,
            "after": generator.choice((before, generator.randint(0, 2))),
            "dilation": 1 if op == "avg_pool" else generator.randint(1, 3),
            "outputPadding": generator.randint(0, 2) if op == "conv_transpose" else 0,
        }

    return {
        "op": op,
        "axes": [axis(), axis()],
        "mode": generator.choice(("zeros", "zeros", "reflect", "replicate", "circular"))
        if op in OPS[:2]
        else "zeros",
        "ceil": generator.random() < 0.4,
        "includePad": op != "avg_pool" or generator.random() < 0.5,
    }


def spec_of(layer: dict[str, Any]) -> ConvSpec | PoolSpec:
    values = {field: tuple(axis[field] for axis in layer["axes"]) for field in FIELDS}
    window: dict[str, Any] = {
        "kernel_size": values["kernel"],
        "stride": values["stride"],
        "padding": tuple(zip(values["before"], values["after"], strict=True)),
        "dilation": values["dilation"],
    }
    if layer["op"].endswith("_pool"):
        kind = layer["op"].removesuffix("_pool")
        flags = {"ceil_mode": layer["ceil"], "count_include_pad": layer["includePad"]}
        return PoolSpec(kind=kind, **window, **flags)
    transposed = layer["op"] == "conv_transpose"
    extra = values["outputPadding"] if transposed else (0,)
    return ConvSpec(
        **window, transposed=transposed, output_padding=extra, padding_mode=layer["mode"]
    )


def case_of(layer: dict[str, Any]) -> Case:
    names = {"conv_transpose": "conv_transpose2d", "max_pool": "max_pool2d"}
    op = names.get(layer["op"], "avg_pool2d" if layer["op"] == "avg_pool" else "conv2d")
    return Case(op=op, spec=spec_of(layer), spatial=tuple(axis["size"] for axis in layer["axes"]))


@pytest.fixture(scope="module")
def layers() -> list[dict[str, Any]]:
    generator = random.Random(20240607)
    return [random_layer(generator) for _ in range(SETTINGS)]


WORK = """
const { GeometryError, outputSize, tapsOf, axisCounts } = await use("geometry");
const { divisorOf } = await use("values");
const { descriptor } = await use("code");
answer(given.map((layer) => {
  let out;
  try { out = outputSize(layer); } catch (error) {
    if (!(error instanceof GeometryError)) throw error;
    return { what: error.message, why: error.why, fix: error.fix,
      descriptor: descriptor(layer) };
  }
  const cells = [];
  for (let row = 0; row < out[0]; row++) {
    for (let column = 0; column < out[1]; column++) cells.push([row, column]);
  }
  const [rows, columns] = layer.axes.map((axis, at) => axisCounts(layer, axis, out[at]));
  return { out, descriptor: descriptor(layer), rows, columns,
    taps: cells.map((cell) => tapsOf(layer, cell).map(({ source, tap }) => ({ source, tap }))),
    divisors: layer.op === "avg_pool" ? cells.map((cell) => divisorOf(layer, cell)) : [] };
}));
"""


@pytest.fixture(scope="module")
def worked(run_node: Any, layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return run_node(WORK, layers)


def test_sizes_and_refusals_are_those_of_the_core(layers, worked):
    refused = 0
    for layer, page in zip(layers, worked, strict=True):
        try:
            expected = output_shape(case_of(layer))[2:]
        except GeometryError as error:
            refused += 1
            assert (page["what"], page["why"], page["fix"]) == (error.what, error.why, error.fix)
        else:
            assert tuple(page["out"]) == expected, layer
    assert 50 < refused < SETTINGS - 500


def test_taps_are_those_of_the_oracle(layers, worked):
    compared = 0
    for layer, page in zip(layers, worked, strict=True):
        if "out" not in page:
            continue
        spec = spec_of(layer)
        sizes = tuple(axis["size"] for axis in layer["axes"])
        kernel = spec.kernel_size
        cells = iter(page["taps"])
        for row in range(page["out"][0]):
            for column in range(page["out"][1]):
                found = {
                    (tuple(tap["tap"]), tuple(tap["source"]) if tap["source"] else None)
                    for tap in next(cells)
                }
                expected = set()
                for tap in taps(spec, sizes, (row, column)):
                    index = tap.kernel
                    if layer["op"] == "convolution":
                        index = tuple(k - 1 - i for k, i in zip(kernel, index, strict=True))
                    expected.add((index, tap.source))
                assert found == {pair for pair in expected if pair[1] or layer["op"] != OPS[2]}
                compared += 1
    assert compared > 5_000


def test_read_counts_and_divisors_are_those_of_the_oracle(layers, worked):
    averages = 0
    for layer, page in zip(layers, worked, strict=True):
        if "out" not in page or layer["op"] == "conv_transpose":
            continue
        sizes = tuple(axis["size"] for axis in layer["axes"])
        expected = read_counts(spec_of(layer), sizes)
        assert (np.outer(page["rows"], page["columns"]) == expected).all(), layer
        if page["divisors"]:
            averages += 1
            assert page["divisors"] == divisors(spec_of(layer), sizes).ravel().tolist()
    assert averages > 50


def test_descriptor_is_read_back_as_the_same_case(layers, worked):
    for layer, page in zip(layers, worked, strict=True):
        read = parse_case(page["descriptor"])
        if read.spec.axes == 2:
            assert read == case_of(layer)
        else:
            assert read.spatial == (layer["axes"][1]["size"],)
        assert str(parse_case(str(read))) == str(read)


def test_worked_formula_is_that_of_the_core(run_node):
    generator = random.Random(5)
    layers = [random_layer(generator, most=12) for _ in range(SETTINGS)]
    script = """
    const { explainAxis } = await use("explain");
    answer(given.map((layer) => {
      const worked = explainAxis(layer, layer.axes[0]);
      return { ...worked, refusal: worked.refusal && worked.refusal.message };
    }));
    """
    for layer, page in zip(layers, run_node(script, layers), strict=True):
        axis = layer["axes"][0]
        expected = explain_axis(
            {"cross_correlation": "conv", "convolution": "conv"}.get(layer["op"], layer["op"]),
            axis["size"], axis["kernel"], stride=axis["stride"],
            padding=(axis["before"], axis["after"]), dilation=axis["dilation"],
            output_padding=axis["outputPadding"], ceil_mode=layer["ceil"],
        )  # fmt: skip
        boundary = layer["mode"] in ("reflect", "circular") and page["refusal"]
        if not boundary:
            assert page["size"] == expected.size, layer
            assert page["unread"] == expected.unread
            assert page["refusal"] == (expected.refusal.what if expected.refusal else None)
            assert page["steps"] == [
                {
                    name: getattr(step, name)
                    for name in ("name", "formula", "numbers", "value", "says")
                }
                for step in expected.steps
            ]


def test_every_impossible_setting_has_a_way_out_that_is_possible(run_node):
    generator = random.Random(11)
    layers = [random_layer(generator, most=12) for _ in range(SETTINGS)]
    script = """
    const { explainAxis, nearestPossible } = await use("explain");
    answer(given.map((layer) => (explainAxis(layer, layer.axes[0]).refusal
      ? nearestPossible(layer, layer.axes[0]).map((offer) => offer.axis) : null)));
    """
    offered = single = 0
    for layer, offers in zip(layers, run_node(script, layers), strict=True):
        if offers is None:
            continue
        assert offers, f"no way out is offered of {layer['axes'][0]}"
        changes = [
            {field for field in FIELDS if axis[field] != layer["axes"][0][field]} for axis in offers
        ]
        single += all(len(changed) == 1 or changed <= {"before", "after"} for changed in changes)
        for axis in offers:
            output_shape(case_of({**layer, "axes": [axis, axis]}))
            offered += 1
    assert offered > 100 and single > 100


def random_stack(generator: random.Random) -> list[dict[str, Any]]:
    layers = []
    for index in range(generator.randint(1, 4)):
        transposed = generator.random() < 0.25
        kernel = generator.randint(1, 4)
        before = generator.randint(0, kernel // 2)
        layers.append(
            {
                "name": str(index), "op": "conv_transpose" if transposed else "cross_correlation",
                "kernel": kernel, "stride": generator.randint(1, 3), "before": before,
                "after": before, "dilation": generator.randint(1, 3), "outputPadding": 0,
                "ceil": False,
            }
        )  # fmt: skip
    return layers


def test_receptive_fields_are_those_of_the_core(run_node):
    generator = random.Random(3)
    stacks = [random_stack(generator) for _ in range(300)]
    script = """
    const { workStack } = await use("stack");
    answer(given.map((layers) => workStack(200, layers).map(
      ({ field, jump, start, holes, refusal }) => ({ field, jump, start, holes,
        refused: refusal !== null }))));
    """
    compared = 0
    for layers, rows in zip(stacks, run_node(script, stacks), strict=True):
        expected = receptive_field(
            Window(
                kernel_size=layer["kernel"], stride=layer["stride"], padding=layer["before"],
                dilation=layer["dilation"], transposed=layer["op"] == "conv_transpose",
            )
            for layer in layers
        )  # fmt: skip
        for row, field in zip(rows, expected, strict=False):
            if row["refused"] or row["field"] is None or field.size[0] == 0:
                break
            assert row["field"] == field.size[0], layers
            assert row["jump"] == pytest.approx(float(field.jump[0]), rel=2**-40)
            assert row["holes"] == field.holes[0]
            if not any(layer["op"] == "conv_transpose" for layer in layers):
                assert row["start"] == field.start[0]
            compared += 1
    assert compared > 300


def test_dilations_1_2_4_see_3_7_15(run_node):
    script = """
    const { PRESETS, workStack } = await use("stack");
    answer(Object.values(PRESETS).map(({ input, layers }) => workStack(input, layers).map(
      ({ size, field, holes }) => [size, field === Infinity ? "all" : field, holes])));
    """
    doubling, equal, notes, _ = run_node(script)
    assert [row[1] for row in doubling] == [3, 7, 15]
    assert [row[2] for row in doubling] == [0, 0, 0]
    assert [row[1:] for row in equal] == [[5, 2], [9, 4], [13, 6]]
    assert [row[0] for row in notes] == [28, 14, 10, 5, 1]
    assert notes[-1][1] == "all"


def test_losses_agree_with_their_definitions(run_node):
    script = """
    const { softmax, crossEntropy, entropy, divergence, withEntry } = await use("loss");
    const q = softmax([2, 1, 0]);
    const p = [0.7, 0.2, 0.1];
    answer({ q, sum: q.reduce((a, b) => a + b), crossed: crossEntropy(p, q), own: entropy(p),
      apart: divergence(p, q), far: divergence([1, 0], [0, 1]) === Infinity,
      zero: crossEntropy([0, 1], [0, 1]), large: softmax([1e6, 0]),
      moved: withEntry([0.5, 0.25, 0.25], 0, 0.8), whole: withEntry([1, 0, 0], 0, 0.4) });
    """
    found = run_node(script)
    epsilon = np.finfo(float).eps
    weights = np.exp([2.0, 1.0, 0.0])
    q = weights / weights.sum()
    p = np.array([0.7, 0.2, 0.1])
    # Each value is a sum of three terms, each rounded a few times.
    assert found["q"] == pytest.approx(q, rel=8 * epsilon)
    assert found["crossed"] == pytest.approx(-(p * np.log(q)).sum(), rel=16 * epsilon)
    assert found["crossed"] - found["own"] == pytest.approx(found["apart"], abs=16 * epsilon)
    assert found["far"] and found["zero"] == 0 and found["large"] == [1, 0]
    assert found["moved"] == pytest.approx([0.8, 0.1, 0.1], rel=8 * epsilon)
    assert found["whole"] == pytest.approx([0.4, 0.3, 0.3], rel=8 * epsilon)


def test_convolution_of_sequences_is_commutative_and_that_of_numpy(run_node):
    generator = random.Random(7)
    pairs = [
        [[generator.randint(-9, 9) for _ in range(generator.randint(1, 6))] for _ in range(2)]
        for _ in range(50)
    ]
    script = """
    const { convolve } = await use("sequence");
    answer(given.map(([f, g]) => [convolve(f, g), convolve(g, f)]));
    """
    for (f, g), (left, right) in zip(pairs, run_node(script, pairs), strict=True):
        assert left == right == np.convolve(f, g).tolist()


def test_matrix_times_input_is_the_output(run_node):
    generator = random.Random(17)
    layers = [
        layer
        for layer in (random_layer(generator, most=6) for _ in range(200))
        if not layer["op"].endswith("_pool")
    ]
    script = """
    const { GeometryError } = await use("geometry");
    const { forward, makeInput, makeWeight } = await use("values");
    const { layerMatrix, entryWeight, imageToColumns } = await use("matrix");
    answer(given.map((layer) => {
      const size = layer.axes.map((axis) => axis.size);
      const input = makeInput("integers", size, 3);
      const weight = makeWeight("integers", layer.axes.map((axis) => axis.kernel), 3);
      let output;
      try { output = forward(layer, input, weight); } catch (error) {
        if (!(error instanceof GeometryError)) throw error;
        return null;
      }
      const flat = input.flat();
      const matrix = layerMatrix(layer);
      const product = Array(matrix.rows).fill(0);
      for (const entry of matrix.entries) {
        product[entry.row] += entryWeight(layer, entry, weight) * flat[entry.column];
      }
      const columns = imageToColumns(layer).map((row) => row.reduce((sum, { source, tap }) =>
        sum + (source ? input[source[0]][source[1]] * weight[tap[0]][tap[1]] : 0), 0));
      return { output: output.flat(), product, columns, input, weight };
    }));
    """
    compared = 0
    for layer, found in zip(layers, run_node(script, layers), strict=True):
        if found is None:
            continue
        compared += 1
        assert found["output"] == found["product"] == found["columns"]
        assert found["output"] == direct(layer, found["input"], found["weight"])
    assert compared > 40


def direct(layer: dict[str, Any], given: list[list[int]], weight: list[list[int]]) -> list[int]:
    """The output by the oracle's taps."""
    spec, sizes = spec_of(layer), tuple(axis["size"] for axis in layer["axes"])
    kernel = np.array(weight)
    if layer["op"] == "convolution":
        kernel = kernel[::-1, ::-1]
    out = output_shape(case_of(layer))[2:]
    return [
        int(sum(given[t.source[0]][t.source[1]] * int(kernel[t.kernel])
                for t in taps(spec, sizes, (row, column)) if t.source))
        for row in range(out[0])
        for column in range(out[1])
    ]  # fmt: skip


def test_a_wrong_rule_would_be_noticed(layers, worked):
    """The comparison rejects a size that is one off: a negative control."""
    page = next(page for page in worked if "out" in page)
    layer = layers[worked.index(page)]
    page = {**page, "out": [page["out"][0] + 1, page["out"][1]]}
    with pytest.raises(AssertionError):
        test_sizes_and_refusals_are_those_of_the_core([layer], [page])
