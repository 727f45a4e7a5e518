"""Invitations: what one opens, and nothing else; how it ends; and that codes cannot be tried one after the other."""

import re
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

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
SECRET = "秘密"


@pytest.fixture
def teacher(tmp_path, cache_dir):
    """A client of a server in a network, which has a set; it sends the token with each call that names it."""
    with app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN) as running:
        assert running.put(SET, json={"labels": ["○", "△"]}, headers=BEARER).status_code == 200
        yield running


@pytest.fixture(scope="module")
def shared_class(tmp_path_factory, cache_dir):
    """A client that is invited to one set of a server, for tests that change nothing."""
    with app_client(tmp_path_factory.mktemp("class"), cache_dir, host="0.0.0.0", token=TOKEN) as running:
        running.put(SET, json={"labels": ["○", "△"]}, headers=BEARER)
        others(running)
        join(running, code_of(invite(running)))
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
    pages.append("/challenge")
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
    assert teacher.get(SET, headers={"host": "evil.example"}).status_code == 421
    for headers in ({}, {"origin": "http://evil.example"}, {"origin": "null"}):
        assert socket_refused(teacher, f"{SET}/stream", **headers).status_code == 403
    preflight = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    assert teacher.options(f"{SET}/drawings", headers=preflight).status_code == 403
    assert teacher.get(SET, headers=BEARER).json()["count"] == 0


def others(client):
    """Another set, with a drawing whose label no invited person may see."""
    client.put("/api/drawings/sets/others", json={"labels": [SECRET, "b"]}, headers=BEARER)
    drawing = {"label": SECRET, "strokes": LINE}
    assert client.post("/api/drawings/sets/others/drawings", json=drawing, headers=BEARER).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/../others",
        "%2f..%2fothers",
        "/%2e%2e/others",
        ";/others",
        "//drawings",
        "/drawings/",
        "/drawings/../../others/drawings",
        "%00",
        "%0a",
        "/invitation",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_path_with_tricks_opens_nothing(shared_class, method, path):
    body = {"label": "b", "strokes": LINE, "labels": ["c"], "set": "others"} if method[0] == "P" else None
    headers = {**ORIGIN, "x-http-method-override": "DELETE", "x-original-url": "/api/drawings"}
    for start in (SET, f"/{SET}", "/draw/shapes", "/join", "/static"):
        answer = shared_class.request(method, start + path, json=body, headers=headers)
        # the prefixes of codes and of style are open to all
        allowed = (401, 403, 404, 307) if start in ("/join", "/static") else (401, 403)
        assert answer.status_code in allowed, (start + path, answer.status_code)
        assert answer.headers.get("location", "../drawings") == "../drawings"
        assert SECRET not in answer.text
    details = shared_class.get("/api/drawings/sets/others", headers=BEARER).json()
    assert (details["labels"], details["declared"]) == ({SECRET: 1}, [SECRET, "b"])


def test_a_cookie_opens_its_own_set_alone_and_a_browser_may_hold_two(teacher):
    others(teacher)
    join(teacher, code_of(invite(teacher)))
    code = code_of(invite(teacher, "/api/drawings/sets/others/invitation"))
    sets = ("/api/drawings/sets/others", SET)
    assert [teacher.get(path).status_code for path in sets] == [403, 200]
    assert teacher.post(f"{sets[0]}/drawings", json={**DRAWING, "label": "b"}, headers=ORIGIN).status_code == 403
    assert teacher.get("/draw/others").status_code == 403
    assert socket_refused(teacher, f"{sets[0]}/stream", **ORIGIN).status_code == 403
    value = next(cookie.value for cookie in teacher.cookies.jar)
    stranger = TestClient(teacher.app, raise_server_exceptions=False, follow_redirects=False)
    assert stranger.get(SET, headers={"cookie": f"digitpad-invited-x={value[:-1]}"}).status_code == 403
    assert stranger.get(SET, headers={"cookie": f"digitpad-x={value}"}).status_code == 401
    assert stranger.get(SET, headers={"authorization": f"Bearer {value}"}).status_code == 401
    assert stranger.get(f"/draw/shapes?token={value}").status_code == 401
    assert teacher.get(f"/join/{code}").headers["location"] == "../draw/others"
    assert [teacher.get(path).status_code for path in sets] == [200, 200]


