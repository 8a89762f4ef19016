"""The worked formula and the size agree; its lines are true equations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.errors import GeometryError
from convcheck.core.explanation import explain_axis
from convcheck.core.sizes import conv_axis, conv_transpose_axis, pool_axis

SMALL = st.integers(-1, 9)


@given(
    op=st.sampled_from(["conv", "conv_transpose", "max_pool", "avg_pool"]),
    size=st.integers(-1, 40), kernel=SMALL, stride=SMALL,
    padding=st.tuples(SMALL, SMALL), dilation=SMALL,
    output_padding=st.integers(-1, 4), ceil_mode=st.booleans(),
)  # fmt: skip
def test_worked_size_agrees_with_the_size(
    op, size, kernel, stride, padding, dilation, output_padding, ceil_mode
):
    if op.endswith("pool") and op[0] == "a":
        dilation = 1
    worked = explain_axis(
        op, size, kernel, stride=stride, padding=padding, dilation=dilation,
        output_padding=output_padding, ceil_mode=ceil_mode,
    )  # fmt: skip
    try:
        if op == "conv":
            wanted = conv_axis(size, kernel, stride, padding, dilation)
        elif op == "conv_transpose":
            wanted = conv_transpose_axis(size, kernel, stride, padding, output_padding, dilation)
        else:
            wanted = pool_axis(size, kernel, stride, padding, dilation, ceil_mode=ceil_mode)
    except GeometryError as error:
        assert worked.size is None
        assert str(worked.refusal) == str(error)
        return
    assert worked.refusal is None
    assert worked.size == wanted == worked.steps[-1].value
    if op != "conv_transpose":
        values = {step.name: step.value for step in worked.steps}
        assert values["l3"] == values["l1"] - values["l2"]
        assert worked.unread == max(0, values["l3"] - (wanted - 1) * stride)


@given(
    size=st.integers(1, 60), kernel=st.integers(1, 9), stride=st.integers(1, 9),
    padding=st.tuples(st.integers(0, 9), st.integers(0, 9)), dilation=st.integers(1, 4),
)  # fmt: skip
def test_numbers_of_each_step_evaluate_to_its_value(size, kernel, stride, padding, dilation):
    worked = explain_axis("conv", size, kernel, stride=stride, padding=padding, dilation=dilation)
    for step in worked.steps:
        numbers = step.numbers
        if numbers.startswith("floor("):
            above, below = numbers[6:-1].split(" / ")
            assert int(above) // int(below) == step.value
        else:
            plain = all(char in "0123456789+-*() " for char in numbers)
            assert plain and eval(numbers) == step.value
        assert str(step) == f"{step.name} = {step.formula} = {numbers} = {step.value}"


def test_a_dropped_last_window_is_said():
    # Of 5 elements with windows of 1 every 3, ceil would start a third window at 6, outside.
    worked = explain_axis("max_pool", 4, 2, stride=3, padding=(1, 1), ceil_mode=True)
    assert worked.size == pool_axis(4, 2, 3, (1, 1), 1, ceil_mode=True)
    dropped = explain_axis("max_pool", 2, 2, stride=3, padding=(1, 1), ceil_mode=True)
    assert dropped.size == 1
    assert "dropped" in dropped.steps[-1].says
    assert "at 3 would start" in dropped.steps[-1].numbers


@pytest.mark.parametrize("op", ["conv", "max_pool"])
def test_a_refusal_keeps_the_steps_that_could_be_worked_out(op):
    worked = explain_axis(op, 3, 5)
    assert [step.value for step in worked.steps] == [3, 5, -2]
    assert worked.size is None and "does not fit" in str(worked.refusal)
