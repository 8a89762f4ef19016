"""The interactive page: assets and data inlined into one HTML file that needs no network.

The modules in `assets/` are plain JavaScript; here they are joined in the order in which they
import one another, each as a function that is called once and returns what it exports. The
content-security policy allows this one script and this one style sheet, by their hashes, and
nothing else: no request, no evaluation of text, no HTML built from strings.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from convcheck.core.text import for_html, json_for_html
from convcheck.visualizer.page_data import PageCase, PageStack, case_json, stack_json

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([a-z_]+)\.mjs";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_HOLE = re.compile(r"\{(policy|style|data|script|version)\}")


def build_page(
    *, stack: PageStack | None = None, case: PageCase | None = None, message: str = ""
) -> str:
    """Returns the page as one HTML document.

    Args:
        stack: A traced model, shown by the view of stacks, which then opens first.
        case: A case, shown by the view of failing cases, which then opens first.
        message: What the reader must be told, such as why a model could not be traced.
    """
    from convcheck import __version__

    data = {
        "stack": stack_json(stack) if stack else None,
        "case": case_json(case) if case else None,
        "message": message[:2000],
    }
    script, style = page_script(), _asset("page.css")
    holes = {
        "policy": for_html(_policy(script, style)),
        "style": style,
        "data": json_for_html(data),
        "script": script,
        "version": for_html(__version__),
    }
    return _HOLE.sub(lambda hole: holes[hole[1]], _asset("page.html"))


@cache
def page_script() -> str:
    """Returns all modules as one script, each after those that it imports."""
    joined: dict[str, str] = {}
    _join("main", joined, ())
    return "".join(joined.values())


def _join(name: str, joined: dict[str, str], waiting: tuple[str, ...]) -> None:
    if name in joined:
        return
    assert name not in waiting, f"modules import each other: {waiting}"
    source = _asset(f"{name}.mjs")
    for _, needed in _IMPORT.findall(source):
        _join(needed, joined, (*waiting, name))
    exported = ", ".join(exported for _, exported in _EXPORT.findall(source))
    body = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = module_\2;", source))
    assert "</script" not in body.lower(), f"{name}.mjs would end the script element"
    joined[name] = f"const module_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


@cache
def _asset(name: str) -> str:
    return files("convcheck.visualizer").joinpath("assets", name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
