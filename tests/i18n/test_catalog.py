"""Every text that people read is there in every language, and each page comes in the language that is asked for."""

import gzip
import json
import re
from functools import cache

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.i18n import extract
from app.i18n.catalog import KEYS, LANGUAGES, catalog
from app.i18n.negotiation import preferred_language
from app.main import create_app
from app.settings import PROJECT
from app.web.preferences import LANGUAGE_COOKIE
from app.web.script_catalog import SCRIPTS, with_imports

OTHERS = [language for language in LANGUAGES if language != KEYS]
SLOT = re.compile(r"\{(\w+)\}|%\((\w+)\)s")
ANY_CALL = re.compile(r"(?<!\w)(?<![^.]\.)(?:t|tParts)\((?!\s*\")([^)\n]{0,40})")
LESSONS = ("/learn", "/learn/1", "/learn/8", "/learn/parts", "/learn/perceptron", "/learn/code/adam")
PAGES = ("/", "/train", "/compare", "/models", "/models/mnist-mlp/judge", "/data", "/nothing-here", *LESSONS)
KANA = re.compile("[ぁ-ヿ]")
PASSED_ON = {
    "static/js/i18n/translate.js",
    "static/js/i18n/server-text.js",
    "static/js/pages/pad/diagnosis.js",
    "static/js/standalone/language.js",
}
"""Scripts that hand texts of the server, or of their page, to `t`; extractors find these where they come from."""


@pytest.fixture
def client(shared_client):
    """All tests here only ask."""
    return shared_client


@cache
def template():
    return {message.id: message for message in extract.extracted() if message.id}


def scripts():
    return [
        (path.relative_to(PROJECT).as_posix(), path.read_text("utf-8")) for path in PROJECT.glob("static/js/**/*.js")
    ]


def slots(text):
    return {name for pair in SLOT.findall(text) for name in pair if name}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language):
    catalogue = extract.stored(language)
    missing = [key for key in template() if not (found := catalogue.get(key)) or found.fuzzy or not found.string]
    assert not missing, f"`make messages`, and translate them in app/i18n/locale/{language}"


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_is_as_make_words_writes_it(language):
    catalogue = extract.stored(language)
    gone = [message.id for message in catalogue if message.id and message.id not in template()]
    assert not gone, "`make messages` takes them out"
    moved = [
        message.id
        for message in catalogue
        if message.id and dict(message.locations).keys() != dict(template()[message.id].locations).keys()
    ]
    assert not moved, "`make messages` writes where they stand now; pages choose their words by it"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_slots_of_its_text(language):
    wrong = {}
    for key, text in catalog(language).texts.items():
        extra = slots(text) - slots(key)
        lost = slots(key) - slots(text) - {"a", "A", "another"}  # articles, which English alone has
        if extra or lost:
            wrong[key] = text
    assert not wrong


def test_scripts_ask_for_texts_by_literal_keys():
    asked = {path: ANY_CALL.findall(source) for path, source in scripts() if path not in PASSED_ON}
    assert not {path: calls for path, calls in asked.items() if calls}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_comes_in_the_language_that_the_browser_likes_best(client, path):
    english, japanese = (
        client.get(path, headers={"accept": "text/html", "accept-language": wish})
        for wish in ("en-GB,en", "ja,en;q=0.7")
    )
    for response, language in ((english, "en"), (japanese, "ja")):
        assert f'<html lang="{language}">' in response.text
        assert response.headers["content-language"] == language
        assert {"accept-language", "cookie"} <= {name.strip().lower() for name in response.headers["vary"].split(",")}
    terms = r'<span class="ja" lang="ja">.*?</span>'  # beside their English names
    assert not KANA.search(re.sub(terms, "", english.text))
    assert KANA.search(japanese.text)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA-jp;q=0.5", "ja"),
        ("en;q=0.2, ja;q=0.9", "ja"),
        ("en, ja", "en"),
        ("ja;q=0, en;q=0.1", "en"),
        ("fr, de;q=0.9", "en"),
        ("fr, ja;q=0.3, *;q=0.1", "ja"),
        ("*", "en"),
        ("ja;q=2", "en"),
        ("ja;q=nan, , ;;;", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_the_header_is_read_as_its_rfc_says(header, language):
    assert preferred_language(header) == language


def test_the_switch_keeps_the_language_and_leads_back(client):
    page = client.get("/train?run=3&x=a%20b", headers={"accept-language": "en"})
    href = re.search(r'<a href="(/language/ja[^"]*)"', page.text)[1].replace("&amp;", "&")
    answer = client.get(href, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/train?run=3&x=a%20b"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{LANGUAGE_COOKIE}=ja;")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert '<html lang="ja">' in client.get("/", headers={"accept-language": "en"}).text
    client.get("/language/en?next=/", follow_redirects=False)
    assert '<html lang="en">' in client.get("/", headers={"accept-language": "ja"}).text


@pytest.mark.parametrize(
    "back", ["//evil.example/x", "/\\evil.example", "https://evil.example/", "\t//evil.example", "///evil.example", ""]
)
def test_the_switch_leads_to_no_other_server(client, back):
    answer = client.get("/language/ja", params={"next": back}, follow_redirects=False)
    assert answer.status_code == 303
    assert re.match(r"/(?![/\\])", answer.headers["location"])


def test_the_page_that_asks_for_the_token_can_be_switched(settings):
    locked = TestClient(create_app(settings.model_copy(update={"token": SecretStr("a-token-of-the-test")})))
    wish = {"accept": "text/html", "accept-language": "en"}
    answer = locked.get("/language/ja?next=/train", headers=wish, follow_redirects=False)
    assert answer.headers["location"] == "/train"
    page = locked.get("/train", headers=wish)
    assert page.status_code == 401
    assert "この digitpad にはトークンが必要です" in page.text


def test_a_language_that_is_not_there_is_refused(client):
    answer = client.get("/language/tlh")
    assert answer.status_code == 404
    assert answer.json()["error"] == "expected a language: en, ja; got 'tlh'"
    assert client.get("/", headers={"cookie": f"{LANGUAGE_COOKIE}=../../x"}).status_code == 200


def test_a_page_brings_the_words_of_its_own_scripts_alone(client):
    def block(path, language="ja"):
        text = client.get(path, headers={"accept-language": language}).text
        found = re.search(r'<script type="application/json" id="words">(.*?)</script>', text, re.DOTALL)
        return json.loads(found[1]) if found else {}

    pad, train = block("/"), block("/train")
    assert pad["Pen down"] == "ペンを下ろしました"
    assert "Pen down" not in train
    assert "Cancel this training?" in train
    assert "Cancel this training?" not in pad
    assert "the ink is lighter than the paper, so the picture is inverted" in pad
    assert "One hidden layer with Dropout, trained by Adam" in train
    assert not block("/", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pad_stays_small_in_every_language(client, language):
    page = client.get("/", headers={"accept-language": language}).text
    assets = {path for path in re.findall(r'"(/static/[^"]+)"', page) if not path.endswith(".js")}
    modules = with_imports("pages/every-page") | with_imports("pages/pad/index")
    pieces = [page.encode(), *(client.get(path).content for path in assets)]
    pieces += [(SCRIPTS / f"{name}.js").read_bytes() for name in modules]
    size = sum(len(gzip.compress(piece)) for piece in pieces)
    assert size < 60_000
