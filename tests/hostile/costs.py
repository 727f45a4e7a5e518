"""Files of up to 20 MB, or the limit of a body, which are made to cost far more than they weigh."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from numpy.lib import format as npy
from onnx import TensorProto, helper, numpy_helper

from tests.hostile.images import BOUNDARY, form
from tests.hostile.models import CARD, card, pair, zipped

MOST = 20_000_000
BODY = 8 * 2**20


def onnx(nodes, constants=(), inputs=784, outputs=10) -> bytes:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", inputs])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", outputs])
    return helper.make_model(helper.make_graph(list(nodes), "g", [x], [y], list(constants))).SerializeToString()


def chain(names, last=10, size=784, dtype=np.float32, operator="MatMul") -> bytes:
    """One square matrix, used by many nodes."""
    weight = numpy_helper.from_array(np.zeros((size, size), dtype), "w")
    end = numpy_helper.from_array(np.zeros((size, last), dtype), "e")
    nodes = [helper.make_node(operator, [f"a{i}" if i else "x", "w"], [f"a{i + 1}"]) for i in range(names)]
    return onnx([*nodes, helper.make_node("MatMul", [f"a{names}", "e"], ["y"])], [weight, end], size)


def wide(count, dtype, inputs=784, **fields) -> bytes:
    """One large matrix."""
    units = count // inputs
    weight = numpy_helper.from_array(np.zeros((inputs, units), dtype), "w")
    if fields.get("packed"):
        weight = helper.make_tensor("w", TensorProto.FLOAT, (inputs, units), np.zeros(inputs * units))
    end = numpy_helper.from_array(np.zeros((units, 10), dtype), "e")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["a", "e"], ["y"])]
    return onnx(nodes, [weight, end], inputs)


def field(number: int, data: bytes) -> bytes:
    """A field of protobuf with its length."""
    size, length = len(data), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def nested_onnx(depth: int, fill: int) -> bytes:
    """Graphs within attributes within nodes, each with its own bytes of an unknown field beside."""
    data = b""
    for _ in range(depth):
        data = field(1, field(5, field(6, data)))
    return b"\x08\x08" + field(7, data + field(10, b"x" * fill))


def repeated_constants() -> bytes:
    """Constants that are computed again and again from one large array."""
    big = numpy_helper.from_array(np.zeros((1, 2_000_000), np.float32), "c0")
    nodes = [helper.make_node("Cast", [f"c{i}"], [f"c{i + 1}"], to=11 - i % 2 * 10) for i in range(499)]
    return onnx(nodes, [big])


def long_names() -> bytes:
    """Nodes that all carry one name of a megabyte."""
    name = "n" * 1_000_000
    return onnx([helper.make_node("Relu", ["x"], [name], name=name) for _ in range(9)])


def npz(**arrays: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def npy_header(text: bytes, version=(1, 0)) -> bytes:
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return npy.magic(*version) + length + text


def array(dtype: str, shape: tuple[int, ...], data: bytes = b"", fortran: bool = False) -> bytes:
    return npy_header(repr({"descr": dtype, "fortran_order": fortran, "shape": shape}).encode() + b"\n") + data


def compressed_npz(images: int, dtype="<f8", fortran=False) -> bytes:
    """Images of zeros, packed a thousandfold."""
    size = np.dtype(dtype).itemsize * 784
    labels = b"".join(bytes([i % 2]) for i in range(images))
    return npz(
        x_train=array(dtype, (images, 784), bytes(size * images), fortran), y_train=array("|u1", (images,), labels)
    )


def csv_zip(lines: int, cell: bytes = b"0") -> bytes:
    """A table of equal lines in a zip."""
    table = b"".join(b"%d," % (i % 2) + b",".join([cell] * 784) + b"\n" for i in range(lines))
    return zipped(**{"train.csv": table})


def filled(item: bytes, size: int = BODY, start: bytes = b"[", end: bytes = b"]") -> bytes:
    """A list of an item, over and over."""
    count = (size - len(start) - len(end)) // (len(item) + 1)
    return start + b",".join([item] * count) + end


def numbered(template: bytes, size: int = BODY, start: bytes = b"[", end: bytes = b"]") -> bytes:
    count = size // (len(template) + 6)
    return start + b",".join(template % i for i in range(count)) + end


def strokes(count: int, point, points: int = 10_000, strokes: int = 1) -> bytes:
    each = [[point(i) for i in range(points // strokes)] for _ in range(strokes)]
    return json.dumps([{"strokes": each}] * count).encode()


def exports(count: int, points: int) -> bytes:
    drawing = {"label": "1", "strokes": [[[i % 10, i % 7] for i in range(points)]]}
    return json.dumps(
        {"format": "digitpad-drawings", "version": 1, "drawings": [drawing] * count}, separators=(",", ":")
    ).encode()


def safetensors_header(text: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text)) + text + data


def many_tensors(count: int, overlap: bool = False) -> bytes:
    step = 0 if overlap else 4
    entries = {f"{i}": {"dtype": "F32", "shape": [1], "data_offsets": [i * step, i * step + 4]} for i in range(count)}
    return safetensors_header(json.dumps(entries).encode(), bytes(4 * count))


def layers(count: int, **layer: object) -> bytes:
    """A card of a network of one layer over and over."""
    return json.dumps({**CARD, "network": {"input_shape": [784], "layers": [layer] * count}}).encode()


def zeros_model() -> bytes:
    """64 MB of zeros as a model of 16 million weights, in a zip of 64 kB."""
    from safetensors.numpy import save

    units = 20_000
    weights = save(
        {
            "0.weight": np.zeros((784, units), np.float32),
            "0.bias": np.zeros(units, np.float32),
            "1.weight": np.zeros((units, 10), np.float32),
            "1.bias": np.zeros(10, np.float32),
        }
    )
    network = {"input_shape": [784], "layers": [{"type": "dense", "units": units}, {"type": "dense", "units": 10}]}
    return zipped(**pair(card(weights, network=network, calibration=None, parameters=16_000_000), weights))


_DIGIT = '.SEGMENT DIGIT ? ? "7"\n.COMMENT 7 1 1\n.PEN_DOWN\n1 1\n.PEN_UP\n'


def unipen(line: str, size: int = 4 << 20, start: str = '.SEGMENT DIGIT ? ? "7"\n.COMMENT 7 1 1\n.PEN_DOWN\n') -> bytes:
    return (start + line * ((size - len(start)) // len(line))).encode()


def lzw_bomb(size: int = BODY) -> bytes:
    """Unix's compressed form of one byte over and over, in codes of 16 bits that never begin anew."""
    return b"\x1f\x9d\x90" + b"\xff" * size


