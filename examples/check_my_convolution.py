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
    n, _, height, width = x.shape
    f, c, kh, kw = w.shape
    out_h = (height + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    out_w = (width + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    if min(out_h, out_w, ph + 1, pw + 1) < 1 or x.shape[1] != c * groups or f % groups:
        raise ValueError("no such convolution")
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    y = np.zeros((n, f, out_h, out_w), dtype=x.dtype)
    for g in range(groups):
        filters = slice(g * f // groups, (g + 1) * f // groups)
        for i in range(kh):
            for j in range(kw):
                rows = slice(i * dh, i * dh + sh * out_h, sh)
                columns = slice(j * dh, j * dh + sw * out_w, sw)  # the author meant dw
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
