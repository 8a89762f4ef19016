"""Identities that one believes, decided. Run: python examples/prove_an_identity.py"""

import convcheck

BELIEFS = (
    "conv(f, g) == conv(g, f)",
    "corr(f, g) == corr(g, f)",
    "dot(conv(f, w), g) == dot(f, corr(w, g))",
    "count(W,k,s,p,d) == floor((W+2*p-d*(k-1)-1)/s)+1",
    "count(W,k,s,p,d) == floor((W+2*p-d*(k-1)-1)/s)+1 given W+2*p >= d*(k-1)+1",
    "KL(p, q) == H(p, q) - H(p)",
    "KL(p, q) == KL(q, p)",
    "softmax(z + 1) == softmax(z)",
)


def main() -> int:
    print("A theorem of the catalogue:", convcheck.prove("convolution_commutes"), "\n")
    for text in BELIEFS:
        print(text, convcheck.claim(text), sep="\n    ", end="\n\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