def lzw_of_one_byte(size: int = 1 << 20) -> bytes:
    """A byte over and over in codes that are each the newest of the table, and then the last: 30 GB in a megabyte."""
    out, bits, code = bytearray(b"\x1f\x9d\x90"), 9, 0
    while bits <= 16:
        first = [97] if bits == 9 else []
        codes = [*first, *range(code or 257, 1 << bits)]
        code = 1 << bits
        codes += [code - 1] * (-len(codes) % 8)
        out += sum(value << bits * place for place, value in enumerate(codes)).to_bytes(
            bits * len(codes) // 8, "little"
        )
        bits += 1
    return bytes(out + b"\xff" * (size - len(out)))


def parts(count: int) -> bytes:
    one = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n'.encode()
    return one * count + f"--{BOUNDARY}--\r\n".encode()


def part_headers(count: int) -> bytes:
    head = f"--{BOUNDARY}\r\n".encode() + b"a: b\r\n" * count
    return head + b'content-disposition: form-data; name="x"\r\n\r\n\r\n' + f"--{BOUNDARY}--\r\n".encode()


def _gzip(head: bytes, zeros: int) -> bytes:
    packing = zlib.compressobj(9, wbits=31)
    parts = [packing.compress(head)]
    for _ in range(zeros >> 20):
        parts.append(packing.compress(bytes(1 << 20)))
    return b"".join([*parts, packing.flush()])


