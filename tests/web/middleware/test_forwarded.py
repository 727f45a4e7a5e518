"""The root path, and `X-Forwarded-*` of proxies that are trusted and of everybody else."""

import html
import logging
import re
from contextlib import contextmanager
from urllib.parse import urljoin

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.logging import FIELDS
from app.main import create_app
from app.settings import SettingError, Settings
from tests.support.errors import is_an_error

TOKEN = "a-token-of-the-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PAGE = {"accept": "text/html", "accept-language": "en"}
BLANK = {"strokes": []}
PUBLIC = "digits.example"
LOCAL = "127.0.0.1:8000"
BAD_ROOTS = (
    *("pad", "//pad", "/pad/", "//", "/a//b", "/..", "/a/../b", "/.", "/a/./b", "\\pad", "/a\\b"),
    *("/a?b", "/a#b", "/a%20b", "/%2e%2e", "/a b", "/ä", "/日本", "/a\tb", "/a\nb", "/a;b", "/a:b", "/a{0}"),
    *("/<script>", '/a"b', "/a'b", "https://evil.com", "//evil.com", f"/{'x' * 200}", "*"),
)


@contextmanager
def behind_proxy(settings, peer="127.0.0.1", **changes):
    """A client of an app with these settings, which connects from the address of a proxy."""
    settings = Settings(**{**settings.model_dump(), "allowed_hosts": ("testserver", PUBLIC), **changes}, _env_file=None)
    app = create_app(settings)
    address = f"http://{LOCAL}"
    with TestClient(app, address, raise_server_exceptions=False, follow_redirects=False, client=(peer, 5)) as running:
        yield running


@pytest.fixture
def rooted(settings):
    with behind_proxy(settings, root_path="/pad", token=TOKEN) as running:
        yield running


@pytest.fixture
def proxied(settings):
    with behind_proxy(settings) as running:
        yield running


def clients(caplog):
    """The visitors' addresses in the log."""
    return [vars(record)[FIELDS]["client"] for record in caplog.records if record.name == "digitpad.access"]


def addresses(text):
    """All absolute addresses of a page."""
    return [html.unescape(found) for found in re.findall(r'(?:href|src|action)="(/[^"]*)"', text)]


# Settings


@pytest.mark.parametrize("root", BAD_ROOTS)
def test_a_root_path_that_could_stand_in_no_address_is_refused_in_words(root):
    with pytest.raises(ValidationError, match='expected a path such as "/pad"'):
        Settings(root_path=root, _env_file=None)


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("", ""),
        ("/", ""),
        ("/pad", "/pad"),
        ("/user/me@x.org/proxy/8000", "/user/me@x.org/proxy/8000"),
        ("/a/..b", "/a/..b"),
    ],
)
def test_a_root_path_is_taken(given, root):
    assert Settings(root_path=given, _env_file=None).root_path == root


@pytest.mark.parametrize("root", ["/train", "/api", "/static", "/models/x", "/learn", "/v2", "/openapi.json", "/docs"])
def test_a_root_path_that_begins_as_a_page_of_digitpad_is_refused(root):
    with pytest.raises(SettingError, match="DIGITPAD_ROOT_PATH: expected another path"):
        create_app(Settings(root_path=root, _env_file=None))


@pytest.mark.parametrize("proxies", ["*", "nginx", "10.0.0.0/33", "10.0.0.1:80", "10.0.0.1 10.0.0.2"])
def test_a_proxy_that_is_no_address_is_refused(proxies):
    with pytest.raises(ValidationError, match="expected addresses or networks"):
        Settings(trusted_proxies=proxies, _env_file=None)


# The root path


@pytest.mark.parametrize("prefix", ["/pad", ""], ids=["kept", "stripped"])
def test_every_address_of_a_page_has_the_root_path_whether_the_proxy_keeps_it_or_not(rooted, prefix):
    for path in ("/", "/train", "/models/mnist-mlp/judge", "/learn/1", "/learn/code/adam", "/nothing", "/static/x"):
        page = rooted.get(prefix + path, headers={**PAGE, **BEARER})
        assert 'data-root="/pad"' in page.text
        assert addresses(page.text)
        assert all(address.startswith("/pad/") for address in addresses(page.text)), path
        files = [address for address in addresses(page.text) if "/static/" in address]
        assert files
        for address in files:
            assert rooted.get(prefix + address.removeprefix("/pad")).status_code == 200
    catalog = rooted.get(f"{prefix}/", headers={**PAGE, **BEARER, "accept-language": "ja"}).text
    address = re.search(r'src="(/pad/catalog/[^"]+)"', catalog)[1]
    assert rooted.get(prefix + address.removeprefix("/pad")).status_code == 200


