"""The backward function that torch's autograd makes of a forward one."""

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
