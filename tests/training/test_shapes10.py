"""The drawn shapes: the same bytes everywhere, and nothing for a linear model to hold on to."""

import hashlib

import numpy as np
import pytest

from convcheck.training.data import shapes10
from convcheck.training.data.shapes10 import EASY, HARD, draw

DIGESTS = {
    "shapes10": "0d82373601cd39e5996fb63d721b14e0c74175972973932c1a5099c58401055d",
    "shapes10-hard": "146ed90ed9e11b00287f3ea2ac02dda052c664eb8d40187ac943526476831e68",
}


@pytest.mark.parametrize("difficulty", [EASY, HARD], ids=lambda d: d.name)
def test_the_bytes_are_the_same_everywhere(difficulty: shapes10.Difficulty) -> None:
    pictures, _ = draw(200, difficulty=difficulty)
    assert hashlib.sha256(pictures.tobytes()).hexdigest() == DIGESTS[difficulty.name]


def test_any_picture_is_drawn_without_those_before_it() -> None:
    pictures, labels = draw(30)
    alone, label = draw(1, first=17)
    assert np.array_equal(alone[0], pictures[17])
    assert label[0] == labels[17]


def test_splits_and_seeds_share_no_picture() -> None:
    sets = [draw(100), draw(100, split=1), draw(100, seed=1), draw(100, difficulty=HARD)]
    seen = {picture.tobytes() for pictures, _ in sets for picture in pictures}
    assert len(seen) == 400


def test_classes_are_balanced() -> None:
    _, labels = draw(100)
    assert np.bincount(labels).tolist() == [10] * 10


def test_every_shape_shows_and_leaves_room() -> None:
    axis = np.arange(-32 * 256, 32 * 256, 512)
    v, u = np.meshgrid(axis, axis, indexing="ij")
    for label in range(10):
        inside = shapes10._inside(label, u, v, np.array([[512 * 10]]))
        assert 20 < inside.sum() < 500, shapes10.CLASSES[label]


def accuracy_of_a_linear_model(x: np.ndarray, y: np.ndarray, count: int) -> float:
    """Ridge regression onto the classes, through the pictures' inner products."""
    z = x.reshape(len(x), -1).astype(np.float64) / 127.5 - 1
    kernel = z[:count] @ z[:count].T + 300 * np.eye(count)
    weights = np.linalg.solve(kernel, np.eye(10)[y[:count]] - 0.1)
    found = (z[count:] @ z[:count].T @ weights).argmax(axis=1)
    return float((found == y[count:]).mean())


def test_a_linear_model_stays_near_chance() -> None:
    pictures, labels = draw(2000)
    assert accuracy_of_a_linear_model(pictures, labels, 1500) < 0.2


def test_the_linear_model_learns_where_there_is_something_linear() -> None:
    pictures, labels = draw(1000)
    marked = pictures.copy()
    for number, label in enumerate(labels):
        marked[number, :, label, :8] = 255
    assert accuracy_of_a_linear_model(marked, labels, 700) > 0.9
