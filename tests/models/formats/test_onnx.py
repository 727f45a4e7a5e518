"""A model as ONNX says what /predict says, and comes back."""

import hashlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load

from app.models import MissingExtraError, ModelStore
from app.models.formats.archive import check
from app.models.formats.onnx_export import OPSET, to_onnx
from app.models.formats.onnx_import import convert_onnx
from app.models.formats.registry import exported
from app.nn import Network
from app.settings import SHIPPED_MODELS
from tests.support.networks import ENDS, NETWORKS, make, pictures, said

IMAGES = 1000


@pytest.fixture(scope="module")
def images(cache_dir):
    return pictures(IMAGES, cache_dir)


def run(data, x, output="probabilities"):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (result,) = session.run([output], {"input": x.astype(np.float32)})
    return result


def test_the_shipped_model_says_the_same_of_a_thousand_images(images):
    store = ModelStore(SHIPPED_MODELS)
    data = exported(store, "mnist-mlp", "onnx")
    model = onnx.load_model_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import] == [OPSET]
    (shape,) = [
        [axis.dim_param or axis.dim_value for axis in entry.type.tensor_type.shape.dim] for entry in model.graph.input
    ]
    assert shape == ["N", 1, 28, 28]
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties["labels"] == '["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]'
    assert "ink" in properties["preprocessing"]
    assert np.abs(run(data, images[:, None]) - said(*store.load("mnist-mlp"), images)).max() < 1e-5
    assert exported(store, "mnist-mlp", "onnx") == data


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_says_the_same_of_images(name, images, tmp_path):
    store = ModelStore(tmp_path)
    card, network = make(name, input_scale=100.0 if name == "lenet" else 255.0)
    store.save(card, network)
    some = images if name == "lenet" else images[:100]
    wanted = said(card, network, some)
    assert np.ptp(wanted, axis=0).max() > 0.01  # they are not all told the same
    assert np.abs(run(exported(store, "made", "onnx"), some[:, None]) - wanted).max() < 1e-5


@pytest.mark.parametrize("temperature", [None, 1.0, 30.0])
def test_a_softmax_of_its_own_is_calibrated_down_to_the_smallest_probability(temperature, images, tmp_path):
    card, network = make("softmax at the end", temperature=temperature)
    network.weights()["2.weight"][:] *= 300
    ModelStore(tmp_path).save(card, network)
    wanted = said(card, network, images[:50])
    assert np.abs(run(exported(ModelStore(tmp_path), "made", "onnx"), images[:50, None]) - wanted).max() < 1e-4


def test_any_network_can_be_written_and_gives_what_it_gives():
    network = Network.from_spec({"layers": [{"type": "dense", "units": 3}, {"type": "tanh"}]}, input_shape=(4,))
    network.initialize(1)
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    assert np.allclose(run(to_onnx(network), x, "outputs"), network.forward(x, training=False), atol=1e-6)


@pytest.fixture
def without_onnx(monkeypatch):
    monkeypatch.delitem(sys.modules, "app.models.formats.onnx_proto", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)


def test_without_the_package_it_says_what_to_install(without_onnx):
    with pytest.raises(MissingExtraError, match=r"pip install 'digitpad\[onnx\]'"):
        exported(ModelStore(SHIPPED_MODELS), "mnist-mlp", "onnx")
    with pytest.raises(MissingExtraError, match=r"pip install 'digitpad\[onnx\]'"):
        convert_onnx(GOOD)


def test_a_server_starts_without_importing_the_package():
    program = "import sys, app.main, app.models, app.models.formats.onnx_import; print('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"False\n"


