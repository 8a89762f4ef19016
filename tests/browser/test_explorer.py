"""The page in a real browser: every operation, hover, keys, links, bad input, speed, sizes."""

from __future__ import annotations

import math
from itertools import product
from urllib.parse import unquote

import pytest

from convcheck.core.case import parse_case
from convcheck.core.errors import GeometryError
from convcheck.core.shapes import output_shape
from convcheck.oracle.expected import Expected, expected
from convcheck.oracle.inputs import make_inputs
from convcheck.visualizer.page_data import PageCase, PageLayer, PageStack

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=window.hacked=1>"
# W3C webdriver's code points for keys.
LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
ENTER, HOME, END = "\ue007", "\ue011", "\ue010"

OPS = {
    "cross_correlation": "conv2d", "convolution": "conv2d", "conv_transpose": "conv_transpose2d",
    "max_pool": "max_pool2d", "avg_pool": "avg_pool2d",
}  # fmt: skip


def descriptor(op: str, size: int, kernel: int, stride: int, padding: int, dilation: int) -> str:
    dilation = 1 if op == "avg_pool" else dilation
    tail = {"max_pool": "", "avg_pool": "", "conv_transpose": "g1 op0"}.get(op, "g1")
    channels = "" if "pool" in op else "f1"
    return (
        f"{OPS[op]} n1 c1 h{size} w{size} {channels} k{kernel}x{kernel} s{stride} p{padding} "
        f"d{dilation} {tail}"
    )


def output_caption(page) -> str:
    return page.text("figure.output figcaption")


@pytest.mark.parametrize("op", OPS)
def test_every_operation_shows_the_size_of_the_formula_or_why_not(opened, op):
    page = opened()
    possible = impossible = 0
    moves = [(1, 0, 1), (2, 1, 1), (1, 1, 3), (2, 0, 3)][: 2 if op == "avg_pool" else 4]
    settings = [(n, k, *move) for n, k, move in product((2, 7), (2, 3), moves)]
    seen = page.visit(
        [f"#op={op}&in={n}&k={k}&s={s}&p={p}&d={d}" for n, k, s, p, d in settings],
        "[document.querySelector('figure.output figcaption').textContent,"
        " document.querySelector('.formula .refusal')?.textContent ?? '']",
    )
    for (size, kernel, stride, padding, dilation), (caption, refusal) in zip(
        settings, seen, strict=True
    ):
        asked = descriptor(op, size, kernel, stride, padding, dilation)
        try:
            _, _, height, width = output_shape(parse_case(asked))
        except GeometryError as error:
            impossible += 1
            assert error.what in refusal and caption == "no output"
        else:
            possible += 1
            assert caption == f"output {height} \u00d7 {width}" and not refusal
    assert possible >= 5 and (impossible > 0 or op == "conv_transpose")


def test_hover_on_an_output_shows_its_taps_and_the_sum(opened):
    page = opened("#in=5&k=3&p=1")
    page.hover("svg.grid.output", 2, 3, 5, 5)
    sentence = page.until("const text = document.querySelector('.sentence').textContent;"
                          "return text.startsWith('Output (2, 3)') && text")  # fmt: skip
    assert "9 input cells, rows 1 to 3, columns 2 to 4" in sentence
    assert page.run("return document.querySelectorAll('svg.input .mark').length") == 9
    terms = page.run(
        "return [...document.querySelectorAll('.term-box')].map((one) => one.textContent)"
    )
    factors = [
        [int(part.replace("\u2212", "-")) for part in term.split("\u00b7")] for term in terms
    ]
    total = int(page.text(".products p").rsplit("= ", 1)[1].replace("\u2212", "-"))
    assert len(factors) == 9 and sum(a * b for a, b in factors) == total


def test_hover_on_an_input_shows_which_outputs_it_feeds(opened):
    page = opened("#in=6&k=3&s=2")
    page.hover("svg.grid.input", 2, 2, 6, 6)
    page.until("return document.querySelector('.sentence').textContent"
               ".startsWith('Input (2, 2) feeds 4 outputs')")  # fmt: skip
    assert page.run("return document.querySelectorAll('svg.output .mark').length") == 4
    page.hover("svg.grid.input", 5, 5, 6, 6)
    page.until("return document.querySelector('.sentence').textContent.includes('never read')")


