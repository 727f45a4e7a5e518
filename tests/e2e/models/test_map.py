"""The map of a model: what is drawn on the canvas lies where NumPy puts it, and the drawing travels on it."""

import base64

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.browser import draw, sparse
from tests.support.drawings import recorded
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])
ACCENT = """(canvas) => {
    const probe = document.createElement("canvas").getContext("2d");
    const style = getComputedStyle(document.documentElement);
    probe.fillStyle = style.getPropertyValue("--accent");
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
    const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const found = [];
    for (let i = 0; i < data.length; i += 4)
        if (data[i] === red && data[i + 1] === green && data[i + 2] === blue)
            found.push([(i / 4) % width, Math.floor(i / 4 / width)]);
    const mean = (axis) => found.reduce((sum, place) => sum + place[axis], 0) / found.length / devicePixelRatio;
    return found.length < 40 ? null : [mean(0), mean(1)];
}"""


def test_a_drawing_travels_to_where_the_network_puts_it(page, pad_server):
    page.goto(f"{pad_server.url}/models/mnist-mlp/map")
    expect(page.locator("#map-note")).to_contain_text("of the variance of the last hidden layer", timeout=60_000)
    expect(page.locator("#map-says")).to_contain_text("not on the map yet")
    assert page.locator("#map").evaluate(ACCENT) is None
    draw(page, THREE)
    expect(page.locator("#map-says")).to_contain_text("Here it reads 3.")
    expect(page.locator("#map-nearest .tile")).to_have_count(5)
    expect(page.locator("#map-nearest .tile").first).to_contain_text("3")

    known = pad_server.get("/api/models/mnist-mlp/map")
    points = np.frombuffer(base64.b64decode(known["points"]), "<f4").reshape(-1, 2)
    box = page.locator("#map").bounding_box()
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min((box["width"] - 50) / (high - low)[0], (box["height"] - 50) / (high - low)[1])
    at = until(lambda: page.locator("#map").evaluate(ACCENT))
    middle = (low + high) / 2
    place = middle + np.array([at[0] - box["width"] / 2, box["height"] / 2 - at[1]]) / scale
    threes = points[np.array(known["truth"]) == known["labels"].index("3")]
    assert np.linalg.norm(place - threes.mean(axis=0)) < np.linalg.norm(threes - threes.mean(axis=0), axis=1).max()

    page.locator("#map-select").click()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5, steps=3)
    page.mouse.up()
    expect(page.locator("#map-region-note")).to_contain_text("images in this region.")
    expect(page.locator("#map-region .tile")).to_have_count(60)
    page.locator(".map-label").nth(3).click()
    expect(page.locator(".map-label").nth(3)).to_have_attribute("aria-pressed", "true")
    page.locator("#map").press("+")
    page.locator("#map-all").click()
    page.locator("#clear").click()
    expect(page.locator("#map-nearest .tile")).to_have_count(0)
    until(lambda: page.locator("#map").evaluate(ACCENT) is None)


def test_a_set_of_few_images_has_no_map_and_says_why(page, pad_server):
    page.route("**/api/models/*/map", lambda route: route.fulfill(status=409, json={"error": "too few images"}))
    page.goto(f"{pad_server.url}/models/mnist-mlp/map")
    expect(page.locator("#map-error")).to_contain_text("too few images")
    assert page.goto(f"{pad_server.url}/models/nothing/map").status == 404


def test_the_image_under_the_pointer_is_named_and_enlarged(page, pad_server):
    page.goto(f"{pad_server.url}/models/mnist-mlp/map")
    expect(page.locator("#map-note")).to_contain_text("of the variance of the last hidden layer", timeout=60_000)
    known = pad_server.get("/api/models/mnist-mlp/map")
    points = np.frombuffer(base64.b64decode(known["points"]), "<f4").reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    box = page.locator("#map").bounding_box()
    scale = min((box["width"] - 48) / (high - low)[0], (box["height"] - 48) / (high - low)[1])
    rightmost = int(points[:, 0].argmax())
    x, y = ((points[rightmost] - (low + high) / 2) * scale).tolist()
    picture = "(canvas) => canvas.toDataURL()"
    before = page.locator("#map").evaluate(picture)
    page.mouse.move(box["x"] + box["width"] / 2 + x, box["y"] + box["height"] / 2 - y)
    label = known["labels"][known["truth"][rightmost]]
    expect(page.locator("#map-hover")).to_contain_text(f"Label {label}: read")
    until(lambda: page.locator("#map").evaluate(picture) != before)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 30)
    until(lambda: page.locator("#map").evaluate(picture) == before)
