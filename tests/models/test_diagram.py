"""The picture of a model's layers says what the table says."""

from xml.etree import ElementTree

from torch import nn

import convcheck
from convcheck.models.diagram import layer_diagram

SVG = "{http://www.w3.org/2000/svg}"


def drawn(layers):
    return ElementTree.fromstring(layer_diagram(layers, title="a <net>"))


def layers_of(model, shape):
    return convcheck.check_model(model, shape).layers


def test_each_layer_is_a_box_with_its_name_and_size_in_order():
    layers = layers_of(
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1176, 9)
        ),
        (1, 3, 32, 32),
    )
    picture = drawn(layers)
    assert len(picture.findall(f"{SVG}rect")) == 1 + len(layers)
    sizes = [t.text for t in picture.findall(f"{SVG}text") if t.get("y") == "200"]
    assert sizes == ["3 @ 32x32", "6 @ 28x28", "6 @ 14x14", "1176", "9"]
    heights = [float(box.get("height")) for box in picture.findall(f"{SVG}rect")]
    assert heights[0] > heights[1] > heights[2]


def test_a_layer_that_fails_has_another_colour():
    sound, *_ = layers_of(lambda: nn.Conv2d(3, 4, 3), (1, 3, 8, 8))
    wrong = type(sound)(
        **{key: getattr(sound, key) for key in sound.__slots__} | {"verdict": "FAIL"}
    )
    fills = [drawn([layer]).findall(f"{SVG}rect")[1].get("fill") for layer in (sound, wrong)]
    assert fills[0] != fills[1]


def test_long_models_say_what_was_left_out_and_none_is_no_error():
    layers = layers_of(lambda: nn.Conv2d(3, 4, 3), (1, 3, 8, 8)) * 70
    assert "and 10 more" in layer_diagram(layers, title="long")
    assert drawn([]).find(f"{SVG}rect") is None