def test_hover_on_a_weight_shows_all_that_it_multiplies(opened):
    page = opened("#in=5&k=3")
    page.hover("svg.grid.kernel", 0, 0, 3, 3)
    page.until("return document.querySelector('.sentence').textContent"
               ".startsWith('Weight (0, 0) is used 9 times')")  # fmt: skip
    page.go("#in=64&k=3&p=1")
    page.hover("svg.grid.kernel", 1, 1, 3, 3)
    page.until("return document.querySelector('.sentence').textContent"
               ".startsWith('Weight (1, 1) is used 4096 times')")  # fmt: skip


def test_keys_move_pin_and_play(opened):
    page = opened("#in=5&k=3")
    page.keys(RIGHT, DOWN, DOWN, LEFT, RIGHT)
    assert page.text(".sentence").startswith("Output (2, 1)")
    page.keys(END)
    assert page.text(".sentence").startswith("Output (2, 2)")
    page.keys(HOME, ENTER)
    page.until("return location.hash.includes('pinned=1')")
    page.hover("svg.grid.output", 1, 1, 3, 3)
    assert page.text(".sentence").startswith("Output (0, 0)")
    page.keys("]", " ")
    page.until(
        "return !document.querySelector('.sentence').textContent.startsWith('Output (0, 0)')"
    )
    page.keys(" ")
    stopped = page.text(".sentence")
    assert page.run("return document.querySelector('button.primary').ariaPressed") == "false"
    assert page.text(".sentence") == stopped


def test_tab_reaches_every_control_and_grid_and_each_has_a_name(opened):
    page = opened("#op=conv_transpose")
    nameless = page.run("""
      const named = (one) => one.getAttribute("aria-label") || one.getAttribute("aria-labelledby")
        || one.closest("label")?.textContent.trim() || one.textContent.trim();
      return [...document.querySelectorAll("input, select, button, svg[tabindex], [role]")]
        .filter((one) => one.checkVisibility() && !named(one)).map((one) => one.outerHTML);
    """)
    assert nameless == []
    reached = page.run("""
      return ["svg.input", "svg.kernel", "svg.output", "select", "input"].every((selector) => {
        const one = document.querySelector(selector);
        one.focus();
        return document.activeElement === one;
      });
    """)
    assert reached
    assert page.run("return document.querySelector('.sentence').getAttribute('aria-live')")


def test_link_carries_the_whole_state(opened):
    page = opened()
    links = (
        "#view=layer&op=max_pool&ceil=1&in=7x9&k=3x2&s=2x1&p=1:0x0:1&locked=0&sides=0&cell=1x2",
        "#view=layer&op=convolution&mode=circular&weight=edge&in=6&p=1&numbers=0&counts=1",
        "#view=stack&preset=network%20of%20the%20notes&unit=2",
        "#view=stack&stack=30~c3.1.1.2~m2.2.0.1~t4.2.1.1~w",
        "#view=matrix&in=4&transpose=1",
        "#view=flip&f=1%2C2%2C3&g=4%2C5&t=2",
        "#view=loss&target=0.5%2C0.5&logits=1%2C-1",
    )
    for link in links:
        page.open(link)
        page.until("return location.hash.includes('view=')")
        assert page.run("return document.getElementById('message').hidden"), link
        page.run("document.querySelector('[role=tab][aria-selected=true]').click()")
        page.until("return new Promise((done) => setTimeout(() => done(true), 250))")
        found = page.run("return location.hash")
        assert set(unquote(found)[1:].split("&")) == set(unquote(link)[1:].split("&"))
        state = page.text("[role=tabpanel]:not([hidden])")
        page.open(found)
        assert page.text("[role=tabpanel]:not([hidden])") == state


@pytest.mark.parametrize(
    "fragment",
    [
        "#op=nonsense&in=abc&k=1e9&s=--1&view=<img src=x onerror=window.hacked=1>",
        "#%E0%A4%A&=&&==&constructor=1&__proto__=2&axes=3",
        "#in=99999999999999999999&cell=axb&f=" + "9," * 500,
        "#view=stack&stack=5~c3.1.1~zz~c9999.1.1.1",
        "#view=stack&stack=0" + "~c3.1.1.1" * 99,
        "#target=0,0,0&logits=1,2&ceil=maybe&speed=-1&preset=" + HOSTILE,
    ],
)
def test_nonsense_in_the_link_is_told_and_harmless(opened, fragment):
    page = opened(fragment)
    assert "In the link" in page.text("#message")
    assert page.text("[role=tabpanel]:not([hidden])")
    assert page.run("return window.hacked === undefined && ({}).polluted === undefined")
    assert page.run("return document.querySelector('img')") is None


