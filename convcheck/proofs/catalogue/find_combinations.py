"""Finds the combinations of the size theorems and writes them beside this file.

    python -m convcheck.proofs.catalogue.find_combinations

They are stored because finding one takes longer than checking it; the kernel trusts neither.
"""

from __future__ import annotations

import json
import sys

from convcheck.proofs.catalogue import coverage, sizes
from convcheck.proofs.catalogue.sizes import COMBINATIONS
from convcheck.proofs.kernel import read
from convcheck.proofs.search import find_combinations
from convcheck.proofs.terms import parse


def main() -> int:
    """Writes the combinations; returns 1 if a theorem has none."""
    found, missing = {}, []
    for theorem in (*sizes.theorems(), *coverage.theorems()):
        context = read(theorem.certificate())
        cases = find_combinations(parse(theorem.statement), context)
        if cases is None:
            missing.append(theorem.name)
        else:
            found[theorem.name] = cases
    lines = (f"  {json.dumps(name)}: {json.dumps(cases)}" for name, cases in found.items())
    COMBINATIONS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for name in missing:
        print(f"no combination of degree 3 for {name}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
