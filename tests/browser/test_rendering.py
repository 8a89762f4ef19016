"""How the page renders: widths, colours, motion, paper, export, and how fast."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

pytestmark = pytest.mark.browser

FRAME_MS = 16
FIRST_DRAWING_MS = 500


def test_reduced_motion_flips_without_moving(opened):
    page = opened()
    page.prefer(prefers_reduced_motion="reduce")
    page.open("#view=flip&t=0")
    before = page.run("return document.querySelector('svg.flip').innerHTML")
    page.run("[...document.querySelectorAll('button')].find((one) =>"
             " one.textContent === 'flip again').click()")  # fmt: skip
    assert page.run("return document.querySelector('svg.flip').innerHTML") == before
    page.prefer(prefers_reduced_motion="no-preference")
    page.run("[...document.querySelectorAll('button')].find((one) =>"
             " one.textContent === 'flip again').click()")  # fmt: skip
    page.until("return document.querySelector('svg.flip').innerHTML !== arguments[0]", before)
    page.until("return document.querySelector('svg.flip').innerHTML === arguments[0]", before)


def test_dark_mode_changes_the_colours(opened):
    page = opened()
    colour = "return getComputedStyle(document.body).backgroundColor"
    page.prefer(prefers_color_scheme="light")
    light = page.run(colour)
    page.prefer(prefers_color_scheme="dark")
    assert page.run(colour) != light


@pytest.mark.parametrize("width", [360, 1024, 1920])
def test_no_width_needs_sideways_scrolling(opened, width):
    page = opened()
    page.resize(width)
    page.open()
    views = ("layer", "stack", "matrix", "flip", "loss")
    overflow = page.visit(
        [f"#view={view}&in=9&k=3&p=1" for view in views],
        "document.documentElement.scrollWidth - innerWidth",
    )
    assert all(extra <= 0 for extra in overflow), dict(zip(views, overflow, strict=True))


def test_export_is_a_drawing_that_stands_alone(opened, tmp_path):
    page = opened("#in=4&k=3")
    page.browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    page.run("[...document.querySelectorAll('button')].find((one) =>"
             " one.textContent === 'save SVG').click()")  # fmt: skip
    for _ in range(200):
        page.run("return new Promise((done) => setTimeout(done, 20))")
        if (tmp_path / "convolution.svg").exists():
            break
    root = ElementTree.fromstring((tmp_path / "convolution.svg").read_text())
    cells = list(root.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(cells) > 4 * 4 + 3 * 3 + 2 * 2
    assert all(one.get("class") is None and one.get("fill") for one in cells[1:])


def test_print_leaves_the_drawing_and_drops_the_controls(opened):
    page = opened()
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = page.run("return ['.settings', '.toolbar', 'svg.input', '.formula'].map((one) =>"
                     " document.querySelector(one).checkVisibility())")  # fmt: skip
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == [False, False, True, True]


def test_a_frame_of_the_window_takes_less_than_16_ms_on_64_by_64(opened):
    """Script, style and layout of one move, by the browser's clock.

    The least of six medians of 20 moves each, so that another program's load is not taken for
    the page's.
    """
    page = opened("#in=64&k=3&p=1")
    medians = []
    for _ in range(6):
        times = page.run("""
          const times = [];
          document.querySelector("svg.output").focus();
          for (let move = 0; move < 20; move++) {
            const began = performance.now();
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
              { key: move % 5 ? "ArrowRight" : "ArrowDown", bubbles: true }));
            document.body.getBoundingClientRect();
            document.querySelector("svg.input .mark").getBoundingClientRect();
            times.push(performance.now() - began);
          }
          return times;
        """)
        medians.append(sorted(times)[len(times) // 2])
    assert min(medians) < FRAME_MS
    assert page.text(".sentence").startswith("Output (24, 63)")


def test_first_drawing_takes_less_than_half_a_second(opened):
    """The best of three, so that another program's load is not taken for the page's."""
    page = opened()
    times = []
    for _ in range(3):
        page.open()
        times.append(page.run("return performance.getEntriesByName('first-drawing')[0].startTime"))
    assert min(times) < FIRST_DRAWING_MS


def test_narrow_screen_folds_the_settings_above_the_drawing(opened):
    page = opened()
    page.resize(360)
    page.open()
    folded = "return document.querySelector('.settings').open"
    assert page.run(folded) is False
    page.run("document.querySelector('.settings summary').click()")
    assert page.run(folded) is True
    above = page.run(
        "return document.querySelector('.settings').getBoundingClientRect().top <"
        " document.querySelector('.stage').getBoundingClientRect().top"
    )
    assert above
