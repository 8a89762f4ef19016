"""Holes of dilated stacks: the two proved steps make an "if and only if", stack by stack."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from pathlib import Path

from convcheck.proofs.bilinear import verify_bilinear
from convcheck.proofs.catalogue import find_theorem
from convcheck.proofs.catalogue.algorithms import THEOREMS
from convcheck.proofs.certificate import verify, write_certificates
from convcheck.proofs.kernel import read
from convcheck.proofs.sampling import find_model


def read_offsets(kernels: tuple[int, ...], dilations: tuple[int, ...]) -> set[int]:
    """Returns the inputs that one output reads, by the definition."""
    taps = (range(0, kernel * d, d) for kernel, d in zip(kernels, dilations, strict=True))
    return {sum(chosen) for chosen in product(*taps)}


def test_a_stack_has_no_hole_iff_each_sorted_dilation_is_at_most_the_field_before() -> None:
    stacks = holed = 0
    for depth in (1, 2, 3):
        for dilations in combinations_with_replacement(range(1, 11), depth):
            for kernels in product((2, 3, 4), repeat=depth):
                field, fits = 1, True
                for kernel, dilation in zip(kernels, dilations, strict=True):
                    fits &= dilation <= field
                    field += (kernel - 1) * dilation
                whole = len(read_offsets(kernels, dilations)) == field
                assert whole == fits, (kernels, dilations)
                stacks, holed = stacks + 1, holed + (not whole)
    assert (stacks, holed) == (6465, 5961)


def test_the_order_of_layers_plays_no_part() -> None:
    assert read_offsets((3, 2, 4), (1, 5, 2)) == read_offsets((4, 3, 2), (2, 1, 5))


def test_the_witnesses_of_winograd_are_the_matrices_of_algorithms_that_compute_the_filter() -> None:
    for witness in THEOREMS[0].witnesses:
        matrix = [list(column) for column in zip(*witness["b"], strict=True)]
        assert verify_bilinear(witness["a"], matrix, witness["g"])


def test_a_witness_in_a_certificate_is_checked_not_believed(tmp_path: Path) -> None:
    theorem = find_theorem("winograd_for_all_distinct_points")
    path = str(tmp_path / "one.json")
    context = read(theorem.certificate())
    hypotheses = list(context.hypotheses.values())
    right = theorem.witnesses[0]
    wrong = {**right, "b": [[str(2 * int(x)) for x in row] for row in right["b"]]}
    assert find_model(context.env, hypotheses, tries=1, witness=right)
    assert not find_model(context.env, hypotheses, tries=1, witness=wrong)
    for witness in ({}, None, 7, {"P": "x"}, {**right, "b": [[1]]}, {"a": {}}, wrong):
        write_certificates(path, [{**theorem.certificate(), "witness": witness}])
        assert len(verify(path)) == 1  # no crash; a model may be found without it
