"""What the exporters of PyTorch, Keras and scikit-learn write says here what it says in ONNX Runtime."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.models.formats.archive import check
from app.models.formats.onnx_import import convert_onnx
from tests.models.formats.make_exports import EXPORTS, make, missing
from tests.support.networks import said

onnxruntime = pytest.importorskip("onnxruntime")

RNG = np.random.default_rng(7)
IMAGES = RNG.random((8, 28, 28)).astype(np.float32)
W = RNG.normal(0, 0.1, (784, 6)).astype(np.float32)
V = RNG.normal(0, 0.5, (6, 4)).astype(np.float32)
B, C = RNG.normal(0, 0.5, 6).astype(np.float32), RNG.normal(0, 0.5, 4).astype(np.float32)
IMAGE, ROW, CHANNEL_LAST = ["n", 1, 28, 28], ["n", 784], ["n", 28, 28, 1]


def model(shape, nodes, opset=17, sets=(), label=None, **values):
    """A file of nodes, each given as "output, ... = Operator(input, ...)" with a dictionary of attributes.

    The input is x, the output y, with `label` beside it if that has a type; the weights are named w, b, v and c.
    """
    made = []
    for index, (line, attributes) in enumerate(nodes):
        outputs, call = line.split(" = ")
        operator, inputs = call.removesuffix(")").split("(")
        names = [name.strip() for name in inputs.split(",")] if inputs else []
        node = helper.make_node(operator, names, outputs.split(", "), name=f"/{operator}_{index}", **attributes)
        made.append(node)
    arrays = {"w": W, "b": B, "v": V, "c": C, **values}
    used, produced = ({name for node in made for name in getattr(node, end)} for end in ("input", "output"))
    graph = helper.make_graph(
        made,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [
            *([] if label is None else [helper.make_tensor_value_info("label", label, None)]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items() if name in used - produced],
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(*entry) for entry in sets)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()


def answers(data, images):
    """The probabilities by ONNX Runtime, of logits, logarithms or probabilities."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    sizes = entry.shape[1:] if all(isinstance(size, int) for size in entry.shape[1:]) else [1, 28, 28]
    batch = entry.shape[0] if isinstance(entry.shape[0], int) else len(images)
    rows = []
    for start in range(0, len(images), batch):
        given = images[start : start + batch].reshape(batch, *sizes)
        result = session.run(None, {entry.name: given})[-1]
        rows += [list(row.values()) for row in result] if isinstance(result, list) else result.tolist()
    found = np.array(rows, np.float64)
    if (found >= 0).all() and np.allclose(found.sum(axis=1), 1, atol=1e-4):
        return found
    powers = np.exp(found - found.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def assert_the_same(data):
    package = check(*convert_onnx(data))
    wanted = answers(data, IMAGES)
    assert np.ptp(wanted, axis=0).max() > 0.001  # they are not all told the same
    assert np.abs(said(package.card, package.network, IMAGES) - wanted).max() < 1e-5
    return package


FIRST = [("h = Gemm(f, w, b)", {}), ("r = Relu(h)", {})]
LAYERS = [*FIRST, ("y = Gemm(r, v, c)", {})]
LOGITS = [*FIRST, ("z = Gemm(r, v, c)", {})]
FLAT = [("f = Flatten(x)", {}), *LAYERS]


def behind(*nodes):
    """What comes before the layers, from x to f."""
    return [*((node, {}) if isinstance(node, str) else node for node in nodes), *LAYERS]


def between(*nodes):
    """What comes between the activation and the second layer, from r to q."""
    flat = [("f = Flatten(x)", {}), *FIRST]
    return [*flat, *((node, {}) if isinstance(node, str) else node for node in nodes), ("y = Gemm(q, v, c)", {})]


def after(*nodes):
    """What comes after the logits, from z to y."""
    return [("f = Flatten(x)", {}), *LOGITS, *((node, {}) if isinstance(node, str) else node for node in nodes)]


MINUS = np.array([-1])
AXIS = np.array([0])
PATTERNS = {
    "tf2onnx: a set that is not used": model(
        ROW,
        [
            *(("a = MatMul(x, w)", {}), ("h = Add(a, b)", {}), ("r = Relu(h)", {})),
            *(("d = MatMul(r, v)", {}), ("l = Add(d, c)", {}), ("y = Softmax(l)", {"axis": -1})),
        ],
        sets=[("ai.onnx.ml", 2), ("com.microsoft", 1)],
    ),
    "tf2onnx: Flatten of channels last": model(
        CHANNEL_LAST,
        behind(("t = Transpose(x)", {"perm": [0, 3, 1, 2]}), "f = Reshape(t, s)"),
        s=np.array([-1, 784]),
    ),
    "tf2onnx: a shape that is computed": model(
        ["n", 28, 28],
        behind(
            *("s = Shape(x)", ("i = Cast(s)", {"to": TensorProto.INT32}), "p = Slice(i, zero, one, axis)"),
            *("q = Squeeze(p, axis)", "u = Unsqueeze(q, axis)", ("t = Concat(u, rest)", {"axis": 0})),
            *(("k = Cast(t)", {"to": TensorProto.INT64}), "f = Reshape(x, k)"),
        ),
        zero=AXIS,
        one=AXIS + 1,
        axis=AXIS,
        rest=np.array([784], np.int32),
    ),
    "tf2onnx: batch normalization of an activation": model(
        IMAGE, between("m = Mul(r, g)", "q = Add(m, e)"), g=RNG.random(6).astype("f4"), e=B
    ),
    "PyTorch: view(x.size(0), -1)": model(
        IMAGE,
        behind(
            *("s = Shape(x)", ("g = Gather(s, zero)", {"axis": 0}), "u = Unsqueeze(g, axis)"),
            *(("k = Concat(u, rest)", {"axis": 0}), "f = Reshape(x, k)"),
        ),
        zero=np.array(0),
        axis=AXIS,
        rest=MINUS,
    ),
    "PyTorch: the same before opset 13": model(
        IMAGE,
        behind(
            *("s = Shape(x)", "g = Gather(s, zero)", ("u = Unsqueeze(g)", {"axes": [0]})),
            *(("k = Concat(u, rest)", {"axis": 0}), "f = Reshape(x, k)"),
        ),
        opset=11,
        zero=np.array(0),
        rest=MINUS,
    ),
    "PyTorch: the same by dynamo": model(
        IMAGE,
        behind(
            *(("s = Shape(x)", {"start": 0, "end": 1}), "g = Squeeze(s)", "u = Reshape(g, rest)"),
            *(("k = Concat(u, size)", {"axis": 0}), ("f = Reshape(x, k)", {"allowzero": 1})),
        ),
        rest=MINUS,
        size=np.array([784]),
    ),
    "PyTorch: the same of an input without sizes": model(
        ["n", "a", "b", "c"],
        behind(
            *("s = Shape(x)", "g = Gather(s, zero)", "u = Unsqueeze(g, axis)"),
            *(("k = Concat(u, rest)", {"axis": 0}), "f = Reshape(x, k)"),
        ),
        zero=np.array(0),
        axis=AXIS,
        rest=MINUS,
    ),
    "PyTorch: a view of a static batch": model([1, 1, 28, 28], behind("f = Reshape(x, s)"), s=np.array([1, -1])),
    "PyTorch: a static batch of four": model([4, 1, 28, 28], behind("f = Reshape(x, s)"), s=np.array([4, 784])),
    "PyTorch: normalized inside": model(
        IMAGE, behind("q = Sub(x, m)", "e = Div(q, d)", "f = Flatten(e)"), m=np.float32(0.1307), d=np.float32(0.3081)
    ),
    "PyTorch: normalized inside, a channel": model(
        IMAGE,
        behind("q = Sub(x, m)", "e = Div(q, d)", "f = Flatten(e)"),
        m=np.full((1, 1, 1), 0.1307, "f4"),
        d=np.full((1, 1, 1, 1), 0.3081, "f4"),
    ),
    "normalized inside, each pixel": model(
        IMAGE,
        behind("q = Sub(x, m)", "e = Div(q, d)", "f = Flatten(e)"),
        m=RNG.random((28, 28)).astype("f4"),
        d=RNG.uniform(0.1, 2, (1, 28, 28)).astype("f4"),
    ),
    "normalized inside, each row of pixels, and transposed": model(
        IMAGE,
        behind(
            *("q = Sub(x, m)", ("t = Transpose(q)", {"perm": [0, 1, 3, 2]}), "e = Mul(t, d)", "a = Mul(e, two)"),
            "f = Flatten(a)",
        ),
        m=RNG.random((28, 1)).astype("f4"),
        d=RNG.uniform(-2, 2, (28, 1)).astype("f4"),
        two=np.float32(2),
    ),
    "Keras: Rescaling": model(
        CHANNEL_LAST, behind("q = Mul(x, m)", "e = Add(q, d)", "f = Flatten(e)"), m=np.float32(2), d=np.float32(-1)
    ),
    "inverted": model(IMAGE, behind("q = Sub(one, x)", "f = Flatten(q)"), one=np.float32(1)),
    "normalized before an activation": model(
        IMAGE, behind("q = Sub(x, m)", "e = Mul(q, m)", "t = Tanh(e)", "f = Flatten(t)"), m=np.float32(0.5)
    ),
    "normalized before batch normalization": model(
        ROW,
        behind("q = Sub(x, m)", ("f = BatchNormalization(q, s, s, s, s)", {})),
        m=np.float32(0.5),
        s=RNG.random(784).astype("f4"),
    ),
    "PyTorch: transposed images": model(
        IMAGE, behind(("t = Transpose(x)", {"perm": [0, 1, 3, 2]}), "a = Relu(t)", "f = Flatten(a)")
    ),
    "transposed weights": model(
        IMAGE,
        [
            *(("f = Flatten(x)", {}), ("t = Transpose(u)", {"perm": [1, 0]}), ("a = MatMul(f, t)", {})),
            *(("h = Add(a, b)", {}), ("r = Relu(h)", {}), ("y = Gemm(r, v, c)", {})),
        ],
        u=W.T.copy(),
    ),
    "weights that are cast": model(
        IMAGE, [("w = Cast(u)", {"to": TensorProto.FLOAT}), *FLAT], u=W.astype(np.float16).astype(np.float64)
    ),
    "PyTorch: a bias that two layers share": model(
        IMAGE, [("c = Identity(e)", {}), ("f = Flatten(x)", {}), *LAYERS], e=C
    ),
    "Squeeze and Unsqueeze": model(
        IMAGE, behind("q = Squeeze(x, a)", "u = Unsqueeze(q, l)", "f = Flatten(u)"), a=np.array([1]), l=MINUS
    ),
    "numbers multiplied and added after an activation": model(
        IMAGE, between("m = Mul(r, g)", "n = Sub(m, e)", "t = Tanh(n)", "q = Div(t, g)"), g=np.float32(-3), e=B
    ),
    "numbers multiplied and added at the end": model(
        IMAGE, after("r2 = Relu(z)", "m = Mul(r2, g)", "y = Add(m, c)"), g=RNG.uniform(-2, 2, 4).astype("f4")
    ),
    "a linear layer that is multiplied and added to": model(
        IMAGE, after("m = Mul(z, g)", "y = Sub(c, m)"), g=RNG.uniform(-2, 2, 4).astype("f4")
    ),
    "PyTorch: log_softmax": model(IMAGE, after(("y = LogSoftmax(z)", {"axis": 1}))),
    "log_softmax of an activation, and a temperature": model(
        IMAGE, after("s = Sigmoid(z)", "l = LogSoftmax(s)", "d = Div(l, t)", "y = Softmax(d)"), t=np.float32(0.3)
    ),
    "Dropout that is off": model(
        IMAGE, between("q, mask = Dropout(r, p, off)"), p=np.float32(0.5), off=np.array(False)
    ),
    "Dropout before opset 12": model(IMAGE, between(("q, mask = Dropout(r)", {"ratio": 0.3})), opset=10),
    "Clip from 0 up": model(IMAGE, between("q = Clip(r, zero)"), zero=np.float32(0)),
    "Clip to infinity": model(
        IMAGE, after("q = Clip(z, zero, most)", "y = Softmax(q)"), zero=np.float32(0), most=np.float32(np.inf)
    ),
    "Clip before opset 11": model(
        IMAGE, after(("q = Clip(z)", {"min": 0.0, "max": 3.4028234663852886e38}), "y = Softmax(q)"), opset=10
    ),
    "Max with 0": model(IMAGE, after("q = Max(z, zero)", "y = Softmax(q)"), zero=np.float32(0)),
    "scikit-learn: labels beside the probabilities": model(
        ROW,
        [
            *(("f = Cast(x)", {"to": TensorProto.FLOAT}), ("a = MatMul(f, w)", {}), ("h = Add(a, b)", {})),
            *(("r = Tanh(h)", {}), ("d = MatMul(r, v)", {}), ("l = Add(d, c)", {}), ("p = Softmax(l)", {"axis": 1})),
            *(("k = ArgMax(p)", {"axis": 1}), ("label = Gather(names, k)", {}), ("y = Identity(p)", {})),
        ],
        label=TensorProto.STRING,
        names=np.array(list("abcd"), object),
    ),
    "a Constant of numbers": model(
        IMAGE,
        [
            *(("s = Constant()", {"value_ints": [-1, 784]}), ("c = Constant()", {"value_floats": C.tolist()})),
            *(("f = Reshape(x, s)", {}), *LAYERS),
        ],
    ),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_what_exporters_write_says_here_what_it_says_there(name):
    assert_the_same(PATTERNS[name])


REFUSED = {
    "Elu": (
        model(IMAGE, between(("q = Elu(r)", {"alpha": 0.5}))),
        r"^nodes\[3\] \(/Elu_3\): expected operators of a network of dense layers .*; got 'Elu'$",
    ),
    "ReLU6": (
        model(IMAGE, between("q = Clip(r, zero, six)"), zero=np.float32(0), six=np.float32(6)),
        r"^nodes\[3\] \(/Clip_3\): Clip: expected one from 0 to infinity, which is ReLU; got 0 to 6$",
    ),
    "a Clip of the other side": (model(IMAGE, between("q = Clip(r, , six)"), six=np.float32(6)), "got -inf to 6"),
    "Dropout that is on": (
        model(IMAGE, between("q, mask = Dropout(r, p, on)"), p=np.float32(0.5), on=np.array(True)),
        r"\(/Dropout_3\): Dropout: expected one that is off",
    ),
    "a convolution": (
        model(IMAGE, behind("q = Conv(x, k)", "f = Flatten(q)"), k=np.ones((1, 1, 3, 3), "f4")),
        r"^nodes\[0\] \(/Conv_0\): .* got 'Conv'",
    ),
    "an operator of another set": (
        model(IMAGE, between(("q = FastGelu(r)", {"domain": "com.microsoft"})), sets=[("com.microsoft", 1)]),
        r"^nodes\[3\] \(/FastGelu_3\): expected the standard operators of ONNX; got FastGelu of the set com.microsoft$",
    ),
    "a static batch that becomes one sample": (
        model([4, 14, 14], [("f = Reshape(x, s)", {}), *LAYERS], s=np.array([1, -1])),
        "keeps samples apart",
    ),
    "a view with another axis": (
        model(
            IMAGE,
            behind("s = Shape(x)", "g = Gather(s, one)", ("k = Concat(g, rest)", {"axis": 0}), "f = Reshape(x, k)"),
            one=np.array([1]),
            rest=MINUS,
        ),
        "keeps samples apart; got \\[1, -1\\]",
    ),
    "samples that are transposed": (
        model(ROW, [("t = Transpose(x)", {"perm": [1, 0]}), ("y = MatMul(t, w)", {})]),
        "Transpose: expected an order of axes that keeps samples apart",
    ),
    "outputs that are transposed": (
        model(
            IMAGE,
            after("k = Reshape(z, s)", ("t = Transpose(k)", {"perm": [0, 2, 1]}), "y = Flatten(t)"),
            s=np.array([-1, 2, 2]),
        ),
        "expected 2 axes after a layer",
    ),
    "a channel for each of three": (
        model(IMAGE, behind("q = Sub(x, m)", "f = Flatten(q)"), m=np.ones((3, 1, 1), "f4")),
        r"^nodes\[0\] \(/Sub_0\).Sub: expected one number; got 3$",
    ),
    "a number for each sample": (
        model(IMAGE, behind("q = Sub(x, m)", "f = Flatten(q)"), m=np.ones((4, 1, 1, 1), "f4")),
        "expected one number; got 4",
    ),
    "a constant divided by the data": (
        model(IMAGE, behind("q = Div(m, x)", "f = Flatten(q)"), m=np.float32(2)),
        r"\(/Div_0\): Div: expected a constant divisor",
    ),
    "logarithms that are weighed": (
        model(IMAGE, after("l = LogSoftmax(z)", "y = Mul(l, c)")),
        "found it elsewhere",
    ),
    "an image without end": (
        model(["n", 10**6, 10**6], behind("q = Sub(x, m)", "f = Flatten(q)"), m=np.ones(10**6, "f4")),
        "at most 16,000,000",
    ),
    "a transposed image without end": (
        model(["n", 10**6, 10**6], behind(("q = Transpose(x)", {"perm": [0, 2, 1]}), "f = Flatten(q)")),
        "at most 100000 numbers",
    ),
    "sizes that are no sizes": (
        model(
            IMAGE,
            behind("s = Shape(x)", ("g = Gather(s, far)", {}), "f = Reshape(x, g)"),
            far=np.array([9, 9]),
        ),
        r"\(/Gather_1\).Gather: expected constants that fit together",
    ),
    "sizes without end": (
        model(
            IMAGE,
            behind("s = Shape(x)", ("g = Gather(s, many)", {}), "f = Reshape(x, g)"),
            many=np.zeros(100, np.int64),
        ),
        "constant array as input 1; got none",
    ),
    "axes that are squeezed with the samples": (
        model(IMAGE, behind("q = Unsqueeze(x, a)", "f = Flatten(q)"), a=AXIS),
        "Unsqueeze: expected one that keeps samples apart",
    ),
    "one input twice": (model(IMAGE, behind("q = Mul(x, x)", "f = Flatten(q)")), "follow one another; got 2 after 'x'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_network_is_named_by_its_operator_and_place(name):
    data, reason = REFUSED[name]
    with pytest.raises(ValueError, match=reason):
        check(*convert_onnx(data))


@pytest.mark.parametrize("name", EXPORTS)
def test_a_real_export_says_here_what_it_says_there(name):
    if lacking := missing(name):
        pytest.skip(f"needs {', '.join(lacking)}")
    assert_the_same(make(name))
