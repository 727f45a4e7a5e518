"""About how long a lesson takes."""

import pytest

from app.i18n.catalog import LANGUAGES
from app.learn.lessons.lesson import Block, Lesson, lessons


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lesson_takes_some_minutes(language):
    assert all(2 <= one.minutes <= 15 for one in lessons(language))


def test_the_text_is_counted_and_every_figure():
    words = Block("html", "<p>" + "word " * 400 + "</p>")
    figure = Block("figure", "unit")
    assert Lesson(1, "data", "", "en", (words,)).minutes == 2
    assert Lesson(1, "data", "", "en", (words, figure, figure)).minutes == 4
    assert Lesson(1, "data", "", "en", ()).minutes == 1
