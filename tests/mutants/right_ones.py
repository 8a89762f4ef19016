"""Right implementations by other ways: none of them may be called wrong."""

from __future__ import annotations

import numpy as np
from right_conv import check, compute, read


def _padded(x, w, b, stride, padding, dilation, groups):
    call = read(x, w, b, stride, padding, dilation, groups)
    check(call)
    padded = np.pad(x, ((0, 0), (0, 0), *call.pads))
    out = tuple(
        (padded.shape[2 + a] - call.dilation[a] * (w.shape[2 + a] - 1) - 1) // call.stride[a] + 1
        for a in range(2)
    )
    return call, padded, out


def _biased(y, b):
    return y if b is None else y + b.reshape(1, -1, 1, 1)


def taps(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    call = read(x, w, b, stride, padding, dilation, groups)
    check(call)
    return compute(call)


def loops(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    call, padded, out = _padded(x, w, b, stride, padding, dilation, groups)
    n, f, each = len(x), len(w), w.shape[1]
    y = np.zeros((n, f, *out), x.dtype)
    for i, o, r, s in np.ndindex(*y.shape):
        group = o // (f // groups)
        total = x.dtype.type(0)
        for c, k, m in np.ndindex(*w.shape[1:]):
            row = r * call.stride[0] + k * call.dilation[0]
            column = s * call.stride[1] + m * call.dilation[1]
            total += padded[i, group * each + c, row, column] * w[o, c, k, m]
        y[i, o, r, s] = total if b is None else total + b[o]
    return y


def im2col(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    call, padded, out = _padded(x, w, b, stride, padding, dilation, groups)
    windows = np.lib.stride_tricks.sliding_window_view(
        padded,
        tuple(d * (k - 1) + 1 for d, k in zip(call.dilation, w.shape[2:], strict=True)),
        axis=(2, 3),
    )[:, :, :: call.stride[0], :: call.stride[1], :: call.dilation[0], :: call.dilation[1]]
    n, f, each = len(x), len(w), w.shape[1]
    result = []
    for g in range(groups):
        part = windows[:, g * each : (g + 1) * each]
        columns = part.transpose(0, 2, 3, 1, 4, 5).reshape(n * out[0] * out[1], w[0].size)
        matrix = w[g * (f // groups) : (g + 1) * (f // groups)].reshape(f // groups, -1)
        product = columns @ matrix.T
        result.append(product.reshape(n, *out, f // groups).transpose(0, 3, 1, 2))
    return _biased(np.concatenate(result, axis=1), b).astype(x.dtype)


def einsum(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    call, padded, out = _padded(x, w, b, stride, padding, dilation, groups)
    spans = tuple(d * (k - 1) + 1 for d, k in zip(call.dilation, w.shape[2:], strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=(2, 3))
    windows = windows[:, :, :: call.stride[0], :: call.stride[1]]
    windows = windows[..., :: call.dilation[0], :: call.dilation[1]]
    n, c = x.shape[:2]
    grouped = windows.reshape(n, groups, c // groups, *windows.shape[2:])
    weight = w.reshape(groups, len(w) // groups, *w.shape[1:])
    y = np.einsum("ngchwij,gfcij->ngfhw", grouped, weight).reshape(n, len(w), *out)
    return _biased(y, b).astype(x.dtype)


def in_float64(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    wide = None if b is None else b.astype("f8")
    with np.errstate(over="ignore"):
        return taps(x.astype("f8"), w.astype("f8"), wide, stride, padding, dilation, groups).astype(
            x.dtype
        )


def by_image(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if not len(x):
        return taps(x, w, b, stride, padding, dilation, groups)
    return np.concatenate(
        [taps(x[i : i + 1], w, b, stride, padding, dilation, groups) for i in range(len(x))]
    )


def by_group(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    check(read(x, w, b, stride, padding, dilation, groups))
    each, f = w.shape[1], len(w) // groups
    parts = [
        taps(
            x[:, g * each : (g + 1) * each], w[g * f : (g + 1) * f], None, stride, padding, dilation
        )
        for g in range(groups)
    ]
    return _biased(np.concatenate(parts, axis=1), b)


def toeplitz(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Gathers each output's inputs by index, row after row: a lowered matrix without zeros."""
    call, padded, out = _padded(x, w, b, stride, padding, dilation, groups)
    rows = np.arange(out[0])[:, None] * call.stride[0] + np.arange(w.shape[2]) * call.dilation[0]
    columns = np.arange(out[1])[:, None] * call.stride[1] + np.arange(w.shape[3]) * call.dilation[1]
    gathered = padded[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    n, c = x.shape[:2]
    gathered = gathered.reshape(n, groups, c // groups, *out, *w.shape[2:])
    weight = w.reshape(groups, len(w) // groups, *w.shape[1:])
    y = (
        np.tensordot(gathered[:, 0], weight[0], axes=([1, 4, 5], [1, 2, 3]))
        if groups == 1
        else None
    )
    if y is None:
        parts = [
            np.tensordot(gathered[:, g], weight[g], axes=([1, 4, 5], [1, 2, 3]))
            for g in range(groups)
        ]
        y = np.concatenate(parts, axis=-1)
    return _biased(np.ascontiguousarray(np.moveaxis(y, -1, 1)), b).astype(x.dtype)


def backwards(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Sums the taps from the last to the first, the bias first of all."""
    call, padded, out = _padded(x, w, b, stride, padding, dilation, groups)
    n, f = len(x), len(w)
    y = np.zeros((n, groups, f // groups, *out), x.dtype)
    if b is not None:
        y += b.reshape(1, groups, f // groups, 1, 1)
    weight = w.reshape(groups, f // groups, *w.shape[1:])
    for i, j in reversed(list(np.ndindex(*w.shape[2:]))):
        part = padded[:, :, i * call.dilation[0] :, j * call.dilation[1] :]
        part = part[:, :, :: call.stride[0], :: call.stride[1]][:, :, : out[0], : out[1]]
        part = part.reshape(n, groups, x.shape[1] // groups, *out)
        for c in reversed(range(part.shape[2])):
            y += part[:, :, None, c] * weight[None, :, :, c, i, j, None, None]
    return y.reshape(n, f, *out)


def fft(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    from scipy import fft as transforms

    call, padded, out = _padded(x, w, b, stride, padding, dilation, groups)
    spans = tuple(d * (k - 1) + 1 for d, k in zip(call.dilation, w.shape[2:], strict=True))
    kernel = np.zeros((*w.shape[:2], *spans), w.dtype)
    kernel[..., :: call.dilation[0], :: call.dilation[1]] = w
    size = tuple(m + k - 1 for m, k in zip(padded.shape[2:], spans, strict=True))
    kind = "f8" if x.dtype == np.float64 else "f4"
    n, c, f = len(x), x.shape[1], len(w)
    fx = transforms.rfftn(padded.astype(kind), size, axes=(2, 3)).reshape(
        n, groups, c // groups, *_half(size)
    )
    fw = transforms.rfftn(kernel[..., ::-1, ::-1].astype(kind), size, axes=(2, 3))
    fw = fw.reshape(groups, f // groups, c // groups, *_half(size))
    full = transforms.irfftn(
        np.einsum("ngchw,gfchw->ngfhw", fx, fw).reshape(n, f, *_half(size)), size, axes=(2, 3)
    )
    valid = full[:, :, spans[0] - 1 : padded.shape[2], spans[1] - 1 : padded.shape[3]]
    return _biased(valid[:, :, :: call.stride[0], :: call.stride[1]], b).astype(x.dtype)


def _half(size):
    return (*size[:-1], size[-1] // 2 + 1)


def scipy_correlate(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    from scipy.signal import correlate

    return _by_plane(correlate, x, w, b, stride, padding, dilation, groups)


def scipy_fft(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    from scipy.signal import fftconvolve

    def correlate(plane, kernel, mode):
        return fftconvolve(plane, kernel[::-1, ::-1], mode=mode)

    return _by_plane(correlate, x, w, b, stride, padding, dilation, groups)


def scipy_2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    from scipy.signal import correlate2d

    return _by_plane(correlate2d, x, w, b, stride, padding, dilation, groups)


def _by_plane(correlate, x, w, b, stride, padding, dilation, groups):
    call, padded, out = _padded(x, w, b, stride, padding, dilation, groups)
    spans = tuple(d * (k - 1) + 1 for d, k in zip(call.dilation, w.shape[2:], strict=True))
    kernel = np.zeros((*w.shape[:2], *spans), w.dtype)
    kernel[..., :: call.dilation[0], :: call.dilation[1]] = w
    y = np.zeros((len(x), len(w), *out), x.dtype)
    for n, f, c in np.ndindex(len(x), len(w), w.shape[1]):
        plane = padded[n, f // (len(w) // groups) * w.shape[1] + c]
        whole = correlate(plane, kernel[f, c], mode="valid")
        y[n, f] += whole[:: call.stride[0], :: call.stride[1]].astype(x.dtype)
    return _biased(y, b).astype(x.dtype)


def winograd(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """F(2x2, 3x3) where it applies, taps elsewhere."""
    call = read(x, w, b, stride, padding, dilation, groups)
    check(call)
    if w.shape[2:] != (3, 3) or call.stride != (1, 1) or call.dilation != (1, 1) or groups != 1:
        return compute(call)
    padded = np.pad(x, ((0, 0), (0, 0), *call.pads))
    out = [padded.shape[2] - 2, padded.shape[3] - 2]
    tiles = [-(-size // 2) for size in out]
    grown = np.zeros((*padded.shape[:2], 2 * tiles[0] + 2, 2 * tiles[1] + 2), x.dtype)
    grown[:, :, : padded.shape[2], : padded.shape[3]] = padded
    of_data = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], x.dtype)
    of_kernel = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], x.dtype)
    of_result = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], x.dtype)
    u = of_kernel @ w @ of_kernel.T
    y = np.zeros((len(x), len(w), 2 * tiles[0], 2 * tiles[1]), x.dtype)
    for i, j in np.ndindex(*tiles):
        tile = grown[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4]
        v = of_data @ tile @ of_data.T
        m = np.einsum("fcij,ncij->nfij", u, v)
        y[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = of_result @ m @ of_result.T
    return _biased(y[:, :, : out[0], : out[1]], b).astype(x.dtype)


def torch_conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    import torch

    return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)


def torch_without_mkldnn(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    import torch

    with torch.backends.mkldnn.flags(enabled=False):
        return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)


def torch_channels_last(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    import torch

    x = x.to(memory_format=torch.channels_last)
    return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)


def torch_unfold(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    import torch

    if (
        isinstance(padding, str)
        or groups < 1
        or x.shape[1] != w.shape[1] * groups
        or len(w) % groups
    ):
        return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)
    if not len(x):
        return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)
    shape = torch.nn.functional.conv2d(
        x[:1].float() * 0, w.float(), None, stride, padding, dilation, groups
    ).shape
    columns = torch.nn.functional.unfold(x, w.shape[2:], dilation, padding, stride)
    n, f = len(x), len(w)
    columns = columns.reshape(n, groups, columns.shape[1] // groups, -1)
    y = torch.einsum("ngkp,gfk->ngfp", columns, w.reshape(groups, f // groups, -1))
    y = y.reshape(n, f, *shape[2:])
    return y if b is None else y + b.reshape(1, -1, 1, 1)


FUNCTIONS = {
    name: (function, None)
    for name, function in {
        "taps": taps,
        "loops": loops,
        "im2col": im2col,
        "einsum": einsum,
        "in_float64": in_float64,
        "by_image": by_image,
        "by_group": by_group,
        "toeplitz": toeplitz,
        "backwards": backwards,
        "fft": fft,
        "scipy_correlate": scipy_correlate,
        "scipy_fft": scipy_fft,
        "scipy_2d": scipy_2d,
        "winograd": winograd,
        "torch_conv": torch_conv,
        "torch_without_mkldnn": torch_without_mkldnn,
        "torch_channels_last": torch_channels_last,
        "torch_unfold": torch_unfold,
    }.items()
}