def _empty_members(size: int) -> bytes:
    packing = zlib.compressobj(9, wbits=31)
    one = packing.compress(b"") + packing.flush()
    return one * (size // len(one))


def table(lines: int, cells: bytes, last: bytes = b"") -> bytes:
    """A table of labels 0 and 1, and the same cells in each line."""
    return b"".join(b"%d" % (line % 2) + cells + b"\n" for line in range(lines)) + last


def idx(count: int) -> bytes:
    return struct.pack(">BBBBIII", 0, 0, 8, 3, count, 28, 28) + bytes(count * 784)


def labels(count: int) -> bytes:
    return struct.pack(">BBBBI", 0, 0, 8, 1, count) + bytes(count)


def lies() -> bytes:
    """An array of a shape far beyond its data."""
    tensor = TensorProto(name="w", data_type=1, dims=[2**31, 2**31], raw_data=b"1234")
    return onnx([helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor])


def relu(value: object) -> bytes:
    return onnx([helper.make_node("Relu", ["x"], ["y"], a=value)])


def header_of(shape: bytes) -> bytes:
    """Arrays whose header has this text as its shape."""
    text = b"{'descr':'|u1','fortran_order':False,'shape':(" + shape + b")}"
    return npz(x_train=npy_header(text), y_train=npy_header(b"{}"))


def tensors(**entry: object) -> bytes:
    return safetensors_header(json.dumps({f"{i}": {"dtype": "F32", **entry} for i in range(15_000)}).encode())


_TENSOR = b'{"inputs":[{"name":"input","datatype":"FP32","shape":[256,784],"data":['
_EXPORT = b'{"format":"digitpad-drawings","version":1,"drawings":[{"label":"1","strokes":['
_LONG = "x" * 60_000

COSTLY: dict[str, tuple[str, Callable[[], bytes]]] = {
    "ONNX: a matrix used by 25 nodes": ("onnx", lambda: chain(25)),
    "ONNX: 10 million weights of 16 bits": ("onnx", lambda: wide(9_800_000, np.float16)),
    "ONNX: 5 million weights": ("onnx", lambda: wide(4_900_000, np.float32)),
    "ONNX: 5 million weights as numbers": ("onnx", lambda: wide(4_900_000, np.float32, packed=True)),
    "ONNX: 49,000 nodes": ("onnx", lambda: b"\x08\x08" + field(7, field(1, b"") * 49_000)),
    "ONNX: 10 million nodes": ("onnx", lambda: b"\x08\x08" + field(7, field(1, b"") * 9_999_000)),
    "ONNX: 10 million opsets": ("onnx", lambda: b"\x08\x08" + field(8, b"") * 9_999_000),
    "ONNX: graphs 90 deep": ("onnx", lambda: nested_onnx(30, MOST - 1000)),
    "ONNX: graphs 12,000 deep": ("onnx", lambda: nested_onnx(12_000, 1000)),
    "ONNX: casts over and over": ("onnx", repeated_constants),
    "ONNX: names of a megabyte": ("onnx", long_names),
    "ONNX: dimensions of 2^62": ("onnx", lies),
    "ONNX: a string": ("onnx", lambda: relu("s" * MOST)),
    "ONNX: 9 million strings": ("onnx", lambda: relu([b""] * 9_000_000)),
    "safetensors: 12,000 tensors": ("safetensors", lambda: many_tensors(12_000)),
    "safetensors: overlapping": ("safetensors", lambda: many_tensors(12_000, True)),
    "safetensors: empty tensors": ("safetensors", lambda: tensors(shape=[0], data_offsets=[0, 0])),
    "safetensors: a header of 20 MB": ("safetensors", lambda: safetensors_header(b" " * (MOST - 8))),
    "safetensors: lists in lists": ("safetensors", lambda: safetensors_header(b'{"a":' + b"[" * 1_000_000)),
    "card: 20,000 layers": ("card", lambda: layers(20_000, type="relu")),
    "card: dense without end": ("card", lambda: layers(200, type="dense", units=100_000)),
    "card: a million small objects": ("card", lambda: b'{"config":{"a":' + filled(b"{}", 2**20 - 20) + b"}}"),
    "card: lists in lists": ("card", lambda: b"[" * 2**20),
    "model: 64 MB of zeros": ("model", zeros_model),
    "model: 50,000 entries": ("model", lambda: zipped(**{f"f{i}": b"" for i in range(50_000)})),
    "npz: 900 MB of zeros": ("npz", lambda: compressed_npz(150_000)),
    "npz: 500,000 images of zeros": ("npz", lambda: compressed_npz(500_000, "|u1")),
    "npz: 80,000 images of 64 bits": ("npz", lambda: compressed_npz(80_000)),
    "npz: columns": ("npz", lambda: compressed_npz(40_000, "<f8", True)),
    "npz: brackets in brackets": ("npz", lambda: npz(x_train=npy_header(b"(" * 60_000), y_train=npy_header(b"{}"))),
    "npz: a shape of 30,000 numbers": ("npz", lambda: header_of(b"1," * 30_000)),
    "npz: a number of 60,000 digits": ("npz", lambda: header_of(b"9" * 60_000 + b",")),
    "npz: huge types": ("npz", lambda: npz(x_train=array("|V2147483647", (0,)), y_train=array("<U500000000", (1,)))),
    "npz: 99,000 members": ("npz", lambda: npz(**{f"f{i}": b"" for i in range(99_000)})),
    "IDX: 1 GB of zeros, packed": ("idx", lambda: _gzip(struct.pack(">BBBBI", 0, 0, 8, 1, 1 << 30), 1 << 30)),
    "IDX: a million empty parts": ("idx", lambda: _empty_members(MOST)),
    "CSV: one line": ("csv", lambda: b"1," * (MOST // 2)),
    "CSV: empty lines": ("csv", lambda: b"\n" * MOST),
    "CSV: 12,700 images": ("csv", lambda: table(12_700, b",0" * 784)),
    "CSV: 8,400 images of fractions": ("csv", lambda: table(8_400, b",.5" * 784)),
    "CSV: quotes without end": ("csv", lambda: table(12_700, b',"' + b",0" * 783)),
    "CSV: a bad cell at the end": ("csv", lambda: table(12_699, b",0" * 784, b"1" + b",0" * 783 + b",x\n")),
    "CSV: long numbers": ("csv", lambda: table(600, (b"," + b"0" * 39) * 784)),
    "upload: a table of 500,000 lines": ("upload", lambda: csv_zip(500_000)),
    "upload: 1 GB of IDX": (
        "upload",
        lambda: zipped(**{"train-images-idx3-ubyte": idx(1_300_000), "train-labels-idx1-ubyte": labels(1_300_000)}),
    ),
    "upload: names of 60,000 characters": (
        "upload",
        lambda: zipped(zipfile.ZIP_STORED, **{f"{i}{_LONG}.png": b"" for i in range(160)}),
    ),
    "upload: paths of 30,000 parts": (
        "upload",
        lambda: zipped(zipfile.ZIP_STORED, **{f"{i}{'__a' * 30_000}.png": b"" for i in range(160)}),
    ),
    "unipen: points": ("unipen", lambda: unipen("1 1\n")),
    "unipen: empty lines": ("unipen", lambda: unipen("\n")),
    "unipen: whole digits": ("unipen", lambda: unipen(_DIGIT, start="")),
    "unipen: 20 MB": ("unipen", lambda: unipen("1 1\n", MOST)),
    "lzw: 8 MB": ("lzw", lzw_bomb),
    "lzw: 30 GB in a megabyte": ("lzw", lzw_of_one_byte),
    "json: lists in lists": ("json", lambda: b"[" * BODY),
    "json: empty lists": ("json", lambda: filled(b"[]")),
    "json: empty objects": ("json", lambda: filled(b"{}")),
    "json: lists in objects": ("json", lambda: filled(b'{"":[]}')),
    "json: objects in objects": ("json", lambda: filled(b'{"":{"":{}}}')),
    "json: numbers": ("json", lambda: filled(b"0")),
    "json: numbers of 4,000 digits": ("json", lambda: filled(b"9" * 4000)),
    "json: a number of 8 million digits": ("json", lambda: b"9" * BODY),
    "json: strings": ("json", lambda: numbered(b'"%d"')),
    "json: keys": ("json", lambda: numbered(b'"%d":0', start=b"{", end=b"}")),
    "json: one key over and over": ("json", lambda: filled(b'"a":0', start=b"{", end=b"}")),
    "json: a string of escapes": ("json", lambda: b'"' + b"\\u0041" * (BODY // 6 - 1) + b'"'),
    "predict: 80 drawings of 10,000 points": ("predict", lambda: strokes(80, lambda i: [i % 10, 0])),
    "predict: 256 drawings of far points": ("predict", lambda: strokes(256, lambda i: [i % 2 * 1e300, 1e-300], 1000)),
    "predict: 256 drawings of 2,500 strokes": ("predict", lambda: strokes(256, lambda i: [i % 53, i % 59], 2500, 2500)),
    "predict: empty strokes": ("predict", lambda: filled(b"[]", start=b'[{"strokes":[', end=b"]}]")),
    "predict: empty rows": ("predict", lambda: filled(b"[]", start=b'[{"pixels":[', end=b"]}]")),
    "infer: empty rows": ("infer", lambda: filled(b"[]", start=_TENSOR, end=b"]}]}")),
    "infer: numbers": ("infer", lambda: filled(b"0", start=_TENSOR, end=b"]}]}")),
    "import: 5,000 drawings of 250 points": ("import", lambda: exports(5_000, 250)),
    "import: 130 drawings of 10,000 points": ("import", lambda: exports(130, 10_000)),
    "import: empty strokes": ("import", lambda: filled(b"[]", start=_EXPORT, end=b"]}]}")),
    "base64: 8 MB": ("base64", lambda: b"A" * BODY),
    "base64: escapes": ("base64", lambda: b"data:," + b"%41" * (BODY // 3)),
    "base64: bad escapes": ("base64", lambda: b"data:," + b"%zz" * (BODY // 3)),
    "form: many parts": ("form", lambda: parts(BODY // 60)),
    "form: a million headers": ("form", lambda: part_headers(1_300_000)),
    "form: a boundary, almost": ("form", lambda: form((b"\r\n--" + BOUNDARY.encode()[:-1]) * 800_000)),
}
"""For each its parser, and how it is made; made when it is wanted."""