@pytest.mark.parametrize("prefix", ["/pad", ""], ids=["kept", "stripped"])
def test_calls_sockets_documents_and_probes_answer_under_the_root_path(rooted, prefix):
    assert rooted.get(f"{prefix}/health").status_code == 200
    assert rooted.post(f"{prefix}/predict", json=BLANK, headers=BEARER).status_code == 200
    is_an_error(rooted.post(f"{prefix}/predict", json=BLANK), 401)
    is_an_error(rooted.get(f"{prefix}/api/nothing", headers={**BEARER, **PAGE}), 404)
    assert set(rooted.get(f"{prefix}/v2/nothing", headers=BEARER).json()) == {"error"}
    wrong = rooted.put(f"{prefix}/api/runs", headers=BEARER)
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["allow"]
    with (
        rooted.websocket_connect(f"{prefix}/api/runs/1/stream", headers=BEARER) as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()
    assert closed.value.reason == "there is no run 1"
    documents = rooted.get(f"{prefix}/docs", headers=BEARER)
    assert set(re.findall(r"""["'](/[^"']*)["']""", documents.text)) >= {
        "/pad/openapi.json",
        "/pad/static-offline-docs/swagger-ui.css",
    }
    assert rooted.get(f"{prefix}/static-offline-docs/swagger-ui.css", headers=BEARER).status_code == 200
    assert rooted.get(f"{prefix}/openapi.json", headers=BEARER).json()["servers"] == [{"url": "/pad"}]


def test_the_gate_sees_the_path_of_the_route(rooted):
    for path in ("/pad/pad/health", "/padding/health", "/health/pad", "/pad//health", "/Pad/health"):
        assert rooted.get(path).status_code == 401, path
    for path in ("/pad/pad/health", "/padding/health", "/pad//health"):
        assert rooted.get(path, headers=BEARER).status_code == 404, path


@pytest.mark.parametrize("prefix", ["/pad", ""], ids=["kept", "stripped"])
def test_cookies_and_redirects_stay_under_the_root_path(rooted, prefix):
    shown = "http://x/pad"
    entered = rooted.get(f"{prefix}/models?x=1&token={TOKEN}", headers=PAGE)
    assert urljoin(f"{shown}/models", entered.headers["location"]) == f"{shown}/models?x=1"
    assert "Path=/pad;" in entered.headers["set-cookie"]
    home = rooted.get(f"{prefix}/?x=1&token={TOKEN}", headers=PAGE).headers["location"]
    for address in (shown, f"{shown}/"):  # a proxy that strips may take both
        assert urljoin(address, home) == f"{address}?x=1"
    for address in ("/language/ja", "/theme/dark"):
        answer = rooted.get(f"{prefix}{address}?next=/pad/train%3Frun%3D1%23x", headers=PAGE)
        assert urljoin(shown + address, answer.headers["location"]) == f"{shown}/train?run=1#x"
        assert "Path=/pad;" in answer.headers["set-cookie"]
        for back in ("//evil.com", "/pad//evil.com", "https://evil.com", "/\\evil.com", "/pad/\t//evil.com", ""):
            location = rooted.get(prefix + address, params={"next": back}, headers=PAGE).headers["location"]
            assert urljoin(shown + address, location).startswith(f"{shown}/"), back


@pytest.mark.parametrize("root", ["", "/pad"])
def test_a_slash_too_many_or_too_few_leads_to_the_page_by_a_relative_address(settings, root):
    with behind_proxy(settings, root_path=root) as client:
        for path, leads_to in (("/train/", "/train"), ("/models/mnist-mlp/judge/?a=b", "/models/mnist-mlp/judge?a=b")):
            for prefix in {root, ""}:
                answer = client.get(prefix + path)
                assert answer.status_code == 307
                assert urljoin(f"http://x{root}{path}", answer.headers["location"]) == f"http://x{root}{leads_to}"
        if root:
            assert urljoin("http://x/pad", client.get("/pad").headers["location"]) == "http://x/pad/"
        is_an_error(client.get(f"{root}/nothing/"), 404)


def test_an_app_beside_that_has_cookies_for_all_paths_is_not_heard(rooted):
    both = (
        "digitpad-language=ja; digitpad-theme=dark; digitpad-language=en; digitpad-theme=light"  # as browsers sort them
    )
    page = rooted.get("/pad/", headers={**PAGE, **BEARER, "cookie": both})
    assert '<html lang="ja"' in page.text
    assert 'data-theme="dark"' in page.text


# What a proxy says


def test_an_address_that_is_not_trusted_says_nothing(settings, caplog):
    told = {
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": PUBLIC,
        "x-forwarded-prefix": "/evil",
        "x-forwarded-context": "/evil",
    }
    for peer in ("10.0.0.5", "testclient", "::2", "128.0.0.1", ""):
        with behind_proxy(settings, peer, token=TOKEN) as client, caplog.at_level(logging.INFO, "digitpad.access"):
            entered = client.get(f"/?token={TOKEN}", headers={**PAGE, **told})
            assert "Secure" not in entered.headers["set-cookie"]
            assert "Path=/;" in entered.headers["set-cookie"]
            page = client.get("/", headers={**PAGE, **told, **BEARER})
            assert "evil" not in page.text
            is_an_error(
                client.post("/predict", json=BLANK, headers={**BEARER, **told, "origin": f"https://{PUBLIC}"}), 403
            )
            assert client.get("/health", headers={**told, "x-forwarded-host": "evil.com"}).status_code == 200
    assert len(clients(caplog)) == 20
    assert "203.0.113.9" not in clients(caplog)


@pytest.mark.parametrize(
    ("peer", "proxies"),
    [
        *(("127.0.0.1", None), ("127.9.9.9", None), ("::1", None), ("::ffff:127.0.0.1", None)),
        *(("172.18.0.1", "172.16.0.0/12"), ("::ffff:172.18.0.1", "10.0.0.1, 172.18.0.1"), ("fd00::5", "fd00::/8")),
    ],
)
def test_a_trusted_proxy_is_believed(settings, caplog, peer, proxies):
    told = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": PUBLIC}
    changes = {} if proxies is None else {"trusted_proxies": proxies}
    with behind_proxy(settings, peer, token=TOKEN, **changes) as client:
        entered = client.get(f"/?token={TOKEN}", headers={**PAGE, **told})
        assert "Secure" in entered.headers["set-cookie"]
        client.cookies.clear()
        with caplog.at_level(logging.INFO, "digitpad.access"):
            answer = client.post("/predict", json=BLANK, headers={**BEARER, **told, "origin": f"https://{PUBLIC}"})
        assert answer.status_code == 200
    assert clients(caplog) == ["203.0.113.9"]


def test_of_several_addresses_the_last_that_is_no_proxy_is_the_visitors(settings, caplog):
    told = {"x-forwarded-for": "1.1.1.1, 203.0.113.9, 10.0.0.5"}
    with (
        behind_proxy(settings, trusted_proxies="127.0.0.1,10.0.0.5") as client,
        caplog.at_level(logging.INFO, "digitpad.access"),
    ):
        client.get("/health", headers=told)
    assert clients(caplog) == ["203.0.113.9"]


@pytest.mark.parametrize(
    ("told", "address"),
    [
        *(("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"), ("203.0.113.9:80", "203.0.113.9")),
        *(("unknown", None), ("_hidden", None), ('a" status=200 b', None), ("x" * 3000, None), ("[::1", None)),
        *(("1.1.1.1, <script>", None), ("", "127.0.0.1"), (" , ", "127.0.0.1"), ("999.1.1.1", None)),
    ],
)
def test_what_is_no_address_is_not_the_visitors(proxied, caplog, told, address):
    with caplog.at_level(logging.INFO, "digitpad.access"):
        assert proxied.get("/health", headers={"x-forwarded-for": told}).status_code == 200
    assert clients(caplog) == [address]


@pytest.mark.parametrize("scheme", ["ftp", "", "https, http", "https://", "HTTPS\x80", "javascript:", "x" * 3000])
def test_a_scheme_that_is_none_is_not_believed(settings, scheme):
    with behind_proxy(settings, token=TOKEN) as client:
        entered = client.get(f"/?token={TOKEN}", headers={**PAGE, "x-forwarded-proto": scheme.encode("latin-1")})
    assert entered.status_code == 303
    assert "Secure" not in entered.headers["set-cookie"]


@pytest.mark.parametrize(
    ("host", "forwarded", "origin", "status"),
    [
        (LOCAL, PUBLIC, f"https://{PUBLIC}", 200),  # a proxy that sends another Host and tells the visitor's
        (LOCAL, PUBLIC, f"http://{LOCAL}", 200),  # and gives its own pages the upstream's origin, as Codespaces does
        (PUBLIC, PUBLIC, f"https://{PUBLIC}", 200),
        (PUBLIC, None, f"https://{PUBLIC}", 200),  # one that keeps the Host and tells nothing
        (LOCAL, f"{PUBLIC}:8443", f"https://{PUBLIC}:8443", 200),
        (LOCAL, "[::1]:8443", "https://[::1]:8443", 200),
        (LOCAL, f"{PUBLIC}, testserver", f"https://{PUBLIC}", 200),  # two, one after the other
        (LOCAL, " , ", f"http://{LOCAL}", 200),
        (LOCAL, None, f"https://{PUBLIC}", 403),
        (LOCAL, PUBLIC, "https://evil.com", 403),
        (LOCAL, PUBLIC, "null", 403),
        (LOCAL, PUBLIC, f"https://{PUBLIC}:8443", 403),
        (LOCAL, "evil.com", "https://evil.com", 421),
        (LOCAL, f"{PUBLIC}, evil.com", f"https://{PUBLIC}", 421),
        (LOCAL, f"evil.com, {PUBLIC}", f"https://{PUBLIC}", 421),
        (LOCAL, "[::1", "http://[::1", 421),
        (LOCAL, "[::1]:99999", f"http://{LOCAL}", 421),
        (LOCAL, f"user@{PUBLIC}", f"https://{PUBLIC}", 421),
        (LOCAL, f"{PUBLIC}/path", f"https://{PUBLIC}", 421),
        (LOCAL, "x" * 5000, f"http://{LOCAL}", 421),
        ("evil.com", "localhost", "http://localhost", 421),  # a page after DNS rebinding can send any but another Host
        ("evil.com", PUBLIC, "http://evil.com", 421),
    ],
)
def test_hosts_and_origins_are_judged_as_the_visitor_sees_them(proxied, host, forwarded, origin, status):
    headers = {"host": host, "origin": origin} | ({} if forwarded is None else {"x-forwarded-host": forwarded})
    answer = proxied.post("/predict", json=BLANK, headers=headers)
    if status == 200:
        assert answer.status_code == 200
        with (
            proxied.websocket_connect("/api/runs/1/stream", headers=headers) as socket,
            pytest.raises(WebSocketDisconnect),
        ):
            socket.receive_json()
        return
    setting = {403: "DIGITPAD_ALLOWED_ORIGINS", 421: "DIGITPAD_ALLOWED_HOSTS"}[status]
    assert setting in is_an_error(answer, status)
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        proxied.websocket_connect("/api/runs/1/stream", headers=headers),
    ):
        """It is not even opened."""
    assert closed.value.status_code == status


