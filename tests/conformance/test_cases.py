"""The cases that are tried: valid where they must be, covering what they say, simplest first."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck.conformance.corners import corners
from convcheck.conformance.covering import coverage, covering_array, reached, rows
from convcheck.conformance.invalid import invalid_cases, must_refuse
from convcheck.conformance.parameters import model
from convcheck.conformance.rows import case_from_row
from convcheck.conformance.search import planned, work
from convcheck.core.case import parse_case
from convcheck.core.ops import OPS
from convcheck.strategies import cases, conv_specs

every_op = pytest.mark.parametrize("op", OPS.values(), ids=OPS.keys())


@every_op
def test_every_row_and_corner_is_a_possible_call(op):
    from_rows = [case_from_row(op, row, seed=3) for row in rows(op, 2)]
    for case in [*corners(op), *from_rows]:
        assert not must_refuse(case), case
        assert parse_case(str(case)) == case


@every_op
def test_every_impossible_call_must_be_refused(op):
    for case in invalid_cases(op):
        assert must_refuse(case), case
        assert parse_case(str(case)) == case


def test_layers_and_pools_have_impossible_calls():
    for name in ("conv1d", "conv2d", "conv3d", "conv_transpose2d", "max_pool2d", "avg_pool1d"):
        assert len(invalid_cases(OPS[name])) >= 8


@every_op
def test_the_shipped_rows_cover_all_pairs(op):
    found = rows(op, 2)
    assert reached(model(op), found, 2) == 1.0
    assert reached(model(op), found[:-1], 2) < 1.0


def test_the_shipped_rows_cover_all_triples_of_a_layer():
    op = OPS["conv2d"]
    found = rows(op, 3)
    assert reached(model(op), found, 3) == 1.0
    assert len(found) < 450


@given(levels=st.lists(st.integers(1, 4), min_size=2, max_size=6), strength=st.integers(1, 3))
@settings(max_examples=30)
def test_a_covering_array_covers(levels, strength):
    array = covering_array(levels, strength)
    chosen = min(strength, len(levels))
    for columns in itertools.combinations(range(len(levels)), chosen):
        wanted = set(itertools.product(*(range(levels[c]) for c in columns)))
        assert {tuple(row[c] for c in columns) for row in array} == wanted
    assert coverage(levels, array, strength) == 1.0


def test_corners_reach_what_the_issue_of_a_wrong_kernel_needs():
    op = OPS["conv2d"]
    found = corners(op)
    text = " ".join(map(str, found))
    for token in ("n0", "n3", "psame", "pvalid", "bfloat16", "channels_last", "nonfinite", "g4"):
        assert f" {token} " in f"{text} ", token
    assert max(c.spec.in_channels for c in found) > 128
    assert max(c.spatial[1] for c in found) > 128


def test_the_search_opens_with_one_call_on_changing_values():
    first = list(itertools.islice(planned(OPS["conv2d"], strength=2, seed=5), 3))
    assert first[0].case == first[2].case == replace(first[1].case, seed=first[0].case.seed)


def test_the_search_is_the_same_each_time_and_differs_by_seed():
    def some(seed):
        run = planned(OPS["conv2d"], strength=2, seed=seed)
        return [item.case for item in itertools.islice(run, 300)]

    assert some(1) == some(1)
    assert some(1) != some(2)


@given(case=cases(op="conv2d"))
def test_the_strategy_yields_possible_calls(case):
    assert not must_refuse(case)
    assert case.dtype != "bfloat16"
    assert 0 < work(case) <= 200_000


@given(spec=conv_specs("conv1d"))
@settings(max_examples=20)
def test_the_strategy_of_specs_yields_specs(spec):
    assert spec.axes == 1 and min(spec.stride) >= 1