def test_below_a_root_path_an_invitation_opens_the_same(tmp_path, cache_dir):
    with app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN, root_path="/pad") as client:
        client.put(f"/pad{SET}", json={"labels": ["○", "△"]}, headers=BEARER)
        made = invite(client, f"/pad{INVITATION}")
        assert made["address"].startswith("http://testserver/pad/join/")
        answer = client.get(f"/pad/join/{code_of(made)}")
        assert answer.headers["location"] == "../draw/shapes"
        assert "path=/pad;" in answer.headers["set-cookie"].lower()
        assert client.get("/pad/draw/shapes", headers=PAGE).status_code == 200
        assert client.post(f"/pad{SET}/drawings", json=DRAWING, headers=ORIGIN).status_code == 201
        cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
        for path in ("/pad/api/drawings", f"/pad/pad{SET}", f"/pad/{SET}", f"/pad{SET[1:]}", "/pad/", "/pad"):
            assert client.get(path, headers=cookie).status_code in (401, 403), path


def test_the_invited_page_shows_no_secret_and_leads_nowhere_else(teacher):
    code = code_of(invite(teacher))
    key = join(teacher, code).partition("=")[2].partition(";")[0]
    pages = [teacher.get(path, headers=PAGE).text for path in ("/draw/shapes", "/join/22222222", "/join/x")]
    teacher.delete(INVITATION, headers=BEARER)
    pages.append(teacher.get("/draw/shapes", headers=PAGE).text)
    assert [ENDED in page for page in pages] == [False, False, False, True]
    for page in pages:
        for secret in (code, code.replace("-", ""), key, TOKEN):
            assert secret not in page
        links = re.findall(r'(?:href|src|action)="([^"]*)"', page)
        assert len(links) > 5
        assert [link for link in links if not re.match(r"#|/(?:static|language|theme|catalog)/", link)] == []


def test_the_log_does_not_have_the_code(teacher, caplog):
    code = code_of(invite(teacher))
    with caplog.at_level("INFO", "digitpad.access"):
        join(teacher, code)
        teacher.get("/join/22222222")
    said = [record.getMessage() for record in caplog.records if record.name == "digitpad.access"]
    assert said == ["GET /join/..."] * 2


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
    clock = SimpleNamespace(time=lambda: time.time() + module.LIFETIME_SECONDS + 1)
    monkeypatch.setattr(module, "time", clock)
    assert refuses(teacher.get(SET), 403, ENDED)
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


@pytest.mark.parametrize("expires", ["NaN", "Infinity", "1e999", "1e300", "-1", '"soon"', "null", "[]"])
def test_an_invitation_that_would_not_end_lets_nobody_in(tmp_path, expires):
    store = Invitations(tmp_path)
    code = store.create("shapes")
    path = tmp_path / "shapes.json"
    path.write_text(re.sub(r'("expires": )[\d.]+', rf"\g<1>{expires}", path.read_text()))
    assert f'"expires": {expires}' in path.read_text()
    assert store.find("shapes") is None
    assert store.accept(code) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"salt": 1, "sha256": "", "expires": 1}', "\xff", "{" * 9])
def test_a_damaged_file_lets_nobody_in(tmp_path, text):
    store = Invitations(tmp_path)
    (tmp_path / "shapes.json").write_bytes(text.encode("latin-1"))
    assert store.find("shapes") is None
    assert store.accept("22222222") is None
    assert not store.holds("shapes", [""])


def test_a_server_that_nobody_else_reaches_says_what_is_needed(client):
    client.put(SET, json={"labels": ["○", "△"]})
    for method in ("GET", "POST"):  # before anybody presses, too
        assert refuses(client.request(method, INVITATION), 409, "make run HOST=0.0.0.0")


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
