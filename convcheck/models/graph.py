"""`LayerGraph`: a model as the calls that it made, whatever it was read from (torch, ONNX)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]

INPUT = -1
PARAMETER = -2
CONSTANT = -3


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A tensor that a call took.

    Attributes:
        shape: Its shape.
        producer: Index of the call that made it, or `INPUT`, `PARAMETER`, `CONSTANT`.
        dtype: Name of its element type, such as "float32".
        output: Which of the producer's outputs it is; which of the inputs, for `INPUT`.
        is_activation: Whether it depends on the model's input.
    """

    shape: Shape
    producer: int
    dtype: str = "float32"
    output: int = 0
    is_activation: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operator call.

    Attributes:
        index: Position in call order.
        op: Functional name (conv2d, max_pool2d, add, ...), also for a module.
        path: Path of the innermost module that made it; "" for the root.
        inputs: The tensors that it took, in order.
        outputs: Shapes of the tensors that it returned; empty where it failed.
        options: The other arguments, by name, where `signatures` knows the operator.
        parameters: Elements of the parameters that it took.
        source: "file:line" of the nearest line that is not the framework's.
        declared: What the module that made it declares of itself, where it is a standard layer.
        module_pads: Whether that module made an explicit pad before.
    """

    index: int
    op: str
    path: str
    inputs: tuple[Value, ...]
    outputs: tuple[Shape, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: int = 0
    source: str = ""
    declared: Mapping[str, Any] = field(default_factory=dict)
    module_pads: bool = False

    @property
    def input_shape(self) -> Shape:
        """Shape of the first tensor that it took."""
        return self.inputs[0].shape if self.inputs else ()

    @property
    def name(self) -> str:
        """How to call it in a sentence: the module's path, or the operator where that is empty."""
        return self.path or self.op


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The exception that ended a run.

    Attributes:
        call: The operator call that raised, without outputs; None where Python code raised.
        path: Path of the innermost module.
        kind: Name of the exception's type.
        message: Its text.
        source: "file:line" of the nearest line that is not the framework's.
        code: The text of that line.
        building: Whether it was raised while the model was built.
        constructor: Name and arguments of the layer whose constructor raised, where one did.
        assigned: The attribute that the raising statement assigns, such as "conv1".
        inputs: The tensors that the innermost module was given.
        kind_of_module: Name of the innermost module's class.
    """

    call: Call | None
    path: str
    kind: str
    message: str
    source: str = ""
    code: str = ""
    building: bool = False
    constructor: tuple[str, Mapping[str, Any]] | None = None
    assigned: str = ""
    inputs: tuple[Value, ...] = ()
    kind_of_module: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFacts:
    """What is known of one registered module.

    Attributes:
        path: Its path.
        kind: Name of its class.
        parameters: Elements of its own parameters.
        called: Whether its forward ran.
        used: Whether any of its own parameters was an argument of a call.
        holds_parameters: Whether it has parameters of its own, lazy ones included.
    """

    path: str
    kind: str
    parameters: int
    called: bool
    used: bool
    holds_parameters: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerGraph:
    """A model read: every call that it made, in order.

    Attributes:
        name: What was read.
        calls: The calls.
        input_shapes: Shapes of the tensors that were given.
        output_shapes: Shapes of the tensors that came out, in reading order.
        outputs: The producers of those tensors.
        parameters: Distinct parameter elements of the model.
        modules: The registered modules that hold no other module.
        unregistered: Places of modules that sit in a plain list, dict or tuple: (path, class).
        failure: What ended the run, or None.
        method: How it was read: "meta", "meta parameters", "cpu", or "onnx".
        notes: What the reader of the report should know about how it was read.
        training: Whether it was run in training mode.
        looks_at_values: Whether what it does depends on the values of tensors.
    """

    name: str
    calls: tuple[Call, ...]
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...] = ()
    outputs: tuple[Value, ...] = ()
    parameters: int = 0
    modules: tuple[ModuleFacts, ...] = ()
    unregistered: tuple[tuple[str, str], ...] = ()
    failure: Failure | None = None
    method: str = "meta"
    notes: tuple[str, ...] = ()
    training: bool = False
    looks_at_values: bool = False
