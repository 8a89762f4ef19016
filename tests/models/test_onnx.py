"""ONNX files: read without torch, by the same rules; hostile files end in one sentence."""

import subprocess
import sys

import pytest

import convcheck
from convcheck.core.errors import InputError
from convcheck.core.verdict import Verdict

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

numpy = pytest.importorskip("numpy")


def weight(name, *shape):
    return numpy_helper.from_array(numpy.zeros(shape, dtype=numpy.float32), name)


def ints(name, *values):
    return numpy_helper.from_array(numpy.array(values, dtype=numpy.int64), name)


def value(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def notes_network(features=400, kernel=5):
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], name="conv1", kernel_shape=[kernel, kernel]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node(
            "MaxPool", ["b"], ["c"], name="pool1", kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node("Conv", ["c", "w2"], ["d"], name="conv2"),
        helper.make_node(
            "MaxPool", ["d"], ["e"], name="pool2", kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node("Reshape", ["e", "shape"], ["f"], name="flat"),
        helper.make_node("Gemm", ["f", "w3"], ["y"], name="fc1", transB=1),
    ]
    tensors = [
        weight("w1", 6, 3, 5, 5), weight("w2", 16, 6, 5, 5), weight("w3", 120, features),
        ints("shape", 0, -1),
    ]  # fmt: skip
    return nodes, tensors


def save(path, nodes, tensors, shape=(1, 3, 32, 32), outputs=("y",)):
    graph = helper.make_graph(
        nodes, "net", [value("x", *shape)], [value(o, "?") for o in outputs], tensors
    )
    onnx.save(helper.make_model(graph), str(path))
    return path


def test_the_notes_network_has_the_same_sizes_as_in_torch(tmp_path):
    report = convcheck.check_model(save(tmp_path / "net.onnx", *notes_network()))
    assert report.passed
    assert [(layer.path, layer.op, layer.output_shape) for layer in report.layers] == [
        ("conv1", "conv2d", (1, 6, 28, 28)), ("pool1", "max_pool2d", (1, 6, 14, 14)),
        ("conv2", "conv2d", (1, 16, 10, 10)), ("pool2", "max_pool2d", (1, 16, 5, 5)),
        ("flat", "reshape", (1, 400)), ("fc1", "linear", (1, 120)),
    ]  # fmt: skip
    assert [layer.receptive_field.size[0] for layer in report.layers] == [5, 6, 14, 16, 16, 32]


def test_a_linear_for_another_map_is_explained(tmp_path):
    report = convcheck.check_model(save(tmp_path / "net.onnx", *notes_network(features=576)))
    (finding,) = report.findings
    assert (finding.code, finding.where) == ("CC201", "fc1")
    assert "16@5" in finding.why
    assert "576 features and gets 400" in finding.what


def test_a_kernel_that_the_onnx_checker_accepts_on_a_smaller_input_is_refused(tmp_path):
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv")
    path = save(tmp_path / "net.onnx", [node], [weight("w", 2, 1, 5, 5)], (1, 1, 3, 3))
    onnx.checker.check_model(str(path))
    (finding,) = convcheck.check_model(path).findings
    assert (finding.code, finding.where) == ("CC203", "conv")


def test_a_kernel_shape_that_is_not_the_weights_is_refused(tmp_path):
    report = convcheck.check_model(save(tmp_path / "net.onnx", *notes_network(kernel=3)))
    assert report.verdict is Verdict.FAIL
    assert "kernel_shape (3, 3)" in report.findings[0].what


@pytest.mark.parametrize(("mode", "after"), [("SAME_UPPER", (1, 2)), ("SAME_LOWER", (2, 1))])
def test_auto_pad_puts_the_odd_element_where_onnx_does(tmp_path, mode, after):
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad=mode, strides=[2, 2])
    path = save(tmp_path / "net.onnx", [node], [weight("w", 2, 1, 5, 5)], (1, 1, 8, 8))
    report = convcheck.check_model(path)
    assert report.layers[0].output_shape == report.layers[0].expected_shape == (1, 2, 4, 4)
    assert report.layers[0].options["padding"] == (after, after)


