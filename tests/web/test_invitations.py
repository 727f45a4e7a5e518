"""Invitations: what one opens, and nothing else; how it ends; and that codes cannot be tried one after the other."""

import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.web import invitations as module
from app.web.invitations import ALPHABET, Invitations, cookie_name, opened_set
from app.web.middleware.authentication import FREE_TRIES
from tests.web.middleware.test_security import BEARER, PAGE, TOKEN, app_client, socket_refused

ORIGIN = {"origin": "http://testserver"}
LINE = [[[0, 0], [5, 5]]]
DRAWING = {"label": "○", "strokes": LINE}
SET = "/api/drawings/sets/shapes"
INVITATION = f"{SET}/invitation"
ENDED = "this invitation has ended"


@pytest.fixture
def teacher(tmp_path, cache_dir):
    """A client of a server in a network, which has a set; it sends the token with each call that names it."""
    with app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN) as running:
        assert running.put(SET, json={"labels": ["○", "△"]}, headers=BEARER).status_code == 200
        yield running


def invite(client, path=INVITATION):
    answer = client.post(path, headers=BEARER)
    assert answer.status_code == 201, answer.text
    return answer.json()


def join(client, code):
    """Trade a code for a cookie, which the client then holds."""
    answer = client.get(f"/join/{code}", headers=PAGE)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "../draw/shapes"
    return answer.headers["set-cookie"]


def refuses(answer, status, words):
    return answer.status_code == status and words in answer.json()["error"]


def code_of(made):
    return made["address"].rpartition("/")[2]


def test_an_invited_person_draws_into_the_set_and_sees_its_counts(teacher):
    made = invite(teacher)
    assert re.fullmatch(rf"http://testserver/join/[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", made["address"])
    assert made["qr"].startswith("data:image/svg+xml")
    cookie = join(teacher, code_of(made).lower())
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert code_of(made).replace("-", "") not in cookie
    page = teacher.get("/draw/shapes", headers=PAGE)
    assert page.status_code == 200
    assert teacher.post(f"{SET}/drawings", json=DRAWING, headers=ORIGIN).status_code == 201
    assert teacher.get(SET).json()["labels"] == {"○": 1}
    with teacher.websocket_connect(f"{SET}/stream", headers=ORIGIN) as socket:
        assert socket.receive_json()["sets"][0]["count"] == 1


def test_an_invitation_opens_no_other_route(teacher):
    join(teacher, code_of(invite(teacher)))
    opened = set()
    schema = teacher.get("/openapi.json", headers=BEARER).json()["paths"]
    pages = ["/", "/train", "/compare", "/data", "/augmentation", "/mine", "/models", "/learn", "/docs", "/metrics"]
    calls = [(method.upper(), path) for path, methods in schema.items() for method in methods]
    for method, path in [*calls, *(("GET", page) for page in pages)]:
        for name in ("shapes", "others"):
            address = path.replace("{name}", name).replace("{drawing_id}", "x")
            address = re.sub(r"\{[^}]*\}", "1", address)
            status = teacher.request(method, address, headers=ORIGIN).status_code
            if status not in (401, 403):
                opened.add((method, address))
    healthy = {("GET", "/health"), ("GET", "/v2/health/live"), ("GET", "/v2/health/ready")}
    assert opened == healthy | {("GET", SET), ("POST", f"{SET}/drawings")}
    for path in ("/api/drawings/stream", "/api/drawings/sets/others/stream", "/api/runs/1/stream"):
        assert socket_refused(teacher, path, **ORIGIN).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/draw/shapes/stream", "/draw/shapes/drawings", f"{SET}/", f"{SET}/stream\n", f"/x{SET}", "/draw/..", "/draw/"],
)
def test_paths_that_only_look_like_the_sets_stay_shut(path):
    assert opened_set("GET", path) is None
    assert opened_set("POST", path) is None


