"""Calls on which a released library returned something else than the operation says.

Each is an observation, not a verdict: the report runs the call again and shows what the installed
version does. A difference of convention is among them where it surprises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from convcheck.conformance.implementations import ndimage_convolve


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFault:
    """One call.

    Attributes:
        name: The library's own name of the function.
        package: The distribution whose version decides.
        function: The function, called as the operation is.
        case: The call's descriptor.
        autograd: Whether the call is of the function's gradient, as torch derives it.
        says: What is wrong with the answer.
    """

    name: str
    package: str
    function: str | Callable[..., Any]
    case: str
    says: str
    autograd: bool = False


def known_faults() -> tuple[KnownFault, ...]:
    """Returns the calls, in the order in which the report shows them."""
    return (
        KnownFault(
            name="torch.nn.functional.conv2d",
            package="torch",
            function="torch.nn.functional:conv2d",
            case=f"conv2d n1 c1 h4 w4 f1 k3x3 s1 p0 d{2**63 - 1} g1",
            says="dilation * (kernel - 1) + 1 overflows 64 bits: the call is accepted, and its "
            "output is larger than its input",
        ),
        KnownFault(
            name="the gradient of torch.nn.functional.conv2d",
            package="torch",
            function="torch.nn.functional:conv2d",
            case="conv2d_backward n1 c2 h1 w1 f2 k3x3 s2 p1 d1 g1 bfloat16 channels_last one_hot",
            says="where the processor has bfloat16 instructions, the weight's gradient for a tap "
            "that meets padding only is memory that nobody wrote",
            autograd=True,
        ),
        KnownFault(
            name="scipy.ndimage.convolve",
            package="scipy",
            function=ndimage_convolve,
            case="convolve h1 w1 k1x1 full int64 large",
            says="sums int64 in float64, which loses integers beyond 2**53",
        ),
        KnownFault(
            name="numpy.convolve",
            package="numpy",
            function=np.convolve,
            case="convolve w1 k2 same",
            says='a convention: mode "same" keeps the size of the longer sequence',
        ),
    )