def test_two_headers_of_one_kind_are_one_list(proxied):
    headers = [("x-forwarded-host", PUBLIC), ("x-forwarded-host", "evil.com")]
    is_an_error(proxied.get("/health", headers=headers), 421)


@pytest.mark.parametrize("prefix", ["/user/me@x.org/proxy/8000", "/user/me@x.org/proxy/8000/"])
def test_a_prefix_that_a_trusted_proxy_strips_and_names_is_the_root_path(proxied, prefix):
    root = prefix.rstrip("/")
    page = proxied.get("/train", headers={**PAGE, "x-forwarded-prefix": prefix})
    assert f'data-root="{root}"' in page.text
    assert all(address.startswith(f"{root}/") for address in addresses(page.text))
    assert "data-root" not in proxied.get("/train", headers=PAGE).text
    assert 'data-root="/train"' in proxied.get("/train", headers={**PAGE, "x-forwarded-prefix": "/train"}).text
    assert "data-root" not in proxied.get("/train", headers={**PAGE, "x-forwarded-prefix": "/"}).text


@pytest.mark.parametrize(
    "prefix", [*(root for root in BAD_ROOTS if root not in ("/pad/", "//") and "\n" not in root), "/a, /b"]
)
def test_a_prefix_that_is_none_is_refused_in_words(proxied, prefix):
    headers = {"x-forwarded-prefix": prefix.encode()}
    assert "X-Forwarded-Prefix" in is_an_error(proxied.get("/api/runs", headers=headers), 400)
    page = proxied.get("/train/", headers={**PAGE, **headers})
    assert page.status_code == 400
    assert "location" not in page.headers
    assert "<script>&" not in page.text
    assert "<script></" not in page.text
    assert all(re.match(r"/[a-z]|/$", address) for address in addresses(page.text))
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        proxied.websocket_connect("/api/runs/1/stream", headers=headers),
    ):
        """It is not even opened."""
    assert closed.value.status_code == 400


def test_the_setting_goes_before_the_header(rooted):
    page = rooted.get("/train", headers={**PAGE, **BEARER, "x-forwarded-prefix": "/other"})
    assert 'data-root="/pad"' in page.text
    assert "/other" not in page.text
