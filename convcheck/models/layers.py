"""`LayerCall`: one layer call as the report shows it, validated against its formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convcheck.core.errors import ConvcheckError, GeometryError
from convcheck.core.explanation import WorkedSize
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.models.graph import Call, LayerGraph, Shape
from convcheck.models.receptive import LayerField, receptive_fields
from convcheck.models.shape_rules import has_rule, predict
from convcheck.models.windows import is_geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCall:
    """One call of a layer: what went in, what came out, and what the formula says.

    Attributes:
        path: Path of the innermost module; "" for the root.
        op: Functional name (conv2d, max_pool2d, linear, ...), also for a module.
        input_shape: Shape of its (first) input.
        output_shape: Shape of its (first) output.
        expected_shape: What the closed formula predicts; None where there is none for it.
        parameters: Elements of the parameters that it took.
        verdict: PASS where produced and predicted agree, FAIL where not, SKIP without a formula.
        reason: Why it was skipped or failed.
        formula: The formula with its numbers put in.
        worked: The steps of each axis, where the formula is that of a window.
        macs: Multiply-accumulates.
        unread: Elements at the end of each axis that no window reads.
        source: "file:line" of the call.
        index: Position among all calls of the graph.
        options: The arguments of the call.
        receptive_field: What one output reads of the model's input; None where it is not followed.
    """

    path: str
    op: str
    input_shape: Shape
    output_shape: Shape
    expected_shape: Shape | None
    parameters: int
    verdict: Verdict = Verdict.PASS
    reason: str = ""
    formula: str = ""
    worked: tuple[WorkedSize, ...] = ()
    macs: int = 0
    unread: tuple[int, ...] = ()
    source: str = ""
    index: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    receptive_field: LayerField | None = None

    @property
    def name(self) -> str:
        """How to call it in a sentence: the module's path, or the operator where that is empty."""
        return self.path or self.op


def layer_calls(graph: LayerGraph) -> tuple[LayerCall, ...]:
    """Returns the layer calls of a graph, in call order, each validated.

    A layer call is one whose size has a closed formula, or that took parameters; sums,
    activations and the arithmetic on weights alone are left out.
    """
    fields = receptive_fields(graph)
    return tuple(_validated(call, fields.get(call.index)) for call in graph.calls if is_layer(call))


def is_layer(call: Call) -> bool:
    """Whether a call belongs into the table of layers."""
    if not call.inputs:
        return False
    if not any(value.is_activation for value in call.inputs):
        # A layer on noise or on a constant is a layer; arithmetic on weights is none.
        return is_geometry(call.op) or call.op in ("linear", "interpolate")
    return has_rule(call.op) or (call.parameters > 0 and call.op not in _ARITHMETIC)


_ARITHMETIC = frozenset(("add", "sub", "mul", "div", "expand", "getitem", "to", "cat", "where"))


def _validated(call: Call, receptive_field: LayerField | None) -> LayerCall:
    expected, reason, formula = None, "", ""
    prediction = None
    verdict = Verdict.PASS
    produced = call.outputs[0]
    try:
        prediction = predict(call)
    except GeometryError as error:
        verdict, reason = Verdict.FAIL, f"the formula refuses the call: {error.what}: {error.why}"
    except ConvcheckError as error:
        verdict, reason = Verdict.FAIL, str(error)
    if prediction is not None:
        expected, formula = prediction.shape, prediction.formula
        if expected != produced:
            verdict = Verdict.FAIL
            reason = f"the formula gives {_text(expected)}, the call returned {_text(produced)}"
    elif verdict is Verdict.PASS:
        verdict, reason = Verdict.SKIP, f"no closed formula for {call.op}"
    return LayerCall(
        path=call.path,
        op=call.op,
        input_shape=call.input_shape,
        output_shape=produced,
        expected_shape=expected,
        parameters=call.parameters,
        verdict=verdict,
        reason=reason,
        formula=formula,
        worked=prediction.worked if prediction else (),
        macs=prediction.macs if prediction else 0,
        unread=prediction.unread if prediction else (),
        source=call.source,
        index=call.index,
        options=call.options,
        receptive_field=receptive_field,
    )


def mismatches(layers: tuple[LayerCall, ...]) -> list[Finding]:
    """Returns one finding per layer call whose shape is not that of its formula."""
    return [
        Finding(
            verdict=Verdict.FAIL,
            code="CC301",
            where=layer.name,
            what=f"{layer.op} disagrees with its formula",
            why=layer.reason,
            fix="check the operator's implementation, or report the formula's error",
            details={"source": layer.source},
        )
        for layer in layers
        if layer.verdict is Verdict.FAIL
    ]


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "scalar"