def test_another_sites_page_cannot_use_the_invitation(teacher):
    join(teacher, code_of(invite(teacher)))
    for headers in ({}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert teacher.post(f"{SET}/drawings", json=DRAWING, headers=headers).status_code == 403
    assert teacher.get(SET, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert teacher.get(SET, headers=BEARER).json()["count"] == 0


def test_an_ended_invitation_says_so_and_open_sockets_close(teacher):
    code = code_of(invite(teacher))
    join(teacher, code)
    with teacher.websocket_connect(f"{SET}/stream", headers=ORIGIN) as socket:
        assert socket.receive_json()["type"] == "sets"
        assert teacher.delete(INVITATION, headers=BEARER).status_code == 204
        with pytest.raises(WebSocketDisconnect) as closed:
            deque(iter(socket.receive_json, None), 0)
        assert (closed.value.code, closed.value.reason) == (1008, ENDED)
    for _ in range(2 * FREE_TRIES):
        answer = teacher.post(f"{SET}/drawings", json=DRAWING, headers=ORIGIN)
        assert refuses(answer, 403, ENDED)
    assert teacher.get("/draw/shapes", headers=PAGE).status_code == 403
    assert refuses(teacher.get(f"/join/{code}"), 403, "ended")
    assert teacher.get(INVITATION, headers=BEARER).json() == {"name": "shapes", "expires": None}


def test_a_new_invitation_a_removed_set_and_a_day_end_it(teacher, monkeypatch):
    join(teacher, code_of(invite(teacher)))
    second = code_of(invite(teacher))
    assert teacher.get(SET).status_code == 403
    join(teacher, second)
    assert teacher.get(SET).status_code == 200
    now = module.time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + module.LIFETIME_SECONDS + 1)
    assert teacher.get(SET).status_code == 403
    monkeypatch.undo()
    assert teacher.get(SET).status_code == 200
    assert teacher.delete(SET, headers=BEARER).status_code == 204
    teacher.put(SET, json={"labels": ["○", "△"]}, headers=BEARER)
    assert teacher.get(SET).status_code == 403


def test_forty_draw_at_once_by_one_invitation(teacher):
    code = code_of(invite(teacher))

    def draw(number):
        phone = TestClient(teacher.app, raise_server_exceptions=False, follow_redirects=False)
        join(phone, code)
        return phone.post(f"{SET}/drawings", json={**DRAWING, "key": f"phone-{number}"}, headers=ORIGIN).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(draw, range(40))) == {201}
    assert teacher.get(SET, headers=BEARER).json()["count"] == 40


def test_it_outlasts_a_restart_and_holds_on_every_server_of_the_home(tmp_path, cache_dir):
    with ExitStack() as stack:
        first = stack.enter_context(app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN))
        first.put(SET, json={"labels": ["○", "△"]}, headers=BEARER)
        code = code_of(invite(first))
    with (
        app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN) as second,
        app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN) as third,
    ):
        join(second, code)
        join(third, code)
        assert second.delete(INVITATION, headers=BEARER).status_code == 204
        assert second.get(SET).status_code == third.get(SET).status_code == 403


def test_wrong_codes_are_slowed_and_do_not_hold_up_the_owner(teacher, monkeypatch):
    delays = []

    async def note(seconds):
        delays.append(seconds)

    monkeypatch.setattr("app.web.middleware.authentication.asyncio.sleep", note)
    for code in ["22222222", "K7Q2-9XPF", "x", "%00", "<b>", "A" * 5000, *["33333333"] * FREE_TRIES]:
        assert refuses(teacher.get(f"/join/{code}"), 403, "opens no invitation")
    assert delays
    before = len(delays)
    assert teacher.get(SET, headers=BEARER).status_code == 200
    assert len(delays) == before


def test_files_are_the_users_alone_and_do_not_show_the_code(tmp_path):
    store = Invitations(tmp_path / "invitations")
    code = store.create("shapes")
    path = tmp_path / "invitations" / "shapes.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert code not in path.read_text()
    name, key = store.accept(code)
    assert name == "shapes"
    assert store.holds("shapes", ["x", key])
    assert not store.holds("others", [key])
    assert key not in path.read_text()
    assert cookie_name(key) != cookie_name("x")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"salt": 1, "sha256": "", "expires": 1}', "\xff", "{" * 9])
def test_a_damaged_file_lets_nobody_in(tmp_path, text):
    store = Invitations(tmp_path)
    (tmp_path / "shapes.json").write_bytes(text.encode("latin-1"))
    assert store.find("shapes") is None
    assert store.accept("22222222") is None
    assert not store.holds("shapes", [""])


def test_a_server_that_nobody_else_reaches_says_what_is_needed(client):
    client.put(SET, json={"labels": ["○", "△"]})
    assert refuses(client.post(INVITATION), 409, "make run HOST=0.0.0.0")


@pytest.mark.parametrize("name", ["%3Cb%3E", "Mine", "x" * 65])
def test_a_set_that_cannot_be_or_is_not_has_no_invitation(teacher, name):
    for method in ("GET", "POST", "DELETE"):
        answer = teacher.request(method, f"/api/drawings/sets/{name}/invitation", headers=BEARER)
        assert refuses(answer, 422, "a-z")
    assert refuses(teacher.post("/api/drawings/sets/others/invitation", headers=BEARER), 404, "others")


def test_asking_from_another_site_has_no_effect(teacher):
    code = code_of(invite(teacher))
    refused = teacher.get(INVITATION, headers={**BEARER, "sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    join(teacher, code)
