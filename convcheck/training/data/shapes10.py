"""`shapes10`: ten classes of drawn shapes, made from integers alone.

The default where neither data nor a network is at hand. Every picture is a function of the seed,
the split and its index, through SplitMix64 as a counter-based generator, so that its bytes are the
same on every machine. Colours, place, size, angle and shading are drawn independently of the
class: no single pixel tells anything about it, and a linear model stays at chance.

References:
    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, prod, sin

import numpy as np
from numpy.typing import NDArray

CLASSES = (
    "disc", "ring", "square", "frame", "triangle", "cross", "bar", "ellipse", "half disc",
    "two discs",
)  # fmt: skip
SIZE = 32
PIXELS = SIZE * SIZE

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """How hard the pictures are.

    Attributes:
        name: The name of the data set at this difficulty.
        noise: Half the width of the triangular noise on each value of 0 to 255.
        contrast: Smallest mean distance of the shape's colour from the background's.
        distractors: Number of small squares laid over each picture.
    """

    name: str
    noise: int
    contrast: int
    distractors: int


EASY = Difficulty(name="shapes10", noise=40, contrast=60, distractors=0)
HARD = Difficulty(name="shapes10-hard", noise=80, contrast=40, distractors=3)
DIFFICULTIES = (EASY, HARD)

_ANGLES = 64
# Rounded to 1/256 so that the last bit of a platform's sine cannot matter.
_COS = np.array([round(256 * cos(2 * pi * i / _ANGLES)) for i in range(_ANGLES)], dtype=np.int64)
_SIN = np.array([round(256 * sin(2 * pi * i / _ANGLES)) for i in range(_ANGLES)], dtype=np.int64)


def draw(
    count: int, *, seed: int = 0, split: int = 0, difficulty: Difficulty = EASY, first: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Returns pictures (count, 3, 32, 32) and their labels (count,), in turn from the ten classes.

    Args:
        count: Number of pictures.
        seed: Seed of the whole set, 0 <= seed < 2**32.
        split: 0 for training, 1 for test; the streams are disjoint.
        difficulty: `EASY` or `HARD`.
        first: Index of the first picture; any picture can be drawn without those before it.
    """
    pictures = np.empty((count, 3, SIZE, SIZE), dtype=np.uint8)
    labels = (np.arange(first, first + count) % len(CLASSES)).astype(np.int64)
    block = 500
    for start in range(0, count, block):
        stop = min(start + block, count)
        index = np.arange(first + start, first + stop, dtype=np.uint64)
        pictures[start:stop] = _draw_block(index, labels[start:stop], seed, split, difficulty)
    return pictures, labels


def _draw_block(
    index: NDArray[np.uint64], labels: Integers, seed: int, split: int, difficulty: Difficulty
) -> NDArray[np.uint8]:
    stream = _mix(index + np.uint64(split << 40) + _mix(np.array([seed], dtype=np.uint64)))
    drawn = 0

    def uniform(low: int, high: int, *shape: int) -> Integers:
        """Returns integers in low <= value < high, of shape (pictures, *shape)."""
        nonlocal drawn
        columns = np.arange(drawn, drawn + prod(shape), dtype=np.uint64)
        drawn += prod(shape)
        bits = _mix(stream[:, None] + columns * _GAMMA).reshape(-1, *shape)
        return low + (bits >> np.uint64(33)).astype(np.int64) % (high - low)

    mask = _shape(labels, uniform(-5, 6), uniform(-5, 6), uniform(8, 13), uniform(0, _ANGLES))
    back = uniform(50, 206, 3)
    step = uniform(difficulty.contrast, 2 * difficulty.contrast, 3)
    sign = 2 * uniform(0, 2, 1) - 1
    fore = back + sign * step
    slope = uniform(-2, 3, 2, 3)
    axis = np.arange(SIZE) - SIZE // 2
    shade = slope[:, 0, :, None, None] * axis[:, None] + slope[:, 1, :, None, None] * axis
    colour = np.where(mask[:, None], fore[:, :, None, None], back[:, :, None, None]) + shade
    rows, columns = np.arange(SIZE)[:, None], np.arange(SIZE)
    for _ in range(difficulty.distractors):
        y, x, side = uniform(0, SIZE, 1, 1), uniform(0, SIZE, 1, 1), uniform(2, 5, 1, 1)
        patch = (abs(rows - y) < side) & (abs(columns - x) < side)
        tone = uniform(0, 256, 3)[:, :, None, None]
        colour = np.where(patch[:, None], tone, colour)
    return np.clip(colour + _noise(stream, difficulty.noise), 0, 255).astype(np.uint8)


def _shape(labels: Integers, dy: Integers, dx: Integers, radius: Integers, turn: Integers) -> Mask:
    """Returns where each picture's shape is, (pictures, 32, 32); `turn` rotates it."""
    axis = 2 * np.arange(SIZE) - (SIZE - 1)
    y = (axis[:, None] - 2 * dy[:, None, None]) * np.ones(SIZE, dtype=np.int64)
    x = (axis - 2 * dx[:, None, None]) * np.ones((SIZE, 1), dtype=np.int64)
    cosine, sine = _COS[turn][:, None, None], _SIN[turn][:, None, None]
    # One pixel is 512 units; r is the radius in the same units.
    u, v = cosine * x + sine * y, cosine * y - sine * x
    r = 512 * radius[:, None, None]
    mask = np.empty(u.shape, dtype=np.bool_)
    for label in range(len(CLASSES)):
        chosen = labels == label
        mask[chosen] = _inside(label, u[chosen], v[chosen], r[chosen])
    return mask


def _inside(label: int, u: Integers, v: Integers, r: Integers) -> Mask:
    """Returns the points of the shape `CLASSES[label]` of radius `r`, centred on the origin."""
    far = np.maximum(abs(u), abs(v))
    square_distance = u * u + v * v
    if label == 0:
        return square_distance <= r * r
    if label == 1:
        return (square_distance <= r * r) & (4 * square_distance >= r * r)
    if label == 2:
        return 5 * far <= 4 * r
    if label == 3:
        return (5 * far <= 4 * r) & (5 * far >= 2 * r)
    if label == 4:
        return (2 * v <= r) & (7 * abs(u) <= 4 * (v + r))
    if label == 5:
        return (far <= r) & (4 * np.minimum(abs(u), abs(v)) <= r)
    if label == 6:
        return (abs(u) <= r) & (4 * abs(v) <= r)
    if label == 7:
        return u * u + 4 * v * v <= r * r
    if label == 8:
        return (square_distance <= r * r) & (v >= 0)
    side = (2 * abs(u) - r) ** 2 + 4 * v * v
    return np.asarray(25 * side <= 16 * r * r)


def _noise(stream: NDArray[np.uint64], width: int) -> Integers:
    """Returns triangular noise in -width < value < width, (pictures, 3, 32, 32)."""
    words = np.arange(3 * PIXELS // 4, dtype=np.uint64) + np.uint64(1 << 20)
    bits = _mix(stream[:, None] + words * _GAMMA)
    parts = [(bits >> np.uint64(16 * i)).astype(np.int64) for i in range(4)]
    values = np.stack([(part & 255) - (part >> 8 & 255) for part in parts], axis=2)
    return (values * width >> 8).reshape(len(stream), 3, SIZE, SIZE)


_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Returns SplitMix64's output function of each element; unsigned arithmetic wraps."""
    z = z + _GAMMA
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
