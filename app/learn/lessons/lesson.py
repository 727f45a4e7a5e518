"""The lessons: Markdown files in app/learn/lessons, one per language, converted for pages.

In addition to CommonMark (without HTML) a lesson may contain formulas and figures by name, mathematics, questions (with
the right answer marked by a plus), and numbers of its figure, to drag or as it computes them:

    ```formula          ```figure          ```math          ```question
    softmax             losses             y = x W          What is 1 + 1?
    ```                 ```                ```              - 1
                                                            + 2
    In a line `$w_1 x_1$`, `{w1=0.8}` and `{output}`.       Two, as one and one are two.
                                                            ```
"""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from app.errors import InputError
from app.learn.formulas import FORMULAS
from app.learn.formulas.formula import to_mathml

FOLDER = Path(__file__).resolve().parent
NAMES = ("data", "model", "activation", "loss", "optimizer", "batch", "training", "evaluation")
"""The lessons in order; the first has the number 1."""
FALLBACK = "en"
FIGURES = (
    "pixels",
    "unit",
    "activations",
    "losses",
    "paths",
    "batches",
    "two-layers",
    "overfitting",
    "depth",
    "perceptron",
)
"""The names of figures in templates/partials/figures.html and static/js/pages/lessons/index.js."""

ENGLISH_WORDS, JAPANESE_LETTERS = 200, 500
"""The amount that a careful reader reads in a minute."""

Kind = Literal["html", "formula", "figure", "question"]
_MATHS = re.compile(r"\$(.+)\$")
_NUMBER = re.compile(r"\{([a-z0-9_-]+)=(-?[0-9.]+)\}")
_RESULT = re.compile(r"\{([a-z0-9_-]+)\}")


@dataclass(frozen=True)
class Question:
    """A question with its answers, the place of the right one, and the reason; all HTML."""

    text: str
    answers: tuple[str, ...]
    right: int
    reason: str


@dataclass(frozen=True)
class Block:
    """A part of a lesson: HTML for the page, the name of a formula or figure, or a question."""

    kind: Kind
    content: str
    question: Question | None = None


@dataclass(frozen=True)
class Lesson:
    """A lesson in one language; `language` is that of the text, English if there is no translation."""

    number: int
    name: str
    title: str
    language: str
    blocks: tuple[Block, ...]

    @property
    def minutes(self) -> int:
        """About how long it takes: to read the text, and a minute for each figure."""
        text = re.sub(r"<[^>]+>", " ", " ".join(block.content for block in self.blocks if block.kind == "html"))
        figures = sum(block.kind == "figure" for block in self.blocks)
        read = len(text) / JAPANESE_LETTERS if self.language == "ja" else len(text.split()) / ENGLISH_WORDS
        return max(1, round(read + figures))


@cache
def lesson(number: int, language: str) -> Lesson:
    """Lesson `number`, from 1. Raises KeyError for another number, ValueError for a damaged file."""
    if not 1 <= number <= len(NAMES):
        raise KeyError(number)
    name = NAMES[number - 1]
    language = next(tag for tag in (language, FALLBACK) if _file(tag, number).is_file())
    title, blocks = parse(_file(language, number).read_text(encoding="utf-8"))
    return Lesson(number, name, title, language, blocks)


def lessons(language: str) -> tuple[Lesson, ...]:
    """All lessons, in order."""
    return tuple(lesson(number, language) for number in range(1, len(NAMES) + 1))


def parse(text: str) -> tuple[str, tuple[Block, ...]]:
    """The title and the blocks of a lesson's Markdown. Raises ValueError with the expected and the given value."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("code_inline", _inline)
    markdown.add_render_rule("fence", _fence)
    tokens = markdown.parse(text)
    if len(tokens) < 3 or tokens[0].tag != "h1" or tokens[0].type != "heading_open":
        raise InputError("expected a title, “# ...”, at its beginning", field="lesson")
    title, blocks, waiting = tokens[1].content, list[Block](), list[Token]()

    def flush() -> None:
        if waiting:
            blocks.append(Block("html", markdown.renderer.render(waiting, markdown.options, {})))
            waiting.clear()

    for token in tokens[3:]:
        kind = token.info.strip()
        if token.type == "fence" and kind == "question":
            flush()
            blocks.append(Block("question", "", _question(token.content, markdown)))
        elif token.type == "fence" and kind in ("formula", "figure"):
            flush()
            known: Sequence[str] = tuple(FORMULAS) if kind == "formula" else FIGURES
            for name in token.content.split():
                if name not in known:
                    raise InputError(
                        "expected one of {names}; got {value}", field=kind, names=", ".join(known), value=repr(name)
                    )
                blocks.append(Block("formula" if kind == "formula" else "figure", name))
        else:
            waiting.append(token)
    flush()
    return title, tuple(blocks)


def _question(text: str, markdown: MarkdownIt) -> Question:
    """The question in a fence: its text, a line for each answer, and the reason. Raises ValueError."""
    lines = [line.strip() for line in text.strip().splitlines()]
    answers = [line for line in lines if line[:2] in ("- ", "+ ")]
    right = [place for place, line in enumerate(answers) if line.startswith("+")]
    if len(answers) < 2 or len(right) != 1 or lines[1 : 1 + len(answers)] != answers or len(lines) < 2 + len(answers):
        raise InputError("expected a line of text, answers with one right one, and the reason", field="question")
    shown = [str(markdown.renderInline(line.removeprefix("- ").removeprefix("+ "))) for line in answers]
    reason = str(markdown.renderInline(" ".join(lines[1 + len(answers) :])))
    return Question(str(markdown.renderInline(lines[0])), tuple(shown), right[0], reason)


def _file(language: str, number: int) -> Path:
    return FOLDER / language / f"{number}-{NAMES[number - 1]}.md"


def _inline(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Mapping[str, Any], env: MutableMapping[str, Any]
) -> str:
    content = tokens[index].content
    maths, number, result = _MATHS.fullmatch(content), _NUMBER.fullmatch(content), _RESULT.fullmatch(content)
    if number:
        shown = number[2].replace("-", "\N{MINUS SIGN}")
        return f'<span class="number" data-number="{number[1]}">{shown}</span>'
    if result:
        return f'<span class="number-result" data-result="{result[1]}">…</span>'
    return to_mathml(maths[1], display="inline") if maths else f"<code>{escapeHtml(content)}</code>"


def _fence(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Mapping[str, Any], env: MutableMapping[str, Any]
) -> str:
    token = tokens[index]
    if token.info.strip() == "math":
        return "".join(to_mathml(line) for line in token.content.strip().splitlines())
    return f"<pre><code>{escapeHtml(token.content)}</code></pre>"
