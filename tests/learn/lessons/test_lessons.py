"""The eight lessons are there in both languages, say the same, lead somewhere, and their formulas render."""

import json
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.i18n.catalog import LANGUAGES
from app.learn.lessons.lesson import FALLBACK, FIGURES, FOLDER, NAMES, Question, lesson, parse
from app.recipes import load_recipes
from app.runs.config.run_config import parse_config

NUMBERS = range(1, len(NAMES) + 1)
NUMBER = re.compile(r'data-(?:number|result)="[^"]+"')
LINK = re.compile(r'href="([^"]+)"')


def html(number, language):
    return "".join(block.content for block in lesson(number, language).blocks if block.kind == "html")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_is_text_with_one_live_figure_and_something_to_try(number, language):
    found = lesson(number, language)
    assert (found.number, found.language) == (number, language)
    kinds = [block.kind for block in found.blocks]
    assert kinds.count("figure") == 1
    assert kinds[kinds.index("figure") - 1] == "question"  # to be answered before the figure tells
    text = html(number, language)
    assert text.rindex({"en": "Try it", "ja": "やってみよう"}[language]) < text.rindex("href=")
    assert not re.search(r"\*\*|`|\$|<p>#", text), "Markdown that was not understood"


@pytest.mark.parametrize("number", NUMBERS)
def test_all_languages_of_a_lesson_have_the_same_parts_and_links(number):
    def shape(language):
        blocks = lesson(number, language).blocks
        parts = [(block.kind, block.content) for block in blocks if block.kind != "html"]
        questions = [(len(block.question.answers), block.question.right) for block in blocks if block.question]
        text = html(number, language)
        numbers = sorted(NUMBER.findall(text))
        return parts, questions, numbers, LINK.findall(text), text.count("<strong>") > 2, text.count("<h2>")

    shapes = [shape(language) for language in LANGUAGES]
    assert shapes[1:] == shapes[:-1]


def test_no_file_lies_beside_the_lessons_and_no_title_comes_twice():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*") if path.parent.name in LANGUAGES}
    assert files == {f"{language}/{n}-{name}.md" for language in LANGUAGES for n, name in enumerate(NAMES, 1)}
    titles = [lesson(number, language).title for number in NUMBERS for language in LANGUAGES]
    assert len(set(titles)) == len(titles)


def links():
    return sorted({link for number in NUMBERS for link in LINK.findall(html(number, FALLBACK))})


@pytest.mark.parametrize("link", [link for link in links() if "?" in link])
def test_the_setup_that_a_lesson_links_to_can_be_trained(link):
    asked = dict(parse_qsl(urlsplit(link).query.replace("&amp;", "&")))
    recipe = load_recipes()[asked.pop("recipe")]
    parse_config({**recipe.config, **{key: json.loads(value) for key, value in asked.items()}})


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_training_with_one_hidden_layer_has_one_and_nothing_else(language):
    (link,) = [link for link in LINK.findall(html(2, language)) if "recipe=" in link]
    network = load_recipes()[dict(parse_qsl(urlsplit(link).query))["recipe"]].config["network"]
    assert [layer["type"] for layer in network["layers"]] == ["dense", "relu", "dense"]


def test_a_lesson_without_a_translation_comes_in_english():
    assert lesson(1, "xx") == lesson(1, FALLBACK)


@pytest.mark.parametrize("number", [0, -1, len(NAMES) + 1])
def test_there_is_no_other_lesson(number):
    with pytest.raises(KeyError):
        lesson(number, FALLBACK)


def test_a_question_and_numbers_are_understood():
    fence = "```question\nHow *much*?\n- a < b\n+ `c`\nAs it is\nso.\n```"
    _, (asked, text) = parse(f"# T\n\n{fence}\n\n`{{w1=-0.8}}` `{{sum}}`")
    assert asked.question == Question("How <em>much</em>?", ("a &lt; b", "<code>c</code>"), 1, "As it is so.")
    assert '<span class="number" data-number="w1">−0.8</span>' in text.content
    assert '<span class="number-result" data-result="sum">…</span>' in text.content


def test_html_in_a_lesson_is_shown_and_not_obeyed():
    _, (block,) = parse("# Title\n\n<script>alert(1)</script> `<b>` `$<i>x$`\n\n```\n<img>\n```\n")
    assert not re.search("<(script|img|b|i)>", block.content)
    assert "&lt;script&gt;" in block.content


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected a title"),
        ("Text alone", "expected a title"),
        ("## Too low\n", "expected a title"),
        ("# T\n\n```formula\nnonsense\n```\n", "formula: expected one of perceptron"),
        ("# T\n\n```question\nWhy?\n- a\n- b\nBecause.\n```\n", "question: expected a line of text"),
        ("# T\n\n```question\nWhy?\n+ a\n+ b\nBecause.\n```\n", "question: expected a line of text"),
        ("# T\n\n```question\nWhy?\n+ a\nBecause.\n```\n", "question: expected a line of text"),
        ("# T\n\n```question\nWhy?\n+ a\n- b\n```\n", "question: expected a line of text"),
        ("# T\n\n```question\n+ a\n- b\nBecause.\n```\n", "question: expected a line of text"),
        ("# T\n\n```figure\nnonsense\n```\n", f"figure: expected one of {FIGURES[0]}"),
    ],
)
def test_a_damaged_lesson_says_what_is_wrong_with_it(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse(text)
