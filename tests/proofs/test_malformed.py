"""Malformed certificates: a refusal each, no crash, in bounded time."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from convcheck.proofs import theorems
from convcheck.proofs.certificate import write_certificates
from convcheck.proofs.checking import check
from convcheck.proofs.verdicts import Open, Proved

JUNK = (
    None, True, -1, 10**400, float("nan"), float("inf"), "", "\u221e", "f\u0301(t) = 1", "\x00",
    "(" * 50, "9" * 1999, "x" * 2001, [], {}, [[]], {"": None}, "IH", "S(s,G,f(s))", "1 = 1",
    "inf", "_0", "#1", "lambda: 0", "f(*t)", "f(t=1)", "a if b else c", "f'{t}'", "1e9",
    "0x10 = 16", "True = 1", "1j = 1",
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, (dict, list)):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, part in items:
        found += [(*path, key), *(places(part, (*path, key)))]
    return found


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    value = copy.deepcopy(value)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return value


def test_junk_anywhere_in_a_certificate_is_refused_without_a_crash_in_bounded_time() -> None:
    random, proved = Random(0), []
    kinds = {}
    for theorem in theorems():
        kinds.setdefault(next(iter(theorem.proof)), []).append(theorem.certificate())
    slowest = 0.0
    for certificates in kinds.values():
        for _ in range(150):
            certificate = random.choice(certificates)
            path = random.choice(places(certificate))
            junk = random.choice(JUNK)
            start = time.process_time()
            decision = check(replaced(certificate, path, junk))
            slowest = max(slowest, time.process_time() - start)
            ignored = path[0] in ("name", "witness") or path[-1] in ("says", "reverse")
            if isinstance(decision, Proved) and not ignored:
                proved.append((certificate["name"], path, junk))
    # Free arguments are no junk: an empty list of hypotheses that are not used, weight True.
    assert not [entry for entry in proved if entry[2] not in ([], {}, None)], proved
    assert slowest < 2


def test_names_that_refer_to_themselves_define_nothing() -> None:
    theorem = {
        "vars": {"r": "N->Z", "n": "N"},
        "hyps": ["all(i,N,r(i) = r(i))"],
        "statement": "r(n) = r(n) + 1",
        "proof": {
            "chain": [
                {
                    "rule": "given",
                    "args": {"hypothesis": "all(i,N,r(i) = r(i))", "at": "n"},
                    "line": "= r(n) + 1",
                }
            ]
        },
    }
    assert isinstance(check(theorem), Open)


def test_a_name_given_twice_in_json_counts_once() -> None:
    text = (
        '{"vars": {"f": "Z->K", "f": "R->K"}, "statement": "f(1) = f(2)", "proof": {"chain": []}}'
    )
    assert isinstance(check(json.loads(text)), Open)


def run_verify(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convcheck", "verify", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("text", "says", "code"),
    [
        ("PROVED", "not JSON", 2),
        ("[" * 10_000 + "]" * 10_000, "nests too deep", 2),
        ('{"verdict": "PROVED"}', "no certificate", 2),
        ('{"verdict": "PROVED", "statement": "1 = 2", "vars": {}, "proof": {}}', "REFUSED", 1),
        ('{"statement": "(1 = 1", "vars": {}, "proof": {"chain": []}}', "cannot read", 1),
        ('{"statement": "h(1) = h(1)", "vars": {}, "proof": {"chain": []}}', "unknown", 1),
        (f'{{"statement": "{"1+" * 5000}1 = 1", "vars": {{}}, "proof": {{}}}}', "2000", 1),
    ],
)
def test_verify_refuses_bad_files_in_one_paragraph(
    tmp_path: Path, text: str, says: str, code: int
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    done = run_verify(path)
    told = done.stdout + done.stderr
    assert says in told
    assert "Traceback" not in told
    assert done.returncode == code


def test_verify_loads_the_kernel_and_what_can_only_refuse(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    write_certificates(str(path), [theorem.certificate() for theorem in theorems()])
    script = (
        "import sys\n"
        f"from convcheck.proofs.certificate import verify\nverify({str(path)!r})\n"
        "print(*(m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = {name for name in done.stdout.split() if not name.startswith(("_", "convcheck.core"))}
    reading = {"certificate", "checking", "verdicts"}
    models = {"evaluate", "sampling"}  # that hypotheses can hold: these can only turn PROVED down
    rooms = {"kernel", "normal", "terms"} | reading | models
    assert loaded == {"convcheck", "convcheck.proofs", *(f"convcheck.proofs.{r}" for r in rooms)}
