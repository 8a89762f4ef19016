"""The four boundary rules on one axis."""

import pytest

from convcheck.oracle.boundary import index_map, source_index


@pytest.mark.parametrize(
    ("boundary", "sources"),
    [
        ("zeros", (None, None, 0, 1, 2, None, None)),
        ("replicate", (0, 0, 0, 1, 2, 2, 2)),
        ("reflect", (2, 1, 0, 1, 2, 1, 0)),
        ("circular", (1, 2, 0, 1, 2, 0, 1)),
    ],
)
def test_maps_of_three_elements_padded_by_two(boundary, sources):
    assert index_map(3, (2, 2), boundary) == sources


def test_a_single_element_reflects_onto_itself():
    assert [source_index(i, 1, "reflect") for i in range(-3, 4)] == [0] * 7


@pytest.mark.parametrize("boundary", ["reflect", "circular"])
def test_maps_go_on_past_one_period(boundary):
    period = {"reflect": 6, "circular": 4}[boundary]
    for i in range(-20, 20):
        assert source_index(i, 4, boundary) == source_index(i + period, 4, boundary)
