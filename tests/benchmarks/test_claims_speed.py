"""Time per claim, one of each kind; run with `pytest tests/benchmarks --benchmark-only`."""

import pytest

from convcheck.proofs import Proved, Refuted, claim
from convcheck.proofs.bilinear import verify_bilinear, winograd_matrices

CLAIMS = {
    "sequence, proved": ("conv(f, conv(g, h)) == conv(conv(f, g), h)", Proved),
    "sequence, all factors": ("down(conv(f, up(g, s)), s) == conv(down(f, s), g)", Proved),
    "sequence, refuted": ("corr(f, corr(g, h)) == corr(corr(f, g), h)", Refuted),
    "integer, proved": (
        "count(W,k,s,p,d) == (W+2*p-d*(k-1)-1)//s+1 given W+2*p >= d*(k-1)+1", Proved,
    ),
    "integer, refuted": ("count(W,k,1,k//2,1) == W", Refuted),
    "integer, by Z3": ("m^2 >= m", Proved),
    "integer, residues": ("m*(m+1)*(m+2) % 6 == 0", Proved),
    "distribution, proved": ("KL(p,q) == H(p,q) - H(p)", Proved),
    "distribution, inequality": ("logsumexp(z) >= sum(p*z) + H(p)", Proved),
    "distribution, mixture": ("KL((p+r)/2, (q+r)/2) <= KL(p,q)/2", Proved),
    "distribution, far": ("H(p) <= 3", Refuted),
    "distribution, refuted": ("KL(p,r) <= KL(p,q) + KL(q,r)", Refuted),
}  # fmt: skip


@pytest.mark.parametrize("kind", CLAIMS)
def test_claim_speed(benchmark, kind):
    text, expected = CLAIMS[kind]
    decision = benchmark.pedantic(claim, args=(text,), rounds=3, warmup_rounds=1)
    assert isinstance(decision, expected)


def test_bilinear_speed(benchmark):
    matrices = winograd_matrices(6, 3, (0, 1, -1, 2, -2, "1/2", "-1/2"))
    assert benchmark(verify_bilinear, *matrices).holds
