"""Image sets over HTTP: uploaded, looked through, saved or discarded; nothing is left of what failed."""

import asyncio
import json
import zipfile
from base64 import b64decode
from pathlib import Path

import pytest
from starlette.requests import Request

from app.data.images import archive
from app.data.images.store import ImageSetStore
from app.errors import LimitError, RequestError
from app.web.api import request_body
from app.web.api.request_body import save_body
from app.web.middleware.limits import Capacity
from tests.support.errors import is_an_error
from tests.support.waiting import run_async
from tests.support.zips import bar_files, bars_csv, png, zip_of

BARS = zip_of(bar_files())


@pytest.fixture
def home(settings):
    return settings.home / "images"


def uploaded(client, data=BARS):
    answer = client.post("/api/uploads", content=data)
    assert answer.status_code == 201, answer.text
    return answer.json()


def leftovers(home: Path):
    return [path.name for path in (home / ".drafts").glob("*")]


def listed(client):
    found = client.get("/api/datasets").json()["datasets"]
    return {one["name"]: one for one in found if one["name"].startswith("images:")}


def test_a_zip_is_looked_through_saved_browsed_and_deleted(client, home):
    found = uploaded(client, zip_of({**bar_files(), "up/x.png": b"?", "notes.txt": b"?"}))
    assert (found["counts"], found["train"], found["test"]) == ({"flat": 7, "up": 7}, 12, 2)
    assert (found["unread"], {file["name"] for file in found["unread_files"]}) == (2, {"up/x.png", "notes.txt"})
    sample = found["samples"][0]
    assert (len(b64decode(sample["pixels"])), len(b64decode(sample["original"]))) == (784, 1600)
    assert listed(client) == {}
    saved = client.post(f"/api/uploads/{found['id']}/save", json={"name": "bars"})
    assert (saved.status_code, saved.json()["name"], saved.json()["state"]) == (201, "images:bars", "unread")
    assert listed(client) == {"images:bars": saved.json()}
    assert leftovers(home) == []
    page = client.get("/api/datasets/images:bars/digits").json()
    assert (page["total"], page["counts"]) == (12, {"flat": 6, "up": 6})
    assert listed(client)["images:bars"]["labels"] == ["flat", "up"]
    assert client.delete("/api/datasets/images:bars").status_code == 204
    assert listed(client) == {}
    is_an_error(client.get("/api/datasets/images:bars/digits"), 409)
    is_an_error(client.delete("/api/datasets/images:bars"), 404)


def test_a_file_is_saved_at_once_and_trained_on(client, ended):
    saved = client.put("/api/datasets/images:table", content=bars_csv())
    assert (saved.status_code, saved.json()["name"], saved.json()["counts"]) == (
        201,
        "images:table",
        {"3": 12, "7": 12},
    )
    assert "already a data set" in is_an_error(client.put("/api/datasets/images:table", content=bars_csv()), 409)
    row = ended(client.post("/api/runs", json=run_on("images:table")).json()["id"])
    assert (row["state"], row["config"]["network"]["layers"][-1]["units"]) == ("succeeded", 2)


def run_on(dataset):
    return {"recipe": "quick", "overrides": {"dataset": dataset, "epochs": 1}}


def test_a_run_on_a_set_that_was_deleted_says_so(client, ended, monkeypatch):
    client.put("/api/datasets/images:bars", content=BARS)
    with monkeypatch.context() as patch:
        patch.setattr("app.runs.log.event_log.EventLog.claim", lambda *_, **__: None)
        run = client.post("/api/runs", json=run_on("images:bars")).json()["id"]
        assert client.delete("/api/datasets/images:bars").status_code == 204
        refused = client.post("/api/runs", json=run_on("images:bars"))
        assert "there is no data set images:bars" in is_an_error(refused, refused.status_code)
    row = ended(run)
    assert (row["state"], "there is no data set images:bars" in row["error"]) == ("failed", True)


def test_an_upload_is_discarded(client, home):
    found = uploaded(client)
    assert client.delete(f"/api/uploads/{found['id']}").status_code == 204
    assert leftovers(home) == []
    is_an_error(client.delete(f"/api/uploads/{found['id']}"), 404)
    is_an_error(client.post(f"/api/uploads/{found['id']}/save", json={"name": "bars"}), 404)


def test_a_name_that_is_taken_or_odd_is_refused_and_the_upload_stays(client):
    client.put("/api/datasets/images:bars", content=BARS)
    address = f"/api/uploads/{uploaded(client)['id']}/save"
    is_an_error(client.post(address, json={"name": "bars"}), 409)
    for name in ("", "../x", "A", "文字", "x" * 65):
        assert "expected up to 64 characters" in is_an_error(client.post(address, json={"name": name}), 422)
    assert client.post(address, json={"name": "more"}).status_code == 201


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "got an empty file"),
        (b"\x1f\x8b\x08", 422, "got gzip"),
        (png(), 422, "got PNG"),
        (BARS[:-30], 422, "damaged, or another file"),
        (zip_of({"__MACOSX/._a.png": b""}), 422, "got nothing"),
        (zip_of({"../a.png": b""}), 422, "paths in one folder"),
        (zip_of({"a/1.png": png()}, zipfile.ZIP_LZMA), 422, "got LZMA"),
        (zip_of({"a/1.png": png()}), 422, "expected 2 to 256 folders"),
        (b"label,pixel0\n3,4\n", 422, "line 2: expected 785 columns"),
        (b"hello", 422, "got no line"),
    ],
)
def test_what_is_no_set_is_refused_and_leaves_nothing(data, status, words, client, home):
    for answer in (client.post("/api/uploads", content=data), client.put("/api/datasets/images:x", content=data)):
        assert words in is_an_error(answer, status)
    assert leftovers(home) == []
    assert listed(client) == {}


