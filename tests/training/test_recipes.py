"""The recipes: what the notes say, and rates that go where they should."""

from dataclasses import replace

import pytest

from convcheck.core.errors import UsageError
from convcheck.training import RECIPES, Net, find_recipe
from convcheck.training.network import Net as NotesNet
from convcheck.training.optimizer import make_optimizer, set_rate


def test_the_notes_recipe_is_that_of_the_notes() -> None:
    notes = find_recipe("notes")
    assert notes.network is NotesNet is Net
    assert (notes.batch_size, notes.epochs) == (4, 2)
    assert (notes.learning_rate, notes.momentum, notes.schedule) == (0.001, 0.9, "constant")
    assert not (notes.flip or notes.shift or notes.weight_decay or notes.label_smoothing)


def test_every_name_is_found_and_a_wrong_one_is_told_the_nearest() -> None:
    assert [find_recipe(recipe.name) for recipe in RECIPES] == list(RECIPES)
    with pytest.raises(UsageError, match="'typcal' is unknown") as caught:
        find_recipe("typcal")
    assert "typical" in caught.value.fix


def test_a_linear_rate_falls_to_zero() -> None:
    quick = find_recipe("quick")
    assert quick.rate(0, 100) == quick.learning_rate
    assert quick.rate(50, 100) == pytest.approx(quick.learning_rate / 2)
    assert quick.rate(100, 100) == 0


def test_a_triangle_has_its_peak_where_it_says() -> None:
    typical = find_recipe("typical")
    rates = [typical.rate(step, 1000) for step in range(1000)]
    assert rates.index(max(rates)) == 1000 * typical.peak
    assert max(rates) == pytest.approx(typical.learning_rate)
    assert min(rates) > 0


def test_norm_biases_have_a_rate_of_their_own_and_equal_decay() -> None:
    typical = find_recipe("typical")
    network = typical.network(10)
    optimizer = make_optimizer(typical, network)
    set_rate(optimizer, 0.5)
    weights, biases = optimizer.param_groups
    assert (weights["lr"], biases["lr"]) == (0.5, 0.5 * 64)
    decay = [group["lr"] * group["weight_decay"] for group in (weights, biases)]
    assert decay[0] == pytest.approx(decay[1])
    assert len(biases["params"]) == 6
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in network.parameters() if p.requires_grad}


@pytest.mark.parametrize("name", ["batch_size", "epochs", "log_every", "checkpoint_every"])
def test_a_count_below_one_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} 0"):
        replace(find_recipe("notes"), **{name: 0})
