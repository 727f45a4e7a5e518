"""The pages under /learn, and the figures' numbers over HTTP."""

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from app.learn.experiments import curves as curves
from app.learn.experiments import logic_gates, loss_surfaces, small_trainings
from app.learn.formulas import FORMULAS
from app.learn.lessons.lesson import NAMES
from app.main import create_app
from app.settings import Settings
from tests.support.errors import is_an_error

PAGES = ["/learn", "/learn/parts", "/learn/perceptron", *(f"/learn/{n}" for n in range(1, len(NAMES) + 1))]


@pytest.fixture(scope="module")
def client(tmp_path_factory, cache_dir):
    """One server for all: nothing here leaves anything behind."""
    home = tmp_path_factory.mktemp("learn")
    settings = Settings(home=home, cache_dir=cache_dir, data_dir=None, allowed_hosts="testserver", _env_file=None)
    with TestClient(create_app(settings), raise_server_exceptions=False) as running:
        yield running


class Links(HTMLParser):
    """The inner links of a page."""

    def __init__(self, page):
        super().__init__()
        self.found = set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        href = dict(attributes).get("href", "")
        if tag == "a" and href.startswith("/") and not href.startswith("/language"):
            self.found.add(href)


@pytest.mark.slow
def test_every_link_under_learn_leads_somewhere(client):
    seen, ahead = set(), ["/learn"]
    while ahead:
        path = ahead.pop()
        answer = client.get(path)
        assert answer.status_code == 200, path
        seen.add(path)
        if path.startswith("/learn"):
            ahead += Links(answer.text).found - seen - set(ahead)
    assert {*PAGES, *(f"/learn/code/{name}" for name in FORMULAS), "/train", "/"} <= seen


def test_the_hub_begins_with_ones_own_drawing_and_has_the_lessons_in_order(client):
    page = client.get("/learn", headers={"accept-language": "en"}).text
    main = page[page.index("<main") :]
    links = re.findall(r'<a [^>]*href="(/learn/[^"]+)"', main)
    assert links[:9] == ["/learn/inside", *(f"/learn/{number}" for number in range(1, 9))]


@pytest.mark.parametrize("number", range(1, 9))
def test_a_lesson_says_where_it_stands_and_leads_on(client, number):
    page = client.get(f"/learn/{number}", headers={"accept-language": "en"}).text
    assert f"Lesson {number} of 8" in page
    assert ('rel="prev"' in page) == (number > 1)
    assert ('rel="next"' in page) == (number < 8)
    assert f'href="/learn/{number + 1 if number < 8 else "inside"}"' in page


@pytest.mark.parametrize("path", ["/learn/0", "/learn/9", "/learn/99999999999999999999", "/learn/-1", "/learn/nothing"])
def test_there_is_no_other_lesson(client, path):
    is_an_error(client.get(path), 404)


@pytest.mark.parametrize(
    "name", ["nothing", "__init__", "os.system", "..%2f..%2fetc%2fpasswd", "app.nn.layers.core", "x" * 3000]
)
def test_no_other_code_is_shown(client, name):
    is_an_error(client.get(f"/learn/code/{name}"), 404)


def test_the_code_is_shown_with_its_file_and_its_line_numbers(client):
    page = client.get("/learn/code/sgd").text
    first = int(re.search(r'data-line="(\d+)"', page)[1])
    assert "app/nn/optimizers.py" in page
    assert f"from line {first}" in page
    assert "p ← p − ηg." in page
    assert "<math" in page


