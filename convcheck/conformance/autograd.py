"""The backward functions, first and second, that torch's autograd makes of a forward one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def backward_of(forward: Callable[..., Any], *, transposed: bool = False) -> Callable[..., Any]:
    """Returns `fn(grad_output, x, w, ...) -> (grad_x, grad_w, grad_b)` for a forward function.

    The forward function is called with leaves that require gradients, and with a bias of zeros,
    so that the gradient of a bias can be taken; what is returned is the gradient of
    `(forward(...) * grad_output).sum()`.

    Args:
        forward: A function of torch tensors with the signature of its forward op.
        transposed: Whether it is a transposed convolution, whose channels lie the other way.

    References:
        `torch.autograd.grad`.
    """

    def backward(grad_output: Any, x: Any, w: Any, **parameters: Any) -> tuple[Any, ...]:
        import torch

        channels = w.shape[1] * parameters["groups"] if transposed else w.shape[0]
        with torch.enable_grad():
            # Detached views are leaves that keep the memory and the layout that were given.
            leaves = [tensor.detach().requires_grad_() for tensor in (x, w)]
            leaves.append(torch.zeros(channels, dtype=w.dtype, device=w.device, requires_grad=True))
            output = forward(*leaves, **parameters)
            return torch.autograd.grad(output, leaves, grad_output, allow_unused=True)

    return backward


def double_backward_of(
    forward: Callable[..., Any], *, transposed: bool = False
) -> Callable[..., Any]:
    """Returns the second derivative of a forward function, as the op "double_backward" has it.

    It is the gradient of `<grad_grad_x, grad_x> + <grad_grad_w, grad_w> + <grad_grad_b, grad_b>`,
    the three gradients being those of `backward_of`, as the graph of the first backward gives it.

    Args:
        forward: A function of torch tensors with the signature of its forward op.
        transposed: Whether it is a transposed convolution, whose channels lie the other way.

    References:
        `torch.autograd.grad` with `create_graph=True`.
    """

    def double_backward(
        grad_grad_x: Any, grad_grad_w: Any, grad_grad_b: Any, grad_output: Any, x: Any, w: Any,
        **parameters: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        import torch

        channels = w.shape[1] * parameters["groups"] if transposed else w.shape[0]
        with torch.enable_grad():
            x, w, grad_output = (t.detach().requires_grad_() for t in (x, w, grad_output))
            bias = torch.zeros(channels, dtype=w.dtype, device=w.device, requires_grad=True)
            output = forward(x, w, bias, **parameters)
            first = torch.autograd.grad(output, (x, w, bias), grad_output, create_graph=True)
            given = (grad_grad_x, grad_grad_w, grad_grad_b)
            # What the graph does not reach has a derivative of zero.
            return torch.autograd.grad(
                first, (grad_output, x, w), given, allow_unused=True, materialize_grads=True
            )

    return double_backward
