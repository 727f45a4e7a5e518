"""Every text that people read is there in every language, and each page comes in the language that is asked for."""

import json
import re
from functools import cache
from urllib.parse import urljoin

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.i18n import extract
from app.i18n.catalog import KEYS, LANGUAGES, catalog, key_id
from app.i18n.negotiation import preferred_language
from app.main import create_app
from app.settings import PROJECT
from app.web.preferences import LANGUAGE_COOKIE

OTHERS = [language for language in LANGUAGES if language != KEYS]
IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"(.+)";$', re.MULTILINE)
SLOT = re.compile(r"\{(\w+)\}|%\((\w+)\)s")
ANY_CALL = re.compile(r"(?<!\w)(?<![^.]\.)(?:t|tParts)\((?!\s*\")([^)\n]{0,40})")
LESSONS = ("/learn", "/learn/1", "/learn/8", "/learn/parts", "/learn/perceptron", "/learn/code/adam")
PAGES = (
    "/",
    "/challenge",
    "/train",
    "/compare",
    "/models",
    "/models/mnist-mlp/judge",
    "/data",
    "/nothing-here",
    *LESSONS,
)
KANA = re.compile("[ぁ-ヿ]")
PASSED_ON = {
    "static/js/i18n/translate.js",
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


def test_terms_in_japanese_stand_beside_english_ones_for_its_readers_alone(client) -> None:
    for asked, alone in (
        ("en", True),
        ("en, ja;q=0.5", False),
        ("ja", False),
        ("jam", True),
        ("en, ja;q=0", True),
        ("", True),
    ):
        page = client.get("/train", headers={"accept-language": asked}).text
        assert ("data-one-language" in page) == alone, asked


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
        assert f'<html lang="{language}"' in response.text
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
    assert urljoin(href, answer.headers["location"]) == "/train?run=3&x=a%20b"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{LANGUAGE_COOKIE}=ja;")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert '<html lang="ja"' in client.get("/", headers={"accept-language": "en"}).text
    client.get("/language/en?next=/", follow_redirects=False)
    assert '<html lang="en"' in client.get("/", headers={"accept-language": "ja"}).text


@pytest.mark.parametrize(
    "back", ["//evil.example/x", "/\\evil.example", "https://evil.example/", "\t//evil.example", "///evil.example", ""]
)
def test_the_switch_leads_to_no_other_server(client, back):
    answer = client.get("/language/ja", params={"next": back}, follow_redirects=False)
    assert answer.status_code == 303
    assert re.fullmatch(r"\.\./(?![/\\]).*", answer.headers["location"])


def test_the_page_that_asks_for_the_token_can_be_switched(settings):
    locked = TestClient(create_app(settings.model_copy(update={"token": SecretStr("a-token-of-the-test")})))
    wish = {"accept": "text/html", "accept-language": "en"}
    answer = locked.get("/language/ja?next=/train", headers=wish, follow_redirects=False)
    assert urljoin("/language/ja", answer.headers["location"]) == "/train"
    page = locked.get("/train", headers=wish)
    assert page.status_code == 401
    assert "この digitpad にはトークンが必要です" in page.text


def test_a_language_that_is_not_there_is_refused(client):
    answer = client.get("/language/tlh", headers={"cookie": "digitpad-language=en"})
    assert answer.status_code == 404
    assert answer.json()["error"] == "expected a language: en, ja; got 'tlh'"
    assert client.get("/", headers={"cookie": f"{LANGUAGE_COOKIE}=../../x"}).status_code == 200


def test_a_page_names_the_catalogue_of_its_scripts_to_be_kept_for_good(client):
    page = client.get("/learn", headers={"accept-language": "ja"}).text
    address, place = (
        re.search(r'<script defer src="(/catalog/ja-\w+\.js)" id="catalog">', page)[1],
        page.index("/catalog/"),
    )
    assert place < page.index('<script type="module"'), "texts are there before the first script asks for one"
    answer = client.get(address)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    texts = json.loads(answer.text.removeprefix("document.currentScript.texts="))
    assert texts[key_id("Pen down")] == "ペンを下ろしました"
    assert texts[key_id("Stop this training?")]
    assert key_id("Skip to the content") not in texts, "which a template says, and no script"
    english = client.get("/learn", headers={"cookie": f"{LANGUAGE_COOKIE}=en"}).text
    assert 'id="catalog"' not in english


def test_no_two_texts_go_by_one_name():
    assert len({key_id(key) for key in template()}) == len(template())


@pytest.mark.parametrize("name", ["tlh-0123456789ab.js", "ja-000000000000.js", "en-.js", "ja.js", "%2e%2e", "ja"])
def test_a_catalogue_that_is_not_there_is_refused(client, name):
    answer = client.get(f"/catalog/{name}", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert "error" in answer.json()


def loaded(client, page, language):
    """The bytes that a browser gets for a page and all that it loads at once, by address."""
    headers = {"accept": "text/html,*/*", "cookie": f"{LANGUAGE_COOKIE}={language}", "accept-encoding": "gzip"}
    found, ahead = {}, [page]
    while ahead:
        address = ahead.pop()
        if address in found:
            continue
        with client.stream("GET", address, headers=headers) as answer:
            assert answer.status_code == 200, address
            found[address] = b"".join(answer.iter_raw())
        plain = client.get(address, headers=headers).text
        if address == page:
            ahead += re.findall(r'(?:href|src)="(/(?:static|catalog|vendor)/[^"]+)"', plain)
        elif "/js/" in address:
            ahead += [urljoin(address, path) for path in IMPORT.findall(plain)]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pad_stays_small_in_every_language(client, language):
    pieces = loaded(client, "/", language)
    assert any(address.endswith("/js/drawing/strokes.js") for address in pieces)
    assert any(address.startswith("/catalog/") for address in pieces) == (language != KEYS)
    assert sum(map(len, pieces.values())) < 60_000