@pytest.mark.parametrize("name", FORMULAS)
def test_words_about_the_code_show_quoted_code_as_code(client, name):
    page = client.get(f"/learn/code/{name}").text
    words = re.findall(r'<p class="listing-words"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert words
    assert not any("`" in text for text in words)


def test_the_hub_links_to_every_formula_once(client):
    page = client.get("/learn").text
    assert sorted(re.findall(r'href="/learn/code/([a-z0-9_]+)"', page)) == sorted(FORMULAS)


def test_the_parts_begin_with_links_to_all_figures(client):
    page = client.get("/learn/parts", headers={"accept-language": "en"}).text
    linked = re.findall(r'href="#(figure-[a-z-]+)"', page)
    assert linked == re.findall(r'<h2 id="(figure-[a-z-]+)"', page)
    assert page.index(f"#{linked[-1]}") < page.index("data-figure=")


@pytest.mark.parametrize(("asked", "stop"), [("en", "layers."), ("en, ja;q=0.5", "層.")])
def test_a_sentence_keeps_its_stop_where_no_japanese_term_stands_before_it(client, asked, stop):
    page = client.get("/learn/inside", headers={"accept-language": asked}).text
    shown = re.sub(r'<span class="ja" lang="ja">.*?</span>', "", page) if "data-one-language" in page else page
    assert stop in re.sub(r"<[^>]+>", "", shown)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_has_a_name_for_those_who_do_not_see_it(client, name):
    page = client.get(f"/learn/code/{name}", headers={"accept-language": "en"}).text
    figure = page[page.index('class="formula-lines"') :]
    assert re.search(r'aria-label="Formula: [^"]+"', figure)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/activations", curves.activation_curves),
        ("/losses", curves.loss_curves),
        (
            "/depth?activation=tanh&initializer=xavier&depth=3&width=20",
            lambda: curves.signal("tanh", "xavier", 3, 20, 1.0),
        ),
        (
            "/unit?x1=1&x2=-2&w1=0.5&w2=0.25&b=1&activation=relu",
            lambda: curves.neuron((1, -2), (0.5, 0.25), 1, "relu"),
        ),
        (
            "/path?surface=saddle&optimizer=adam&steps=7",
            lambda: {"learning_rate": 0.1, **loss_surfaces.path("saddle", "adam", 0.1, 7)},
        ),
        (
            "/path?optimizer=sgd&learning_rate=0.5&steps=3&x=1&y=2",
            lambda: {"learning_rate": 0.5, **loss_surfaces.path("valley", "sgd", 0.5, 3, (1.0, 2.0))},
        ),
        ("/perceptron?gate=xor&learning_rate=0.2&seed=3", lambda: logic_gates.perceptron("xor", 0.2, 3)),
        ("/two-layers?units=2&activation=relu&seed=5", lambda: logic_gates.two_layers("xor", 2, "relu", 0.5, 5)),
    ],
)
def test_a_figure_gets_what_the_engine_computes(client, path, expected):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    assert client.get(f"/api/explain{path}").json() == plain(expected())


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/depth?activation=softmax",
            "/depth?activation=none",
            "/depth?initializer=",
            "/depth?depth=0",
            "/depth?depth=21",
        ),
        *("/depth?depth=2.5", "/depth?width=9", "/depth?width=201", "/depth?std=0", "/depth?std=nan", "/depth?std=inf"),
        *("/depth?std=1e400", f"/depth?activation={'x' * 100}", "/path?surface=hill", "/path?optimizer=newton"),
        *("/path?learning_rate=0", "/path?learning_rate=-1", "/path?learning_rate=nan", "/path?learning_rate=11"),
        *("/path?steps=0", "/path?steps=201", "/path?x=1", "/path?y=1", "/path?x=11&y=0", "/path?x=nan&y=0"),
        *("/unit?x1=11", "/unit?w1=nan", "/unit?b=", "/unit?activation=none", "/unit?x1=one"),
        *("/perceptron?gate=nor", "/perceptron?learning_rate=0", "/perceptron?seed=-1", "/perceptron?seed=1001"),
        *("/two-layers?units=0", "/two-layers?units=9", "/two-layers?activation=step", "/two-layers?gate="),
        *("/two-layers?learning_rate=inf", "/overfitting?dropout=1", "/overfitting?dropout=0.3"),
        *("/overfitting?weight_decay=-1", "/overfitting?weight_decay=nan", "/batches?batch_size=0"),
        *("/batches?batch_size=7", "/batches?batch_size=", "/image?index=-1", "/image?index=10000", "/image?index=x"),
    ],
)
def test_what_no_figure_asks_for_is_refused(client, path):
    is_an_error(client.get(f"/api/explain{path}"), 422)


def test_small_trainings_are_done_once_and_kept(client, monkeypatch):
    done = []
    batches = small_trainings.batches
    monkeypatch.setattr(small_trainings, "batches", lambda *asked: done.append(asked) or batches(*asked))
    first = client.get("/api/explain/batches?batch_size=all").json()
    assert first["steps"] == 5
    assert client.get("/api/explain/batches?batch_size=all").json() == first
    assert len(done) == 1


def test_where_too_many_ask_for_trainings_the_answer_says_so(client, monkeypatch):
    monkeypatch.setattr("app.web.job_queue.MOST_WAITING", 0)
    answer = client.get("/api/explain/overfitting?dropout=0.5&weight_decay=0.1")
    is_an_error(answer, 503)
    assert answer.headers["retry-after"] == "2"


def test_an_image_is_its_numbers(client):
    found = client.get("/api/explain/image?index=3").json()
    digit = client.get("/api/datasets/strokes/digits?offset=3&limit=1").json()["digits"][0]
    assert (found["index"], found["label"], found["pixels"]) == (3, digit["label"], digit["pixels"])
    assert [len(row) for row in found["values"]] == [28] * 28
    assert max(map(max, found["values"])) <= 1
