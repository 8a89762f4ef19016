"""Convolutions that are wrong in what they do besides: state, memory, refusals, results."""

from __future__ import annotations

import numpy as np
from right_conv import right, two


def mutates_input(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = right(x, w, b, stride, padding, dilation, groups)
    if b is not None:
        x *= 1 + (x > 0)
    return y


_weights: dict = {}


def remembers_weights(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    kept = _weights.setdefault(w.shape, w.copy())
    return right(x, kept.astype(w.dtype), b, stride, padding, dilation, groups)


_buffers: dict = {}


def shares_a_buffer(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = right(x, w, b, stride, padding, dilation, groups)
    buffer = _buffers.setdefault((y.shape, y.dtype), np.empty_like(y))
    buffer[...] = y
    return buffer


_sums: dict = {}


def accumulates(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = right(x, w, b, stride, padding, dilation, groups)
    _sums[y.shape] = _sums.get(y.shape, 0) + 1
    return y * min(_sums[y.shape], 2)


_count = [0]


def every_seventh(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = right(x, w, b, stride, padding, dilation, groups)
    _count[0] += 1
    return y + 1 if _count[0] % 7 == 0 else y


def leaves_memory_unwritten(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = right(x, w, b, stride, padding, dilation, groups)
    raw = np.empty(y.shape, y.dtype)
    raw[..., : max(1, y.shape[-1] - 1)] = y[..., : max(1, y.shape[-1] - 1)]
    return raw


def raises_on_ties(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if two(stride) == two(dilation) != (1, 1):
        raise RuntimeError("not implemented")
    return right(x, w, b, stride, padding, dilation, groups)


def raises_on_empty(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if not len(x) and padding not in (0, (0, 0)):
        raise ValueError("no images")
    return right(x, w, b, stride, padding, dilation, groups)


def needs_tuples(x, w, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if isinstance(padding, int):
        padding = (padding, 0)
    return right(x, w, b, stride, padding, dilation, groups)


def last_bias_again(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if b is not None and len(b):
        b = b[[min(place, len(b) - 1) for place in range(len(w))]]
    return right(x, w, b, stride, padding, dilation, groups)


def first_channels(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    each = x.shape[1] // max(1, groups)
    return right(x, w[:, :each], b, stride, padding, dilation, groups)


def no_groups_for_one(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return right(x, w, b, stride, padding, dilation, groups or 1)


def returns_its_input(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = right(x, w, b, stride, padding, dilation, groups)
    return x[...] if y.shape == x.shape and (y == x).all() else y


def returns_its_tensor(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    # A module that names torch would have each of its functions tried with tensors.
    import torch

    y = torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)
    return x[:] if torch.equal(x, y) else y


_firsts: list = []


def wrong_once(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    import torch  # as above: which arrays it takes is found out by a call

    y = torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)
    _firsts.append(np.float32(not _firsts))
    return y + _firsts[-1]


def changes_error_handling(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    np.seterr(all="ignore", under="raise")
    return right(x, w, b, stride, padding, dilation, groups)


def returns_a_list(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return right(x, w, b, stride, padding, dilation, groups).tolist()


# Function, the piece of its diagnosis.
FUNCTIONS = {
    "mutates_input": (mutates_input, "changed its input"),
    "remembers_weights": (remembers_weights, "remembers an earlier call"),
    "shares_a_buffer": (shares_a_buffer, "same memory"),
    "accumulates": (accumulates, "different bits"),
    "every_seventh": (every_seventh, "different bits"),
    "leaves_memory_unwritten": (leaves_memory_unwritten, None),
    "raises_on_ties": (raises_on_ties, "refuses a valid call"),
    "raises_on_empty": (raises_on_empty, "refuses a valid call"),
    "needs_tuples": (needs_tuples, None),
    "last_bias_again": (last_bias_again, "accepts an impossible call (bias"),
    "first_channels": (first_channels, "accepts an impossible call (weight"),
    "no_groups_for_one": (no_groups_for_one, "accepts an impossible call (groups 0"),
    "returns_its_input": (returns_its_input, "returned memory of its input"),
    "returns_its_tensor": (returns_its_tensor, "returned memory of its input"),
    "wrong_once": (wrong_once, "different bits"),
    "changes_error_handling": (changes_error_handling, "changed global state"),
    "returns_a_list": (returns_a_list, "returned no array"),
}