@pytest.mark.parametrize("temperature", [0.6, 1.0])
@pytest.mark.parametrize("name", ["mnist-mlp", "batch norm", "every activation", "a step", "softmax at the end", *ENDS])
def test_what_was_written_comes_back_and_says_the_same(name, temperature, images, tmp_path):
    store = ModelStore(SHIPPED_MODELS if name == "mnist-mlp" else tmp_path)
    if name != "mnist-mlp":
        store.save(*make(name, input_scale=51.0, temperature=temperature))
    card, network = store.load("mnist-mlp" if name == "mnist-mlp" else "made")
    data = exported(store, card.name, "onnx")
    package = check(*convert_onnx(data))
    assert (package.card.name, package.card.labels, package.card.dataset) == (card.name, card.labels, card.dataset)
    assert package.card.input_scale == pytest.approx(card.input_scale)
    difference = np.abs(said(package.card, package.network, images[:200]) - said(card, network, images[:200]))
    assert difference.max() < 1e-5


def graph(nodes, constants, **fields):
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 784])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 3])],
        [
            array if isinstance(array, onnx.TensorProto) else numpy_helper.from_array(array, name)
            for name, array in constants.items()
        ],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], **fields)


RNG = np.random.default_rng(2)
W = RNG.normal(0, 0.1, (3, 784)).astype(np.float32)
B = RNG.normal(size=3).astype(np.float32)
GEMM = helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)
SINGLES = {
    "Gemm": ([GEMM], {"w": W, "b": B}),
    "MatMul and Add": (
        [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Add", ["b", "a"], ["y"])],
        {"w": W.T.copy(), "b": B},
    ),
    "float_data": (
        [GEMM],
        {"w": helper.make_tensor("w", TensorProto.FLOAT, W.shape, W.ravel()), "b": B},
    ),
    "float64 and a Constant": (
        [
            helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(B.astype(np.float64))),
            helper.make_node("Flatten", ["x"], ["f"]),
            helper.make_node("Gemm", ["f", "w", "b"], ["y"], transB=1),
        ],
        {"w": W.astype(np.float64)},
    ),
}


@pytest.mark.parametrize("form", SINGLES)
def test_the_forms_in_which_others_write_a_dense_layer_are_read(form, images):
    package = check(*convert_onnx(graph(*SINGLES[form]).SerializeToString()))
    x = images[:5].reshape(5, 784)
    assert np.allclose(package.network.forward(x, training=False), x @ W.T + B, atol=1e-5)
    assert package.card.labels == ["0", "1", "2"]
    assert package.card.name == "imported"
    assert set(load(convert_onnx(graph(*SINGLES[form]).SerializeToString())[1])) == {"0.weight", "0.bias"}


def test_the_logarithms_of_a_softmax_over_what_is_no_logits_are_read_as_that_softmax(images):
    operators = [G, ("Sigmoid", [], {}), ("Softmax", [], {}), ("Log", [], {})]
    package = check(*convert_onnx(chain(*operators)))
    x = images[:5].reshape(5, 784)
    given = np.exp(1 / (1 + np.exp(-(x @ W.T + B))))
    wanted = given / given.sum(axis=1, keepdims=True)
    assert np.allclose(said(package.card, package.network, images[:5]), wanted, atol=1e-6)


def external(**fields):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 784], **fields)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def tensor(name="w", **fields):
    return TensorProto(name=name, **{"data_type": TensorProto.FLOAT, "dims": [3, 784], **fields})


def node(*args, **fields):
    return helper.make_node(*args, **fields)


def chain(*operators, **constants):
    """Operators from x to y, each given as (name, other inputs, attributes)."""
    nodes = []
    for index, (operator, inputs, attributes) in enumerate(operators):
        source, target = "x" if index == 0 else f"t{index - 1}", "y" if index == len(operators) - 1 else f"t{index}"
        nodes.append(node(operator, [source, *inputs], [target], **attributes))
    return graph(nodes, {"w": W, "b": B, **constants}).SerializeToString()


G = ("Gemm", ["w", "b"], {"transB": 1})
ONE = np.float32(1)
SQUARE = ("MatMul", ["s"], {})
GOOD = chain(G)
IMAGE_ROW = np.array([-1, 1, 784])
TWO_OUTPUTS = graph([GEMM, node("Relu", ["y"], ["z"])], {"w": W, "b": B})
TWO_OUTPUTS.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 3]))
DAMAGED = "damaged one, or another kind of file"


