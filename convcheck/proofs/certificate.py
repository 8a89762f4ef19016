"""Certificate files: theorems as JSON, read with the standard library alone.

    {"format": "convcheck certificate 1", "theorems": [{"name": ..., "vars": ..., ...}]}

Nothing in a file is believed but what the kernel can recompute from it; a stored verdict is
ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from convcheck.core.errors import InputError
from convcheck.core.text import for_terminal
from convcheck.proofs.checking import check
from convcheck.proofs.kernel import read
from convcheck.proofs.sampling import find_model
from convcheck.proofs.verdicts import Open, Proved

FORMAT = "convcheck certificate 1"
MAX_BYTES = 20_000_000


def write_certificates(path: str, certificates: Iterable[dict[str, Any]]) -> None:
    """Writes theorems to a file, or to stdout for `-`.

    Raises:
        InputError: The file cannot be written.
    """
    lines = [json.dumps(certificate, ensure_ascii=True) for certificate in certificates]
    text = f'{{"format": "{FORMAT}", "theorems": [\n' + ",\n".join(lines) + "\n]}\n"
    if path == "-":
        print(text, end="")
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}", why=error.strerror or str(error)) from None


def read_certificates(path: str) -> list[Any]:
    """Returns the theorems in a file: one certificate file, or one theorem by itself.

    Raises:
        InputError: It cannot be read, is not JSON, nests too deep, or holds no theorem.
    """
    where = for_terminal(path)
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise InputError("the certificate is too large", why=f"over {MAX_BYTES} bytes")
        whole = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            "cannot read the certificate", why=error.strerror or str(error), where=where
        ) from None
    except RecursionError:
        raise InputError("the certificate nests too deep", where=where) from None
    except ValueError as error:
        raise InputError(
            "the certificate is not JSON",
            why=for_terminal(str(error), 200),
            where=where,
            fix="convcheck prove --certificate FILE writes one",
        ) from None
    if isinstance(whole, dict) and "theorems" not in whole and "statement" in whole:
        return [whole]
    theorems = whole.get("theorems") if isinstance(whole, dict) else None
    if not isinstance(theorems, list) or not theorems or whole.get("format") != FORMAT:
        raise InputError(
            "this is no certificate",
            why=f'it needs "format": "{FORMAT}" and a list "theorems" that is not empty',
            where=where,
        )
    return theorems


def verify(path: str) -> list[Proved | Open]:
    """Returns the kernel's conclusion on every theorem of a certificate file.

    A theorem whose hypotheses no small model satisfies is `Open`: from a contradiction anything
    follows.

    Raises:
        InputError: As `read_certificates`.
    """
    return [_verify(theorem) for theorem in read_certificates(path)]


def _verify(theorem: Any) -> Proved | Open:
    decision = check(theorem)
    if isinstance(decision, Open) or not decision.hypotheses:
        return decision
    context = read(theorem)
    hypotheses, witness = list(context.hypotheses.values()), theorem.get("witness")
    with suppress(ArithmeticError, LookupError, TypeError, ValueError):  # of a malformed witness
        if witness and find_model(context.env, hypotheses, tries=1, witness=witness):
            return decision
    if find_model(context.env, hypotheses) is not None:
        return decision
    return Open(
        name=decision.name,
        statement=decision.statement,
        reason="the derivation follows, but no small model satisfies its hypotheses: "
        "from a contradiction anything follows",
    )
