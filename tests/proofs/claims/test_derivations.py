"""Claims about integers leave certificates that the kernel re-checks."""

import json

import pytest
from click.testing import CliRunner

from convcheck.cli.claim import command
from convcheck.proofs import Open, Proved
from convcheck.proofs.certificate import verify, write_certificates
from convcheck.proofs.claims.budget import Undecided
from convcheck.proofs.claims.derivations import derive

DERIVED = [
    "count(W,k,s,p,d) == floor((W+2*p-d*(k-1)-1)/s)+1 given W+2*p >= d*(k-1)+1",
    "count(W,k,s,p,d) == max(0, floor((W+2*p-d*(k-1)-1)/s)+1)",
    "count(W,3,1,1,1) == W",
    "ceil(W/s) == (W+s-1)//s",
    "floor(floor(m/s)/d) == floor(m/(s*d))",
    "W//s == 0 iff W < s",
    "min(m,n) <= (m+n)/2 <= max(m,n)",
    "m - s*(m//s) == m % s",
    "abs(m+n) <= abs(m)+abs(n)",
]
NOT_DERIVED = [
    ("count(W,k,s,p,d) == floor((W+2*p-d*(k-1)-1)/s)+1", "no combination"),
    ("ceil(W/s) == W//s + 1", "no combination"),
    ("W//s == 0 iff W <= s", "no combination"),
    ("m % s <= m", "no combination"),
    ("max(m,n) >= m+n", "no combination"),
    ("(-7)//2 == -3", "no combination"),
    ("min(m,n) < (m+n)/2", "no combination"),
    ("count(W,k,s,p,d) >= 0", "one side of =="),
    ("conv(f,g) == conv(g,f)", "about integers"),
    ("m != 137", "with !="),
]


@pytest.mark.parametrize("text", DERIVED)
def test_a_derivation_is_accepted_by_the_kernel_and_not_if_it_is_changed(text, tmp_path):
    path = tmp_path / "claim.json"
    theorems = derive(text)
    write_certificates(str(path), theorems)
    assert all(isinstance(decision, Proved) for decision in verify(str(path)))
    changed = [json.loads(json.dumps(theorem)) for theorem in theorems]
    changed[0]["statement"] += " + 1"
    write_certificates(str(path), changed[:1])
    (decision,) = verify(str(path))
    # a bound may stay true, but then by another combination
    assert isinstance(decision, Open)


@pytest.mark.parametrize(("text", "why"), NOT_DERIVED)
def test_what_has_no_derivation_says_why(text, why):
    with pytest.raises(Undecided, match=why):
        derive(text)


def test_the_command_writes_a_certificate(tmp_path):
    path = tmp_path / "mine.json"
    texts = ["ceil(W/s) == (W+s-1)//s", "conv(f,g) == conv(g,f)"]
    result = CliRunner().invoke(
        command, [*texts, "--certificate", str(path)], standalone_mode=False
    )
    assert result.return_value == 0, result
    assert "only claims about integers are derived" in result.output + result.stderr
    assert [type(decision) for decision in verify(str(path))] == [Proved]