def field(number, content):
    """A field of bytes, as protobuf writes it."""
    length = len(content)
    sizes = [length >> shift & 0x7F for shift in range(0, max(length.bit_length(), 1), 7)]
    return bytes([number << 3 | 2, *(size | 0x80 for size in sizes[:-1]), sizes[-1], *content])


NESTED = b""
for _ in range(500):
    NESTED = field(1, field(5, field(6, NESTED)))  # a node's attribute that is a graph
HOSTILE = {
    "nothing": (b"", "with a graph; got none"),
    "text": (b"hello, this is no ONNX file at all", DAMAGED),
    "cut short": (GOOD[: len(GOOD) // 2], DAMAGED),
    "a number without end": (b"\xff" * 10**6, DAMAGED),
    "an unknown kind of field": (b"\x0b\x00", DAMAGED),
    "field 0": (b"\x02\x00", DAMAGED),
    "a number where bytes belong": (b"\x38\x05", "with a graph; got none"),
    "a name that is no text": (field(7, field(2, b"\xff")), DAMAGED),
    "graphs within graphs": (field(7, NESTED), DAMAGED),
    "many fields": (b"\x08\x01" * 60_000, "at most 50,000 fields"),
    "many empty nodes": (field(7, b"\x0a\x00" * 60_000), "at most 50,000 fields"),
    "many empty arrays": (field(7, b"\x2a\x00" * 60_000), "at most 50,000 fields"),
    "many empty attributes": (field(7, field(1, b"\x2a\x00" * 60_000)), "at most 50,000 fields"),
    "many sizes": (field(7, field(5, field(1, b"\x01" * 60_000))), "at most 50,000 fields"),
    "two graphs": (GOOD + GOOD, "one input and one output; got 2 and 2"),
    "a zip": (b"PK\x03\x04" + bytes(100), "expected"),
    "external data": (graph([GEMM], {"w": external(data_location=TensorProto.EXTERNAL), "b": B}), "another file"),
    "external data, hidden": (graph([GEMM], {"w": external(), "b": B}), "another file"),
    "a huge shape": (graph([GEMM], {"w": tensor(dims=[2**40, 2**40], raw_data=b"\0" * 8), "b": B}), "its shape says"),
    "a negative shape": (graph([GEMM], {"w": tensor(dims=[-3, -784], raw_data=W.tobytes()), "b": B}), "negative size"),
    "many axes": (graph([GEMM], {"w": tensor(dims=[1] * 100), "b": B}), "at most 8 axes"),
    "too few bytes": (graph([GEMM], {"w": tensor(raw_data=W.tobytes()[:-1]), "b": B}), "its shape says"),
    "texts": (graph([GEMM], {"w": tensor(data_type=TensorProto.STRING), "b": B}), "of the type float"),
    "no weights": (graph([GEMM], {"b": B}), "constant array as input 1; got none"),
    "NaN": (chain(G, b=np.full(3, np.nan, np.float32)), "finite"),
    "infinity in float64": (chain(G, w=np.full((3, 784), 1e300)), "finite"),
    "a convolution": (chain(("Conv", ["w"], {})), "operators of a network of dense layers"),
    "a loop": (chain(("Loop", [], {})), "got 'Loop'"),
    "another set of operators": (chain(("Gemm", ["w", "b"], {"domain": "com.evil"})), "standard operators"),
    "a transposed input": (chain(("Gemm", ["w", "b"], {"transA": 1})), "transA to be one of 0; got 1"),
    "alpha": (chain(("Gemm", ["w", "b"], {"alpha": 2.0, "transB": 1})), "alpha to be one of 1; got 2.0"),
    "sizes that do not chain": (chain(G, G), "takes 3 numbers per sample; got 784"),
    "a cast to whole numbers": (chain(G, ("Cast", [], {"to": TensorProto.INT64})), "expected to"),
    "a softmax in the wrong direction": (chain(G, ("Softmax", [], {"axis": 0})), "axis"),
    "two softmaxes": (chain(G, ("Softmax", [], {}), ("Softmax", [], {})), "two in a row"),
    "samples that are mixed": (chain(("Reshape", ["s"], {}), G, s=np.array([1, -1])), "keeps samples apart"),
    "samples that are split": (chain(G, ("Reshape", ["s"], {}), s=np.array([-1, 1])), "3 numbers per sample"),
    "a factor of nothing": (chain(("Mul", ["s"], {}), G, s=np.float32(0)), "from 1e-6 to 1e6; got 0"),
    "a factor of a softmax": (chain(G, ("Softmax", [], {}), ("Mul", ["s"], {}), s=ONE), "found it elsewhere"),
    "a factor of half an image": (chain(("Sigmoid", [], {}), ("Mul", ["s"], {}), G, s=ONE), "found it elsewhere"),
    "factors that come to nothing": (chain(*[("Mul", ["s"], {})] * 60, G, s=np.float32(2e-6)), "all factors together"),
    "factors without end": (chain(*[("Mul", ["s"], {})] * 60, G, s=np.float32(1e6)), "all factors together; got 1e"),
    "factors of a layer without end": (chain(G, *[("Mul", ["s"], {})] * 60, s=np.float32(1e6)), "finite"),
    "a factor of a wide layer": (
        chain(
            *[("MatMul", ["i"], {}), ("MatMul", ["v"], {}), ("Relu", [], {}), ("Mul", ["s"], {})],
            i=np.zeros((784, 1), np.float32),
            v=np.zeros((1, 10**6), np.float32),
            s=np.float32(2),
        ),
        "whole number from 1 to 100000",
    ),
    "a softmax of the image": (chain(("Softmax", [], {"axis": -1}), G), "a part of an image"),
    "a softmax of each number": (
        chain(("Reshape", ["s"], {}), ("MatMul", ["m"], {}), ("Softmax", [], {"axis": 1}), s=IMAGE_ROW, m=W.T.copy()),
        "a part of an image",
    ),
    "numbers that become columns": (chain(G, ("Reshape", ["s"], {}), s=np.array([-1, 3, 1])), "expected 2 axes"),
    "logarithms that go on": (
        chain(G, ("Softmax", [], {}), ("Log", [], {}), ("Relu", [], {})),
        "after the logarithms",
    ),
    "a sigmoid at the end": (chain(G, ("Sigmoid", [], {})), "got the outputs of a sigmoid"),
    "a bias for each sample": (
        chain(("MatMul", ["m"], {}), ("Add", ["c"], {}), m=W.T.copy(), c=B[:, None]),
        "bias of 3",
    ),
    "two outputs": (TWO_OUTPUTS, "one output; got 1 and 2"),
    "a name that steers a terminal": (
        graph([GEMM], {"w": tensor("w\x1b[31m\n", data_type=TensorProto.STRING), "b": B}),
        r"^w\?\[31m\?: expected numbers",
    ),
    "a factor of many": (chain(("Mul", ["b"], {}), G), "expected one number; got 3"),
    "a sum of itself": (graph([node("Add", ["x", "x"], ["y"])], {}), "2 after 'x'"),
    "a branch": (graph([node("Relu", ["x"], ["a"]), node("Tanh", ["x"], ["y"])], {}), "2 after 'x'"),
    "a circle": (graph([node("Relu", ["x"], ["x"])], {}), "lead from the input to the output"),
    "an output that is not reached": (graph([node("Relu", ["x"], ["z"])], {}), "lead from the input to the output"),
    "no layer": (graph([node("Relu", ["x"], ["y"])], {}), "at least one Gemm"),
    "a negative variance": (
        chain(G, ("BatchNormalization", ["b", "b", "b", "v"], {}), v=np.full(3, -1, np.float32)),
        "variances of at least 0",
    ),
    "a slope of nothing": (chain(G, ("LeakyRelu", [], {"alpha": 0.0})), "slope"),
    "pixels that are none": (chain(G, w=np.zeros((3, 10), np.float32)), "784"),
    "a bias that is too long": (chain(G, b=np.zeros(4, np.float32)), "bias of 3 numbers"),
    "a logarithm": (chain(G, ("Log", [], {})), "that of a softmax"),
    "the same weights again and again": (
        chain(*[SQUARE] * 30, s=np.zeros((784, 784), np.float32)),
        "at most 16,000,000",
    ),
    "many operators": (chain(G, *[("Relu", [], {})] * 600), "at most 500 operators; got 601"),
    "an array as a number": (chain(G, ("LeakyRelu", [], {"alpha": numpy_helper.from_array(B)})), "of the kinds"),
    "a text as a number": (chain(G, ("LeakyRelu", [], {"alpha": "much"})), "could not convert"),
    "a list as a choice": (chain(G, ("Gelu", [], {"approximate": [1, 2]})), "approximate: expected one of none, tanh"),
    "an endless shape": (chain(("Reshape", ["s"], {}), G, s=np.array([-1, np.inf])), "of the kinds"),
    "a step elsewhere": (chain(G, ("Greater", ["s"], {}), s=ONE), "comparison with 0"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_such_network_is_refused_with_the_reason(name):
    data, reason = HOSTILE[name]
    data = data if isinstance(data, bytes) else data.SerializeToString()
    with pytest.raises(ValueError, match=reason) as refused:
        check(*convert_onnx(data))
    assert len(str(refused.value)) < 600


def test_a_damaged_file_is_refused_or_read_and_never_breaks():
    data = exported(ModelStore(SHIPPED_MODELS), "mnist-mlp", "onnx")
    start = data[:400]
    for place in range(0, len(start), 3):
        damaged = bytearray(data[:3000])
        damaged[place] ^= 0xFF
        with pytest.raises(ValueError, match=r"expected|got|missing"):
            check(*convert_onnx(bytes(damaged)))


def test_labels_that_do_not_fit_are_not_taken(images):
    model = graph([GEMM], {"w": W, "b": B})
    for labels in ('["a", "b"]', '["a", "b", 3]', "[" * 100_000, "{}", "null", '["a", "b", "c"]'):
        helper.set_model_props(model, {"labels": labels, "name": "../../etc"})
        card = check(*convert_onnx(model.SerializeToString())).card
        assert card.labels == (["a", "b", "c"] if "c" in labels else ["0", "1", "2"])
        assert card.name == "imported"


def test_the_server_writes_takes_in_and_refuses(client):
    answer = client.get("/api/models/mnist-mlp/download?format=onnx")
    assert answer.headers["content-disposition"] == 'attachment; filename="mnist-mlp.onnx"'
    taken = client.post("/api/models", content=answer.content, headers={"content-type": "application/onnx"})
    assert (taken.status_code, taken.json()["name"], taken.json()["recipe"]) == (201, "mnist-mlp-2", "onnx")
    assert (
        taken.json()["sha256"]
        == hashlib.sha256(client.get("/api/models/mnist-mlp-2/download?format=safetensors").content).hexdigest()
    )
    three = {"strokes": [[[10, 10], [60, 10], [30, 40], [60, 70], [10, 90]]]}
    first, second = (client.post(f"/predict?model={name}", json=three).json() for name in ("mnist-mlp", "mnist-mlp-2"))
    assert second["probabilities"] == pytest.approx(first["probabilities"], abs=1e-5)
    form = client.post("/api/models", files={"file": ("Mine.ONNX", answer.content)})
    assert form.json()["name"] == "mnist-mlp-3"
    for data in (b"", answer.content[:5000], HOSTILE["external data"][0].SerializeToString()):
        refused = client.post("/api/models", content=data, headers={"content-type": "application/onnx"})
        assert (refused.status_code, list(refused.json())) == (422, ["error", "code", "field", "params"])
        assert "passwd" not in refused.text
    assert client.get("/health").status_code == 200


def test_the_server_says_what_to_install_where_the_package_is_missing(client, without_onnx):
    taken = client.post("/api/models", content=GOOD, headers={"content-type": "application/onnx"})
    for refused in (client.get("/api/models/mnist-mlp/download?format=onnx"), taken):
        assert (refused.status_code, "digitpad[onnx]" in refused.json()["error"]) == (501, True)
    assert client.get("/api/models/mnist-mlp/download?format=npz").status_code == 200
