"""The window that slides over an image, in the browser: its products, sums, winners and maps are the engine's."""

import base64

import numpy as np
import pytest

from app.learn.inspection.connections import is_mixing, links_back
from app.learn.inspection.forward import trace
from app.learn.inspection.subject import open_subject
from app.models.formats import html
from app.models.formats.source import Source
from app.nn.layers.convolution import Conv2D
from app.nn.layers.pooling import AveragePool2D, MaxPool2D
from app.recipes import get_recipe
from app.settings import PROJECT
from tests.support.inspected_networks import NETWORKS, PIXELS, save

pytestmark = pytest.mark.browser

CASES = {
    "cnn": NETWORKS["cnn"],
    "flat": NETWORKS["flat"],
    "lenet": (get_recipe("lenet").config["network"]["layers"], "cross_entropy"),
    "uneven": (
        [
            {"type": "conv2d", "filters": 2, "kernel_size": [4, 2], "padding": "same"},
            {"type": "max_pool2d", "size": 3, "stride": 1},
            "sigmoid",
            {"type": "average_pool2d", "size": 2, "stride": 3},
            {"type": "conv2d", "filters": 3, "kernel_size": [3, 1], "padding": 0},
            "dense 10",
        ],
        "cross_entropy",
    ),
}
LOOK = """([network, weights, pixels]) => {
  const { slidingLayers, createSlidingWindow } = module_inside_sliding_window;
  const bytes = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  const arrays = module_standalone_safetensors.readSafetensors(bytes);
  const values = module_standalone_network.trace(network, arrays, Float64Array.from(pixels));
  const list = (numbers) => Array.from(numbers);
  return slidingLayers(network.layers).map((index) => {
    const view = createSlidingWindow(network, arrays, values, index);
    const { maps, rows, columns, channels, isConvolution, padding, after } = view;
    const placeOf = (i) => [Math.floor(i / columns / rows), Math.floor(i / columns) % rows, i % columns];
    const places = Array.from({ length: maps * rows * columns }, (_, i) => placeOf(i));
    const input = view.paddedInput(channels - 1);
    const some = places.filter((_, i) => i % 7 === 0 || i < columns);
    return {
      index, maps, rows, columns, padding, after,
      numbers: places.map((place) => view.numberAt(...place)).map((one) => ({ ...one, sums: list(one.sums ?? []) })),
      windows: some.map(([map, row, column]) => {
        const of = isConvolution ? Array.from({ length: channels }, (_, channel) => channel) : [map];
        return {
          place: [map, row, column],
          pixels: of.flatMap((channel) => list(view.windowAt(channel, row, column).pixels)),
          outside: of.flatMap((channel) => list(view.windowAt(channel, row, column).outside)),
          weights: isConvolution ? of.flatMap((channel) => list(view.weightsOf(map, channel))) : null,
          products: isConvolution ? of.flatMap((channel) => list(view.productsAt(map, channel, row, column))) : null,
        };
      }),
      whole: Array.from({ length: maps }, (_, map) => list(view.mapOf(map))),
      strongest: Array.from({ length: maps }, (_, map) => view.strongest(map)),
      input: { ...input, pixels: list(input.pixels), outside: list(input.outside) },
      nearest: [view.nearest(0, 0), view.nearest(1000, 1000)],
    };
  });
}"""


@pytest.fixture(scope="module", params=CASES)
def looked(request, browser, tmp_path_factory):
    """The engine's network in double precision, the values of its layers, and what the script says of its windows."""
    store = save(tmp_path_factory.mktemp("models"), request.param, *CASES[request.param])
    source = Source.of(store, request.param)
    subject = open_subject(store, request.param, PIXELS, dtype="float64")
    page = browser.new_page()
    for entry in ("inside/sliding-window", "standalone/safetensors", "standalone/network"):
        page.add_script_tag(content=html.bundle_scripts(PROJECT / "static" / "js", entry))
    network = source.card.model_dump(mode="json")["network"]
    found = page.evaluate(LOOK, [network, base64.b64encode(source.weights).decode(), subject.x.ravel().tolist()])
    page.close()
    return subject.network, trace(subject), found


def close(numbers):
    return pytest.approx(np.ravel(numbers).tolist(), rel=1e-6, abs=1e-6)


def test_every_layer_with_a_window_is_found(looked):
    network, _, found = looked
    kinds = Conv2D | MaxPool2D | AveragePool2D
    assert [one["index"] for one in found] == [i for i, layer in enumerate(network.layers) if isinstance(layer, kinds)]


def test_sums_and_what_becomes_of_them_are_the_engine_s_at_every_place(looked):
    network, values, found = looked
    for one in found:
        index, layer = one["index"], network.layers[one["index"]]
        output = values[index + 1]
        assert output.shape == (one["maps"], one["rows"], one["columns"])
        assert [number["value"] for number in one["numbers"]] == close(output)
        after = next(i for i in range(index + 1, len(network.layers)) if is_mixing(network.layers[i]))
        shown = [i for i in range(index + 1, after) if network.layers[i].type not in ("flatten", "dropout")]
        assert one["after"] == [network.layers[i].type for i in shown]
        for step, i in enumerate(shown):
            assert [number["steps"][step]["value"] for number in one["numbers"]] == close(values[i + 1])
        assert [number["last"] for number in one["numbers"]] == close(values[after])
        assert np.ravel(one["whole"]).tolist() == close(values[after])
        for whole, (row, column) in zip(one["whole"], one["strongest"], strict=True):
            assert abs(whole[row * one["columns"] + column]) == np.abs(whole).max()
        if isinstance(layer, Conv2D):
            bias = np.repeat(layer.params["bias"], output[0].size)
            assert [number["bias"] for number in one["numbers"]] == close(bias)
            assert [number["inputs"] for number in one["numbers"]] == close(output.ravel() - bias)


def test_windows_products_padding_and_winners_are_the_engine_s(looked):
    network, values, found = looked
    for one in found:
        layer, x = network.layers[one["index"]], values[one["index"]]
        for window in one["windows"]:
            unit = int(np.ravel_multi_index(window["place"], (one["maps"], one["rows"], one["columns"])))
            links = links_back(layer, x, unit)
            number = one["numbers"][unit]
            assert window["pixels"] == close(links.values)
            assert window["outside"] == (links.places < 0).astype(int).tolist()
            if isinstance(layer, Conv2D):
                assert window["weights"] == close(links.factors)
                assert window["products"] == close(links.products)
                assert number["sums"] == close(links.products.reshape(layer.channels, -1).sum(axis=1))
            elif isinstance(layer, MaxPool2D):
                assert number["winner"] == links.factors.argmax()
            else:
                assert number["winner"] is None
                assert number["sum"] == pytest.approx(links.values.sum())


def test_the_padded_input_has_zeros_around_the_image(looked):
    network, values, found = looked
    for one in found:
        layer, x = network.layers[one["index"]], values[one["index"]]
        image = x.reshape(-1, *x.shape[-2:])[-1]
        around = layer.padding if isinstance(layer, Conv2D) else ((0, 0), (0, 0))
        assert one["input"]["pixels"] == close(np.pad(image, around))
        inside = np.pad(np.ones(image.shape), around)
        assert one["input"]["outside"] == (1 - inside).ravel().tolist()
        assert [one["input"]["height"], one["input"]["width"]] == list(inside.shape)
        assert one["nearest"] == [[0, 0], [one["rows"] - 1, one["columns"] - 1]]
