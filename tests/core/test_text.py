"""Text from outside cannot drive a terminal, change a table, or end a script."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.text import (
    for_html,
    for_markdown,
    for_markdown_code,
    for_terminal,
    json_for_html,
)

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "a|b",
    "`x`",
    "a\nb",
    "\x1b[31mred",
    "</script><script>alert(1)</script>",
    "\u202egnp.exe",
    "[link](javascript:alert(1))",
    "&lt;",
    "\ud800",
]


@given(st.text() | st.sampled_from(HOSTILE))
def test_terminal_text_is_one_line_without_controls(text):
    safe = for_terminal(text)
    assert len(safe.splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", safe)


@given(st.text(min_size=1))
def test_terminal_text_is_cut_at_its_limit(text):
    assert len(for_terminal(text, limit=10)) <= 10
    assert len(for_terminal("x" * 10, limit=10)) == 10
    assert for_terminal("x" * 11, limit=10) == "x" * 9 + "\u2026"


@given(st.text() | st.sampled_from(HOSTILE))
def test_html_text_has_no_markup_and_reads_back(text):
    from html import unescape

    safe = for_html(text)
    assert not set("<>\"'") & set(safe)
    assert unescape(safe) == for_terminal(text)


@given(st.text() | st.sampled_from(HOSTILE))
def test_markdown_leaves_no_active_character_unescaped(text):
    safe = for_markdown(text)
    plain = re.sub(r"\\(.)", "", safe)
    assert not set("`*|<>[]") & set(plain)
    assert "\n" not in safe


@given(st.text() | st.sampled_from(HOSTILE))
def test_markdown_code_span_closes_only_at_its_end(text):
    span = for_markdown_code(text)
    fence = re.match(r"`+", span)[0]
    inside = span[len(fence) : -len(fence)]
    assert span.endswith(fence)
    assert fence not in re.findall(r"`+", inside)
    assert not re.search(r"(?<!\\)\|", inside)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_json_in_html_cannot_end_its_script_and_reads_back(value):
    text = json_for_html(value)
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


def test_json_in_html_refuses_what_is_no_json():
    with pytest.raises(ValueError, match="Out of range"):
        json_for_html(float("nan"))
