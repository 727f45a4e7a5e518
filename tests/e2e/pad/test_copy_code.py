"""The very drawing as a program: each is run, and says what the pad says."""

import json
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import choose, draw, heard, sparse
from tests.support.drawings import PNG, recorded

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])
PUT_ON_THE_PAD = {"strokes": lambda page: draw(page, THREE), "a picture": lambda page: choose(page, PNG)}


def in_the_shell(page: Page, program: str) -> str:
    return subprocess.run(["sh"], input=program, capture_output=True, text=True, check=True, timeout=60).stdout


def in_python(page: Page, program: str) -> str:
    command = [sys.executable, "-I", "-"]
    return subprocess.run(command, input=program, capture_output=True, text=True, check=True, timeout=60).stdout


def in_node(page: Page, program: str) -> str:
    if shutil.which("node") is None:
        pytest.skip("needs node")
    return subprocess.run(["node"], input=program, capture_output=True, text=True, check=True, timeout=60).stdout


def in_the_browser(page: Page, program: str) -> str:
    with page.expect_console_message() as said:
        page.evaluate(f"() => {{ {program} }}")
    return said.value.text


@pytest.mark.parametrize(
    ("language", "run", "form"),
    [
        ("curl", in_the_shell, "strokes"),
        ("curl", in_the_shell, "a picture"),
        ("python", in_python, "strokes"),
        ("python", in_python, "a picture"),
        ("javascript", in_node, "strokes"),
        ("javascript", in_the_browser, "a picture"),
    ],
)
def test_the_program_gets_the_answer_that_the_pad_shows(pad, language, run, form):
    with heard(pad, "response") as answers:
        PUT_ON_THE_PAD[form](pad)
        expect(pad.locator("#spoken")).to_contain_text("This is a 3.")
    shown = [answer for answer in answers if "/predict" in answer.url][-1].json()
    pad.locator("#copy-open").click()
    pad.locator(f"#copy-tab-{language}").click()
    expect(pad.locator("#copy-panel")).to_have_attribute("aria-labelledby", f"copy-tab-{language}")
    answer = json.loads(run(pad, pad.locator("#copy-text").input_value()))
    shown.pop("input")
    assert answer == shown
    assert answer["label"] == "3"


def test_the_copy_button_fills_the_clipboard_and_says_so(pad):
    expect(pad.locator("#copy-open")).to_be_disabled()
    draw(pad, THREE)
    pad.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pad.locator("#copy-open").click()
    pad.keyboard.press("Tab")
    pad.locator("#copy-tab-curl").focus()
    pad.keyboard.press("ArrowRight")
    expect(pad.locator("#copy-tab-python")).to_be_focused()
    pad.locator("#copy-button").click()
    expect(pad.locator("#copy-done")).to_have_text("Copied.")
    assert pad.evaluate("navigator.clipboard.readText()") == pad.locator("#copy-text").input_value()
    pad.keyboard.press("Escape")
    expect(pad.locator("#copy-dialog")).to_be_hidden()
    expect(pad.locator("#answer-glyph")).to_have_text("3")  # the Escape was the dialog's


def test_without_leave_to_use_the_clipboard_the_program_is_selected(pad):
    draw(pad, THREE)
    pad.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('no')); }")
    pad.locator("#copy-open").click()
    pad.locator("#copy-button").click()
    expect(pad.locator("#copy-done")).to_contain_text("Ctrl+C")
    assert pad.evaluate("getSelection().toString()") == pad.locator("#copy-text").input_value()