def test_reasons_are_in_the_caller_s_language(client):
    data = zip_of({**bar_files(), "notes.txt": b"?"})
    (file,) = client.post("/api/uploads", content=data, headers={"accept-language": "ja"}).json()["unread_files"]
    assert not file["reason"].isascii()


@pytest.mark.parametrize(
    ("method", "name", "status"),
    [
        *(("PUT", name, 404) for name in ("mnist", "folder:x", "images:", "images:../x", "images:x/y")),
        *(("PUT", name, 422) for name in ("images:A", "images:.drafts", "images:" + "x" * 65)),
        *(("DELETE", name, 404) for name in ("mnist", "folder:x")),
        ("DELETE", "images:.drafts", 422),
        ("DELETE", "images:none", 404),
    ],
)
def test_only_imported_sets_are_written_and_deleted(method, name, status, client):
    is_an_error(client.request(method, f"/api/datasets/{name}", content=BARS), status)


def test_a_form_and_a_packed_body_are_refused_with_what_to_do(client, home):
    assert "curl -T" in is_an_error(client.post("/api/uploads", files={"file": BARS}), 415)
    is_an_error(client.post("/api/uploads", content=BARS, headers={"content-encoding": "gzip"}), 415)
    assert leftovers(home) == []


def test_a_file_over_the_limit_is_refused_whether_it_says_so_or_not(client, home, monkeypatch):
    monkeypatch.setattr(request_body, "FILE_LIMIT", 2 << 20)
    pieces = [bytes(1 << 20)] * 3
    assert "at most 2 MB" in is_an_error(client.post("/api/uploads", content=b"".join(pieces)), 413)
    assert "at most 2 MB" in is_an_error(client.post("/api/uploads", content=iter(pieces)), 413)
    assert leftovers(home) == []


def test_a_full_disk_and_a_home_that_is_read_only_are_told_and_leave_nothing(client, home, monkeypatch):
    def fail(number):
        def write(*_):
            raise OSError(number, "no")

        return write

    with monkeypatch.context() as patch:
        patch.setattr(archive, "_extract", fail(28))
        assert "the disk is full" in is_an_error(client.post("/api/uploads", content=BARS), 507)
    assert leftovers(home) == []
    with monkeypatch.context() as patch:
        patch.setattr(ImageSetStore, "create_draft", fail(30))
        assert "cannot write" in is_an_error(client.post("/api/uploads", content=BARS), 503)
    assert uploaded(client)


def test_more_uploads_at_once_than_there_is_room_for_are_refused():
    room = Capacity(uploads=1)
    with room.receive_upload(), pytest.raises(LimitError, match="too many uploads"), room.receive_upload():
        pass
    with room.receive_upload():
        pass


def request_of(*messages):
    waiting = list(messages)

    async def receive():
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def part(data, more=True):
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_is_written_in_pieces(tmp_path):
    messages = [part(b"x" * 600_000) for _ in range(4)]
    run_async(save_body(request_of(*messages, part(b"", more=False)), tmp_path / "body"))
    assert (tmp_path / "body").stat().st_size == 2_400_000


def test_a_body_that_breaks_off_or_stops_coming_is_refused(tmp_path, monkeypatch):
    with pytest.raises(RequestError, match="the connection ended"):
        run_async(save_body(request_of(part(b"x"), {"type": "http.disconnect"}), tmp_path / "first"))
    monkeypatch.setattr(request_body, "BODY_SECONDS", 0.05)
    with pytest.raises(RequestError, match="nothing arrived"):
        run_async(save_body(request_of(part(b"x")), tmp_path / "second"))


def test_a_client_that_leaves_in_the_middle_leaves_nothing(client, home):
    found = []

    async def leave():
        messages = [part(BARS[:100]), {"type": "http.disconnect"}]

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message):
            found.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/api/uploads",
            "raw_path": b"/api/uploads",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"testserver")],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        await client.app(scope, receive, send)

    client.portal.call(leave)
    assert found[0]["status"] == 400
    assert leftovers(home) == []
    assert json.loads(found[1]["body"])["code"] == "bad_request"
    assert uploaded(client)


def test_a_client_that_leaves_while_its_files_are_looked_through_leaves_nothing(client, home, monkeypatch):
    async def has_left(self):
        return True

    monkeypatch.setattr(Request, "is_disconnected", has_left)
    is_an_error(client.post("/api/uploads", content=BARS), 400)
    assert leftovers(home) == []
