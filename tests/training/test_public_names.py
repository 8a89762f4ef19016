"""The room's public names: pinned, documented, and cheap to import."""

import subprocess
import sys

import convcheck.training


def test_public_names_are_pinned_and_documented() -> None:
    assert convcheck.training.__all__ == [
        "RECIPES", "ImageSet", "Net", "Pictures", "Recipe", "TrainingResult", "find_recipe",
        "load_data", "train",
    ]  # fmt: skip
    for name in convcheck.training.__all__:
        assert (getattr(convcheck.training, name).__doc__ or "").strip(), name


def test_importing_the_room_does_not_load_torch() -> None:
    program = "import sys, convcheck.training; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
