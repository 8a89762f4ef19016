"""The training section's table of layers: what the run validated, size by size."""

from types import SimpleNamespace

from convcheck.cli.sections.training import _layers
from convcheck.models import check_model
from convcheck.training import Net


def test_every_layer_stands_with_its_size_and_the_formulas() -> None:
    table = _layers(SimpleNamespace(layers=check_model(Net(), (4, 3, 32, 32)).layers))
    assert table.rows[0] == ("conv1", "conv2d", "3x32x32", "6x28x28", "6x28x28", "456")
    assert [row[3] for row in table.rows if row[1] == "max_pool2d"] == ["6x14x14", "16x5x5"]
    assert all(row[3] == row[4] for row in table.rows)
    assert sum(int(row[5].replace(",", "")) for row in table.rows) == 62_006
