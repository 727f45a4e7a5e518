"""The page that shows what an augmentation does, from a recipe to a training that uses it."""

import json
import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_sliders_are_moved_and_the_training_takes_them_over(page, pad_server):
    url = pad_server.url
    page.goto(f"{url}/augmentation?recipe=best-mlp&source=strokes&epochs=3")
    expect(page.locator(".aug-row")).to_have_count(10)
    expect(page.locator(".aug-row").first.locator("canvas")).to_have_count(4)
    picture = "(nodes) => nodes[1].toDataURL()"
    before = page.locator(".aug-row canvas").evaluate_all(picture)
    page.locator("#aug-rotation").fill("90")
    expect(page.locator("output[for=aug-rotation]")).to_have_text("90")
    page.wait_for_function("(old) => document.querySelectorAll('.aug-row canvas')[1].toDataURL() !== old", arg=before)
    page.reload()  # all of it is in the address
    expect(page.locator("#aug-rotation")).to_have_value("90")
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#aug-note")).to_contain_text("Nothing is changed")
    expect(page.locator(".aug-row").first.locator("canvas")).to_have_count(1)
    page.get_by_role("button", name="Recipe's values").click()
    page.locator("#aug-shift").fill("3")
    page.locator("#aug-use").click()
    expect(page).to_have_url(re.compile("/train"))
    expect(page.locator("input[name=recipe][value=best-mlp]")).to_be_checked()
    expect(page.locator("#augmentation-shift")).to_have_value("3")
    page.locator("#see-augmentation").click()
    expect(page.locator("#aug-shift")).to_have_value("3")
    assert json.loads(page.evaluate("new URLSearchParams(location.search).get('augmentation')"))["shift"] == 3
