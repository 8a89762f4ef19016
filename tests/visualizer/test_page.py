"""The page is one file that needs no network, and what it is given cannot get out of its place."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import random
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from convcheck.core.case import parse_case
from convcheck.core.errors import UsageError
from convcheck.oracle.expected import Expected, expected
from convcheck.oracle.inputs import make_inputs
from convcheck.visualizer.page import build_page, page_script
from convcheck.visualizer.page_data import (
    PageCase,
    PageLayer,
    PageStack,
    case_json,
    check_drawable,
    stack_json,
)

HOSTILE = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>'
MOST_BYTES = 200_000


class Parts(HTMLParser):
    """The elements of a page with their attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = dict(attrs).get("id") or dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[self._inside] = self.raw.get(self._inside, "") + data


def conv_layer(name: str, size: int, out: int, **window: int) -> PageLayer:
    kernel, padding = window.get("kernel", 3), window.get("padding", 0)
    return PageLayer(
        name=name, op=str(window.get("op", "conv2d")), input_shape=(1, 3, size, size),
        output_shape=(1, 6, out, out), kernel_size=(kernel, kernel),
        stride=(window.get("stride", 1),) * 2, padding=((padding, padding),) * 2, dilation=(1, 1),
    )  # fmt: skip


def test_page_is_one_small_file_without_addresses():
    page = build_page()
    assert len(page.encode()) < MOST_BYTES
    parts = Parts(page)
    for tag, attributes in parts.elements:
        for name in ("src", "href", "action", "srcset"):
            assert attributes.get(name) in (None, "data:,"), (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", page))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
    assert "innerHTML" not in page and "eval(" not in page and "import(" not in page


def test_policy_allows_this_script_and_this_style_only():
    parts = Parts(build_page())
    policy = next(
        unescape(attributes["content"] or "")
        for _, attributes in parts.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for rule, text in (("script-src", parts.raw["module"]), ("style-src", parts.raw["style"])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'" and "unsafe" not in policy


def test_page_is_the_same_bytes_every_time():
    assert build_page() == build_page()


def test_modules_are_joined_each_once_and_after_what_they_import():
    names = re.findall(r"^const module_(\w+) = ", page_script(), re.MULTILINE)
    assert len(names) == len(set(names)) and names[-1] == "main"
    for use in re.finditer(r"^const \{[^}]*\} = module_(\w+);", page_script(), re.MULTILINE):
        declared = page_script().index(f"const module_{use[1]} = ")
        assert declared < use.start()
    assert not re.search(r"^(import|export) ", page_script(), re.MULTILINE)


def test_hostile_text_stays_data():
    stack = PageStack(name=HOSTILE, layers=(conv_layer(HOSTILE, 8, 6),))
    page = build_page(stack=stack, message=HOSTILE)
    parts = Parts(page)
    assert [tag for tag, _ in parts.elements].count("script") == 2
    assert not any(tag == "img" for tag, _ in parts.elements)
    data = json.loads(parts.raw["data"])
    assert data["stack"]["layers"][0]["name"] == HOSTILE and data["message"] == HOSTILE


def test_stack_follows_the_chain_and_names_what_it_leaves_out():
    stack = PageStack(
        name="net",
        layers=(
            conv_layer("conv1", 32, 28, kernel=5),
            PageLayer(
                name="relu", op="relu", input_shape=(1, 6, 28, 28), output_shape=(1, 6, 28, 28)
            ),
            conv_layer("branch", 32, 32, padding=1),
            conv_layer("pool", 28, 14, op="max_pool2d", kernel=2, stride=2),
            PageLayer(
                name="flat", op="flatten", input_shape=(1, 6, 14, 14), output_shape=(1, 1176)
            ),
            PageLayer(name="fc", op="linear", input_shape=(1, 400), output_shape=(1, 10)),
            PageLayer(name="after", op="linear", input_shape=(1, 10), output_shape=(1, 10)),
            conv_layer("late", 14, 12),
        ),
    )
    told = stack_json(stack)
    assert told["input"] == [32, 32]
    assert [layer["name"] for layer in told["layers"]] == ["conv1", "pool", "fc", "after"]
    assert [layer["op"] for layer in told["layers"]] == [
        "cross_correlation", "max_pool", "whole", "whole",
    ]  # fmt: skip
    assert told["layers"][1]["axes"][0]["stride"] == 2
    assert told["left"] == ["Left out of the chain: branch, late."]


def test_very_many_and_very_long_layers_are_cut_and_told():
    layers = tuple(conv_layer("n" * 1000, 8, 8, padding=1) for _ in range(1000))
    told = stack_json(PageStack(name="deep", layers=layers))
    assert len(told["layers"]) == 400 and len(told["layers"][0]["name"]) == 200
    assert "and 580 more" in told["left"][0]
    assert len(build_page(stack=PageStack(name="deep", layers=layers)).encode()) < 2 * MOST_BYTES


@pytest.mark.parametrize(
    "descriptor",
    [
        "conv2d n2 c4 h5 w7 f6 k3x2 s2x1 p1:0x0:2 d1 g2 b1",
        "conv1d n1 c2 w9 f1 k3 s2 p1 d2 g1",
        "conv_transpose2d n1 c2 h3 w3 f2 k2x2 s2 p0 d1 g1 op1",
        "max_pool2d n1 c2 h5 w5 k3x3 s2 p1 d1 ceil",
        "avg_pool1d n1 c1 w5 k3 s1 p1 d1 exclude_pad",
        "conv2d n1 c1 h4 w4 f1 k3x3 s1 p1 d1 g1 nonfinite",
    ],
)
def test_case_arrays_are_nested_planes_of_exact_values(descriptor):
    case = parse_case(descriptor)
    inputs = make_inputs(case)
    wanted = expected(case, inputs)
    assert isinstance(wanted, Expected)
    output = wanted.outputs[0]
    told = case_json(
        PageCase(
            case=case, input=inputs["x"], weight=inputs.get("w"), bias=inputs.get("b"),
            expected=output.values, bound=output.bound,
        )
    )  # fmt: skip
    shape = (*output.shape[:2], *((1,) if case.spec.axes == 1 else ()), *output.shape[2:])
    found = np.array(told["expected"], dtype=object).astype(float)
    assert found.shape == shape
    assert np.array_equal(found.reshape(output.shape), output.values, equal_nan=True)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


@pytest.mark.parametrize(
    ("descriptor", "says"),
    [
        ("cross_entropy n2 c3 mean index", "no picture"),
        ("conv3d n1 c1 z3 h3 w3 f1 k2x2x2 s1 p0 d1 g1", "no picture"),
        ("conv2d_backward n1 c1 h5 w5 f1 k3x3 s1 p0 d1 g1", "no picture"),
        ("output_size w32 k5 s1 p0 d1", "no picture"),
        ("conv2d n1 c1 h1000 w1000 f1 k3x3 s1 p0 d1 g1", "is not drawn"),
        ("conv2d n0 c1 h5 w5 f1 k3x3 s1 p0 d1 g1", "is not drawn"),
        ("conv_transpose2d n1 c1 h9 w9 f1 k2x2 s99 p0 d1 g1 op0", "are not drawn"),
    ],
)
def test_cases_without_a_picture_are_refused(descriptor, says):
    with pytest.raises(UsageError, match=says):
        check_drawable(parse_case(descriptor))


def random_settings(count: int) -> list[dict]:
    generator = random.Random(23)
    names = ("cross_correlation", "convolution", "conv_transpose", "max_pool", "avg_pool")
    axis = lambda: {  # noqa: E731
        "size": generator.randint(4, 9), "kernel": generator.randint(1, 3),
        "stride": generator.randint(1, 3), "before": generator.randint(0, 1),
        "after": generator.randint(0, 1), "dilation": generator.randint(1, 2), "outputPadding": 0,
    }  # fmt: skip
    return [
        {"op": names[at % 5], "axes": [axis(), axis()], "mode": "zeros",
         "ceil": generator.random() < 0.3, "includePad": True}
        for at in range(count)
    ]  # fmt: skip


def snippets_of(run_node, layers):
    script = 'const { snippets } = await use("code"); answer(given.map(snippets));'
    return run_node(script, layers)


def test_every_snippet_is_python_that_parses(run_node):
    for found in snippets_of(run_node, random_settings(100)):
        for name in ("torch", "keras", "jax", "onnx"):
            ast.parse(found[name])
        assert found["test case"].startswith("convcheck replay ")


@pytest.mark.slow
def test_torch_snippets_give_the_size_of_the_page(run_node, capsys):
    torch = pytest.importorskip("torch")
    size = 'const { outputSize } = await use("geometry"); answer(given.map(outputSize));'
    layers = [
        {**layer, "axes": [{**axis, "kernel": max(axis["kernel"], 2), "after": axis["before"],
                            "dilation": 1 if layer["op"] == "avg_pool" else axis["dilation"]}
                           for axis in layer["axes"]]}
        for layer in random_settings(60)
    ]  # fmt: skip
    with torch.no_grad():
        for found, out in zip(snippets_of(run_node, layers), run_node(size, layers), strict=True):
            exec(compile(found["torch"], "snippet", "exec"), {})
            assert capsys.readouterr().out.strip() == f"torch.Size([1, 1, {out[0]}, {out[1]}])"
