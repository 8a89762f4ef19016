import numpy as np

from convcheck.report import figures

NAMES = [f"class {n}" for n in range(10)]


def test_the_same_data_gives_the_same_bytes() -> None:
    draw = [
        figures.loss_curve([1, 2, 3], [2.3, 2.0, 1.5], label="run", chance=2.303) for _ in range(2)
    ]
    assert draw[0] == draw[1] and draw[0].startswith(b"<?xml")


def test_other_data_gives_other_bytes() -> None:
    first = figures.loss_curve([1, 2], [2.3, 2.0], label="run", chance=2.303)
    assert first != figures.loss_curve([1, 2], [2.3, 1.0], label="run", chance=2.303)


def test_the_confusion_matrix_shows_every_count() -> None:
    matrix = np.arange(100).reshape(10, 10)
    text = figures.confusion(matrix, NAMES, label="run").decode()
    assert all(f">{count}</text>" in text for count in (0, 57, 99))


def test_bars_and_curve_name_what_they_show() -> None:
    bars = figures.class_bars(dict.fromkeys(NAMES, 0.5), label="on shapes10").decode()
    assert "on shapes10" in bars and "class 9" in bars and "50.0" in bars
    assert b"on shapes10" in figures.accuracy_curve([0, 1, 2], [0.1, 0.4, 0.5], label="on shapes10")


def test_a_grid_is_a_png() -> None:
    pictures = np.zeros((7, 8, 8, 3), dtype=np.uint8)
    assert figures.picture_grid(pictures, NAMES[:7]).startswith(b"\x89PNG")