@pytest.mark.parametrize(
    "fragment",
    [
        "#in=1000000", "#in=1000000&k=999999", "#k=1000000", "#s=0", "#p=-3", "#in=0&k=0&d=0",
        "#op=conv_transpose&in=1000000&s=1000000", "#view=stack&stack=9~c3.0.0.0~c0.1.0.1",
        "#view=matrix&in=1000000",
        "#view=matrix&in=64", "#op=max_pool&p=1000000", "#d=1000000&p=1000000",
    ],
)  # fmt: skip
def test_huge_and_impossible_settings_are_answered_at_once(opened, fragment):
    page = opened(fragment)
    told = page.text("[role=tabpanel]:not([hidden])")
    assert any(word in told for word in ("too many to draw", "too large", "mpossible", "No matrix"))
    drawn = page.run("return performance.getEntriesByName('first-drawing')[0].startTime")
    assert drawn < 2000


def test_impossible_setting_is_reached_by_the_controls_and_left_by_an_offer(opened):
    page = opened("#in=4&k=3")
    down = "document.querySelector('[aria-label=\"dilation up\"]').click()"
    page.run(f"{down};{down}")
    assert output_caption(page) == "no output"
    assert page.run("return document.querySelectorAll('svg.input .mark.refused').length") == 9
    offers = page.run(
        "return [...document.querySelectorAll('.offer')].map((one) => one.textContent)"
    )
    assert offers == ["padding 2", "size 7", "kernel 2", "dilation 1"]
    page.run("[...document.querySelectorAll('.offer')].at(-1).click()")
    assert output_caption(page) == "output 2 \u00d7 2"


def test_formula_and_drawing_light_each_other(opened):
    page = opened("#in=5&k=3&p=1")
    page.run("""
      const over = (one) => one.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
      over(document.querySelector(".line[data-term=l2] .result"));
    """)
    assert page.run("return document.querySelector('.dimension.t-l2.lit') !== null")
    page.run("document.querySelector('.dimension.t-l1').dispatchEvent("
             "new PointerEvent('pointerover', { bubbles: true }))")  # fmt: skip
    assert page.run("return document.querySelector('.line[data-term=l1].lit') !== null")
    assert page.run("return document.querySelector('math mfrac') !== null")


@pytest.mark.parametrize(
    ("fragment", "missing"),
    [("#in=6&k=3&p=1&s=2&d=1", []), ("#op=conv_transpose&in=4&s=2&extra=1", ["before", "after"])],
)
def test_every_term_of_the_formula_shades_what_it_measures(opened, fragment, missing):
    page = opened(fragment)
    unshaded = page.run("""
      const over = (one, name) => one.dispatchEvent(new PointerEvent(name, { bubbles: true }));
      return [...document.querySelectorAll(".formula .term")].filter((one) => {
        over(one, "pointerover");
        const isShaded = document.querySelectorAll(".band").length > 0;
        over(one, "pointerout");
        return !isShaded || document.querySelectorAll(".band").length > 0;
      }).map((one) => one.dataset.term);
    """)
    # A transposed layer crops its padding away: nothing of it is left to be seen.
    assert set(unshaded) == set(missing)


def test_stack_shows_receptive_fields_and_follows_the_pointer(opened):
    page = opened("#view=stack")
    fields = page.run("return [...document.querySelectorAll('.layers tbody tr')]"
                      ".map((row) => row.cells[7].textContent)")  # fmt: skip
    assert fields == ["3", "7", "15"]
    assert "sees 15 of 24 inputs" in page.text("#stack-sentence")
    page.keys(DOWN, LEFT)
    assert "Unit 11 of layer 2 sees 7 of 24 inputs, from 8 to 14" in page.text("#stack-sentence")
    page.go("#view=stack&preset=dilations%202%2C%202%2C%202%20(holes)")
    page.until("return document.getElementById('stack-sentence').textContent.includes('6 holes')")


def test_traced_model_with_a_hostile_name_is_inert(opened):
    layers = (
        PageLayer(
            name=HOSTILE, op="conv2d", input_shape=(1, 3, 40, 40), output_shape=(1, 6, 38, 38),
            kernel_size=(3, 3), stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1),
        ),
    )  # fmt: skip
    page = opened(stack=PageStack(name=HOSTILE, layers=layers), message=HOSTILE)
    assert page.text(".layers tbody th") == HOSTILE
    assert page.text("#message") == HOSTILE
    page.run("return new Promise((done) => setTimeout(done, 100))")
    assert page.run("return window.hacked === undefined && !document.querySelector('img')")


