"""A convolution that is subtly wrong, and what convcheck says about it.

`my_conv2d` pads correctly, strides correctly, groups correctly, and passes `allclose` against torch
on the shape that its author tried. It is wrong all the same.

Run: python examples/check_my_convolution.py
"""

import numpy as np
import torch

import convcheck


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def my_conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    (n, channels, height, width), (f, c, kh, kw) = x.shape, w.shape
    free_h = height + 2 * ph - dh * (kh - 1) - 1
    free_w = width + 2 * pw - dw * (kw - 1) - 1
    possible = min(free_h, free_w, ph, pw) >= 0 and min(sh, sw, dh, dw, groups) >= 1
    if not possible or channels != c * groups or f % groups:
        raise ValueError("no such convolution")
    out_h, out_w = free_h // sh + 1, free_w // sw + 1
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    y = np.zeros((n, f, out_h, out_w), dtype=x.dtype)
    for g in range(groups):
        filters = slice(g, None, groups)  # the author meant f // groups filters in a row
        for i, j in np.ndindex(kh, kw):
            rows = slice(i * dh, i * dh + sh * out_h, sh)
            columns = slice(j * dw, j * dw + sw * out_w, sw)
            taps = x[:, g * c : (g + 1) * c, rows, columns]
            y[:, filters] += np.einsum("nchw,fc->nfhw", taps, w[filters, :, i, j])
    return y if b is None else y + b[:, None, None]


def main() -> int:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 8, 8)), rng.normal(size=(4, 3, 3, 3))
    mine = my_conv2d(x, w, padding=1)
    theirs = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), padding=1).numpy()
    print("allclose on one shape says:", np.allclose(mine, theirs))

    report = convcheck.check_implementation(my_conv2d, op="conv2d", seconds=5, isolated=False)
    print("convcheck says:", report.verdict, "after", report.cases, "cases\n")
    for finding in report.findings:
        print(finding.what, finding.picture, finding.diagnosis, sep="\n\n", end="\n\n")
        print("To reproduce it without convcheck:\n\n" + finding.reproduce())
    return 0 if report.findings else 1


if __name__ == "__main__":
    raise SystemExit(main())