def test_an_open_input_takes_the_given_shape_or_is_guessed_and_said_so(tmp_path):
    path = save(tmp_path / "net.onnx", *notes_network(), shape=("n", 3, "h", "w"))
    assert convcheck.check_model(path, (4, 3, 32, 32)).layers[-1].output_shape == (4, 120)
    guessed = convcheck.check_model(path)
    assert guessed.passed and guessed.layers[-1].output_shape == (1, 120)
    assert "guessed --input 1,3,32,32" in guessed.graph.notes[-1]


def test_pads_resizes_and_wanted_output_sizes_are_followed(tmp_path):
    constants = [
        helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 2]),
        helper.make_tensor("sizes", TensorProto.INT64, [4], [1, 1, 20, 9]),
        weight("w", 1, 2, 3, 3),
    ]
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["a"], mode="reflect"),
        helper.make_node("Resize", ["a", "", "", "sizes"], ["b"]),
        helper.make_node("ConvTranspose", ["b", "w"], ["y"], strides=[2, 2], output_shape=[40, 19]),
    ]
    report = convcheck.check_model(save(tmp_path / "net.onnx", nodes, constants, (1, 1, 8, 8)))
    assert report.passed
    shapes = [layer.output_shape for layer in report.layers]
    assert shapes == [(1, 1, 10, 11), (1, 1, 20, 9), (1, 2, 40, 19)]


def test_a_ceiled_pool_is_not_held_against_onnx_own_inference(tmp_path):
    node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[1], strides=[2], ceil_mode=1)
    report = convcheck.check_model(save(tmp_path / "net.onnx", [node], [], (1, 1, 10)))
    assert report.passed and report.layers[0].output_shape == (1, 1, 5)


def test_an_operator_that_is_not_known_is_unknown_and_no_fault(tmp_path):
    node = helper.make_node("Frobnicate", ["x"], ["y"], domain="elsewhere")
    report = convcheck.check_model(save(tmp_path / "net.onnx", [node], [], (1, 1, 8)))
    assert report.verdict is Verdict.UNKNOWN and "Frobnicate" in report.findings[0].what


def test_tensors_that_do_not_fit_are_diagnosed_with_their_chains(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("Add", ["c", "x"], ["y"], name="sum"),
    ]
    report = convcheck.check_model(
        save(tmp_path / "net.onnx", nodes, [weight("w", 3, 3, 3, 3)], (1, 3, 8, 8))
    )
    (finding,) = report.findings
    assert (finding.code, finding.where) == ("CC207", "sum")
    assert "3@8 -conv k3-> 3@6" in finding.why


def hostile_external(tensor):
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"


def hostile_claim(tensor):
    del tensor.dims[:]
    tensor.dims.extend([3 * 2**28])


@pytest.mark.parametrize(
    ("spoil", "said"), [(hostile_external, "outside"), (hostile_claim, "claims 3221225472 bytes")]
)
def test_a_hostile_tensor_is_refused_in_one_sentence(tmp_path, spoil, said):
    nodes, tensors = notes_network()
    spoil(tensors[0])
    graph = helper.make_graph(nodes, "net", [value("x", 1, 3, 32, 32)], [value("y", "?")], tensors)
    path = tmp_path / "net.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(InputError, match=said):
        convcheck.check_model(path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 50, b"not a model", b"cut"])
def test_what_is_not_an_onnx_file_is_refused(tmp_path, content):
    path = save(tmp_path / "net.onnx", *notes_network())
    path.write_bytes(path.read_bytes()[:3000] if content == b"cut" else content)
    with pytest.raises(InputError):
        convcheck.check_model(path)


def test_a_cycle_is_named(tmp_path):
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
    ]
    path = save(tmp_path / "net.onnx", nodes, [], outputs=("b",))
    with pytest.raises(InputError, match="wait for each other"):
        convcheck.check_model(path)


def test_reading_a_file_imports_no_torch(tmp_path):
    path = save(tmp_path / "net.onnx", *notes_network())
    code = (
        "import sys, convcheck; assert convcheck.check_model(sys.argv[1]).passed;"
        "assert 'torch' not in sys.modules and 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