def test_the_hostile_name_would_act_on_a_page_that_parses_it(opened):
    page = opened(html=f"<!doctype html><p>{HOSTILE}</p>")
    page.until("return window.hacked === 1")
    page.complaints()


def test_policy_stops_scripts_handlers_and_html_that_are_not_the_page_s_own(opened):
    page = opened()
    page.run("""
      const script = document.createElement("script");
      try { script.textContent = "window.hacked = 1"; document.body.append(script); } catch {}
      const image = document.createElement("img");
      try { image.setAttribute("onerror", "window.hacked = 1"); } catch {}
      image.src = "data:,x";
      document.body.append(image);
      try { document.body.insertAdjacentHTML("beforeend", "<b>html</b>"); } catch {}
    """)
    page.run("return new Promise((done) => setTimeout(done, 200))")
    assert page.run("return window.hacked === undefined")
    assert page.complaints(), "the browser must say that it refused"


def test_nothing_is_asked_of_the_network(opened):
    page = opened()
    for view in ("layer", "stack", "matrix", "flip", "loss"):
        page.run("document.getElementById(`tab-${arguments[0]}`).click()", view)
    page.until("return new Promise((done) => setTimeout(() => done(true), 300))")
    asked = page.requests()
    assert asked and all(address.startswith(("file://", "data:")) for address in asked)


def test_case_chooses_the_first_difference_and_shows_its_taps(opened):
    case = parse_case("conv2d n1 c2 h5 w5 f2 k3x3 s2 p1 d1 g1 b1")
    inputs = make_inputs(case)
    wanted = expected(case, inputs)
    assert isinstance(wanted, Expected)
    actual = wanted.outputs[0].values.copy()
    actual[0, 1, 2, 1] += 4
    page = opened(
        case=PageCase(
            case=case, input=inputs["x"], weight=inputs["w"], bias=inputs["b"],
            expected=wanted.outputs[0].values, actual=actual,
        )
    )  # fmt: skip
    told = page.text("[role=tabpanel]:not([hidden])")
    assert "1 of 18 elements differ" in told and "Output [0, 1, 2, 1]" in told
    assert "difference 4" in told
    products = page.run(
        "return [...document.querySelectorAll('.layers tbody tr')]"
        ".map((row) => row.cells[5].textContent)"
    )
    total = sum(int(text.replace("\u2212", "-")) for text in products if text) + int(inputs["b"][1])
    assert total == wanted.outputs[0].values[0, 1, 2, 1]
    assert page.run("return document.querySelectorAll('.cell.wrong').length") == 2


def test_flip_shows_equal_sums_and_moves_by_keys(opened):
    page = opened("#view=flip&f=1,2,3&g=4,5&t=0")
    page.keys(RIGHT, RIGHT)
    titles = page.run("return [...document.querySelectorAll('svg.flip .title')]"
                      ".map((one) => one.textContent)")  # fmt: skip
    assert titles == ["(f \u2217 g)(2) = 22", "(g \u2217 f)(2) = 22"]


def test_dragged_target_changes_the_losses(opened):
    from selenium.webdriver import ActionChains

    page = opened("#view=loss&target=0.5,0.5&logits=0,0")
    assert f"{math.log(2):.4f}" in page.text(".sentence")
    chart = page.browser.find_element("css selector", "svg.bars.p")
    actions = ActionChains(page.browser)
    width = chart.size["width"]
    actions.move_to_element_with_offset(chart, -width // 4, 0).click_and_hold()
    actions.move_by_offset(0, -60).release().perform()
    moved = float(page.run("return document.querySelector('.bars.p [role=slider]').ariaValueNow"))
    assert 0.6 < moved < 0.9
    page.run("document.querySelector('.bars.p [role=slider]').focus()")
    ActionChains(page.browser).send_keys(UP).perform()
    again = float(page.run("return document.querySelector('.bars.p [role=slider]').ariaValueNow"))
    assert again == pytest.approx(moved + 0.01, abs=0.0051)


def test_edited_stack_is_carried_by_the_link(opened):
    page = opened("#view=stack")
    page.run("document.querySelector('[aria-label=\"layer 3 3 dilation up\"]').click()")
    page.until("return location.hash.includes('stack=24~c3.1.1.1~c3.1.2.2~c3.1.4.5')")
    fields = page.run(
        "return [...document.querySelectorAll('.layers tbody tr')]"
        ".map((row) => row.cells[7].textContent)"
    )
    assert fields == ["3", "7", "17"]
