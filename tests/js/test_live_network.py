"""The network that follows the pen, in the browser: its units, sums and connections are the engine's numbers."""

import base64

import numpy as np
import pytest

from app.learn.inspection.connections import links_back
from app.models.formats import html
from app.models.formats.source import Source
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense
from app.nn.layers.normalization import BatchNorm
from app.settings import PROJECT
from tests.support.inspected_networks import NETWORKS, PIXELS, save

pytestmark = pytest.mark.browser

DEEP = (["dense 6", "tanh"] * 99 + ["dense 10"], "cross_entropy")
CASES = {**NETWORKS, "deep": DEEP}
LOOK = """([card, weights, pixels]) => {
  const { createLiveNetwork } = module_inside_live_network;
  const bytes = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  const live = createLiveNetwork(card, module_standalone_safetensors.readSafetensors(bytes));
  const work = live.look(Float64Array.from(pixels));
  const all = live.stages.map((_, stage) => Array.from({ length: live.count(stage) }, (_, unit) => unit));
  const list = (values) => Array.from(values);
  return {
    probabilities: work.probabilities,
    stages: live.stages.map(({ index, end }) => [index, end]),
    units: work.units.map(list),
    parts: all.map((units, stage) => units.slice(0, 5).map((unit) => {
      return { parts: list(live.partsOf(work, stage, unit)), ...live.sumOf(work, stage, unit) };
    })),
    strongest: live.strongest(work, all, 40),
    causes: live.causes(work, all, live.last, 3, 40),
  };
}"""


@pytest.fixture(scope="module")
def look(browser, tmp_path_factory):
    """`look(name)`: the source of a model, and what the script says of its work on a 3."""
    page = browser.new_page()
    for entry in ("inside/live-network", "standalone/safetensors"):
        page.add_script_tag(content=html.bundle_scripts(PROJECT / "static" / "js", entry))

    def ask(name):
        source = Source.of(save(tmp_path_factory.mktemp("models"), name, *CASES[name]), name)
        card = source.card.model_dump(mode="json")
        weights = base64.b64encode(source.weights).decode()
        return source, page.evaluate(LOOK, [card, weights, PIXELS.ravel().tolist()])

    yield ask
    page.close()


def values_of(network, x):
    """The input and the output of every layer, in double precision."""
    found = [x]
    for layer in network.layers:
        found.append(layer.forward(found[-1], training=False).astype(np.float64))
    return [value[0] for value in found]


def units_of(layer, value):
    """The value of each unit: of a filter the largest of its map."""
    return value.reshape(layer.filters, -1).max(axis=1) if isinstance(layer, Conv2D) else value.ravel()


@pytest.mark.parametrize("name", CASES)
def test_units_sums_and_connections_are_the_engine_s(look, name):
    source, found = look(name)
    network = source.network
    values = values_of(network, (PIXELS * source.factor).astype(np.float32).reshape(1, *network.input_shape))
    assert [index for index, _ in found["stages"]] == [
        i for i, layer in enumerate(network.layers) if isinstance(layer, Dense | Conv2D)
    ]
    units = [units_of(network.layers[index], values[end]) for index, end in found["stages"]]
    for got, expected in zip(found["units"], units, strict=True):
        assert got == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-4)
    for stage, (index, _) in enumerate(found["stages"]):
        layer, x, out = network.layers[index], values[index], values[index + 1]
        passing = ("max_pool2d", "average_pool2d", "flatten", "dropout")
        after = next((one for one in network.layers[index + 1 :] if one.type not in passing), None)
        before = PIXELS.size if stage == 0 else len(units[stage - 1])
        for unit, said in enumerate(found["parts"][stage]):
            scales = np.ones(1)
            if isinstance(after, BatchNorm):
                scales = after.params["gamma"] / np.sqrt(after.state["running_variance"] + after.epsilon)
            at = unit
            scale = scales[unit % len(scales)]
            if isinstance(layer, Conv2D):
                is_shared = len(scales) in (1, layer.filters)
                plane = out[unit] * (np.sign(scale) if is_shared else 1)
                place = np.unravel_index(plane.argmax(), plane.shape)
                assert plane[tuple(said["place"])] == pytest.approx(plane.max(), rel=1e-5)
                at = (unit * plane.shape[0] + place[0]) * plane.shape[1] + place[1]
                scale = scale if is_shared else scales[at]
            links = links_back(layer, x, int(at))
            inside = links.places >= 0
            expected = np.zeros(before)
            owners = links.places[inside] * before // x.size
            np.add.at(expected, owners, links.products[inside] * scale)
            assert said["parts"] == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-3)
            bias = float(layer.params["bias"][unit])
            assert said["inputs"] == pytest.approx(links.products[inside].sum(), rel=1e-3, abs=1e-3)
            assert said["sum"] == pytest.approx(said["inputs"] + bias, rel=1e-6, abs=1e-6)
            assert said["sum"] == pytest.approx(float(out.reshape(-1)[at]), rel=1e-3, abs=1e-3)
            assert said["value"] == pytest.approx(units[stage][unit], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", ["mlp", "cnn", "smoothed"])
def test_the_lit_connections_are_the_largest_products_and_lead_back_to_the_ink(look, name):
    source, found = look(name)
    last = len(found["stages"]) - 1
    each = 40 // (last + 1)
    assert each * last < len(found["strongest"]) <= each * (last + 1)  # a small layer has fewer for one label
    ink = set(np.flatnonzero(PIXELS))
    assert {one["from"] for one in found["strongest"] if one["stage"] == 0} <= ink
    dense = source.network.layers[found["stages"][last][0]]
    values = values_of(source.network, (PIXELS * source.factor).astype(np.float32)[None])
    x = values[found["stages"][last][0]]
    if len(x) == len(found["units"][last - 1]):
        products = x[:, None] * dense.params["weight"]
        products = products - products.mean(axis=1, keepdims=True)  # softmax sees no more
        answer = int(np.argmax(found["probabilities"]))
        rising = np.sort(products[:, answer])
        expected = [*rising[::-1][rising[::-1] > 0], *rising[rising < 0]][:each]  # for the answer, then against it
        lit = [one for one in found["strongest"] if one["stage"] == last]
        assert {one["to"] for one in lit} == {answer}
        assert [one["value"] for one in lit] == pytest.approx(expected, rel=1e-4)
    causes = found["causes"]
    assert {one["to"] for one in causes if one["stage"] == last} == {3}
    assert all(one["value"] > 0 for one in causes)
    for stage in range(last):
        goals = {one["from"] for one in causes if one["stage"] == stage + 1}
        assert {one["to"] for one in causes if one["stage"] == stage} <= goals


def test_units_keep_their_places_while_they_are_among_the_largest(browser):
    page = browser.new_page()
    page.add_script_tag(content=html.bundle_scripts(PROJECT / "static" / "js", "inside/live-network"))
    choose = "([values, most, before]) => module_inside_live_network.chooseUnits(values, most, before)"
    values = [0.0, 5.0, 4.0, 3.0, 2.9, -6.0, 0.1]
    assert page.evaluate(choose, [values, 3, None]) == [5, 1, 2]
    assert page.evaluate(choose, [values, 4, [3, 4, 1, 0]]) == [3, 4, 1, 5]
    assert page.evaluate(choose, [values, 10, None]) == list(range(7))
    page.close()
