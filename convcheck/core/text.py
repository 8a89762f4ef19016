"""Escaping of text that comes from outside: names, paths, exception messages.

Each reader (terminal, Markdown, HTML, JSON inside HTML) escapes here, once, and nowhere else.
"""

from __future__ import annotations

import json
import re
import unicodedata
from html import escape
from typing import Any

# Controls, formats (which can reverse a line), surrogates, the unassigned; line and paragraph ends.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~$&])")


def for_terminal(text: str, limit: int = 2000) -> str:
    """Returns `text` on one line, control characters as escapes, at most `limit` characters."""
    safe = "".join(
        ascii(char)[1:-1] if unicodedata.category(char) in _ESCAPED else char
        for char in text[: limit + 1]
    )
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def for_markdown(text: str, limit: int = 2000) -> str:
    """Returns `text` so that Markdown prints it as it is, also inside a table cell."""
    return _MARKDOWN.sub(r"\\\1", for_terminal(text, limit))


def for_markdown_code(text: str, limit: int = 2000) -> str:
    """Returns `text` as a Markdown code span that stays one, also inside a table cell."""
    safe = for_terminal(text, limit).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", safe)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or not safe else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def for_html(text: str, limit: int = 2000) -> str:
    """Returns `text` for an HTML text node or a quoted attribute."""
    return escape(for_terminal(text, limit), quote=True)


def json_for_html(value: Any) -> str:
    """Returns `value` as JSON that cannot end the `<script>` element in which it stands."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
