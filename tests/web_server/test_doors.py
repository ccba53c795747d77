"""Every route and socket, and who may pass: Host, Origin, where a request comes from, both secrets, no path tricks."""

from __future__ import annotations

import json
import secrets

import pytest
from websockets.exceptions import InvalidStatus

from overmind_web.server.guard import POLICY
from tests.kit.web_client import Session
from tests.web_server.conftest import Served

CLOSED_ROUTES = [
    ("GET", "/api/v1/ps"),
    ("POST", "/api/v1/ps"),
    ("POST", "/api/v1/run"),
    ("GET", "/api/v1/events"),
    ("GET", "/api/v1/log/1"),
    ("GET", "/api/v1/screen/1"),
    ("GET", "/openapi.json"),
    ("POST", "/logout"),
    ("GET", "/login"),
    ("GET", "/nothing"),
    ("GET", "/ws"),
    ("GET", "/tty"),
    ("PUT", "/"),
    ("POST", "/"),
    ("POST", "/s/x/app.js"),
    ("DELETE", "/login"),
]
SOCKETS = ["/ws", "/tty?id=nothing&mode=look", "/tty?id=nothing&mode=type", "/nothing"]
RANDOM = secrets.token_urlsafe(32)


def shown(session: Session) -> dict[str, dict[str, str]]:
    """What somebody may show who is not to pass: what it is → headers of a request."""
    name, _, value = session.cookie.partition("=")
    return {
        "nothing": {},
        "the cookie only": {"Cookie": session.cookie},
        "the key only": {"X-Overmind-Key": session.key},
        "a wrong key": {"Cookie": session.cookie, "X-Overmind-Key": RANDOM},
        "a wrong cookie": {"Cookie": f"{name}={RANDOM}", "X-Overmind-Key": session.key},
        "the secrets exchanged": {"Cookie": f"{name}={session.key}", "X-Overmind-Key": value},
        "a wrong token": {"Authorization": f"Bearer {RANDOM}"},
        "an empty token": {"Authorization": "Bearer "},
        "another scheme": {"Authorization": "Basic YTpi"},
        "the key as a token": {"Authorization": f"Bearer {session.key}", "Cookie": session.cookie},
        "a cookie of another name": {"Cookie": f"x{session.cookie}", "X-Overmind-Key": session.key},
    }


@pytest.mark.parametrize("what", list(shown(Session("a=b", "c"))))
@pytest.mark.parametrize(("method", "path"), CLOSED_ROUTES)
def test_no_route_opens_without_both_secrets(served, method, path, what):
    headers = shown(served.session)[what]
    answer = served.client.ask(method, path, headers)
    assert answer.status == 401, answer
    assert answer.json()["error"] == "unauthorized"


@pytest.mark.parametrize("what", list(shown(Session("a=b", "c"))))
@pytest.mark.parametrize("path", SOCKETS)
def test_no_socket_opens_without_both_secrets_and_says_so_with_a_status(served, path, what):
    headers = shown(served.session)[what]
    key = headers.pop("X-Overmind-Key", None)
    with pytest.raises(InvalidStatus) as refused:
        served.client.socket(path, headers=list(headers.items()), key=key)
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body or b"")["error"] == "unauthorized"


def test_the_key_of_a_socket_is_no_header_and_that_of_a_request_no_subprotocol(served):
    headers = [("X-Overmind-Key", served.session.key), ("Cookie", served.session.cookie)]
    with pytest.raises(InvalidStatus) as refused:
        served.client.socket("/ws", headers=headers, key=None)
    assert refused.value.response.status_code == 401
    words = {"Cookie": served.session.cookie, "Sec-WebSocket-Protocol": f"overmind.1, key.{served.session.key}"}
    assert served.client.ask("GET", "/api/v1/ps", words).status == 401


def test_what_is_open_is_the_shell_its_files_and_the_login(served):
    shell = served.client.ask("GET", "/")
    assert shell.status == 200
    assert served.client.ask("HEAD", "/", {"Origin": None}).status == 200
    assert served.client.ask("POST", "/login", body="{}").status == 400
    version = shell.body.split(b"s/", 1)[1].split(b"/", 1)[0].decode()
    file = served.client.ask("GET", f"/s/{version}/app.js")
    assert file.status == 200
    assert file.header("cache-control") == "public, max-age=31536000, immutable"
    assert shell.header("cache-control") == "no-store"
    for answer in (shell, file):
        assert answer.header("content-security-policy") == POLICY
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("referrer-policy") == "no-referrer"
        assert answer.header("cross-origin-opener-policy") == "same-origin"
        assert answer.header("cross-origin-resource-policy") == "same-origin"
        assert answer.header("server") is None
        assert not [name for name, _ in answer.headers if name.startswith("access-control")]


def test_who_is_logged_in_passes_and_one_subprotocol_is_echoed(served):
    with served.client.socket("/ws", served.session) as socket:
        assert socket.subprotocol == "overmind.1"
        assert json.loads(socket.recv())["t"] == "hello"


HOSTS = {
    "missing": None,
    "empty": "",
    "foreign": "evil.example",
    "foreign with our port": "evil.example:{port}",
    "another port": "127.0.0.1:{other}",
    "no port": "127.0.0.1",
    "more digits": "127.0.0.1:{port}0",
    "a name before it": "x.127.0.0.1:{port}",
    "a name behind it": "127.0.0.1.evil.example:{port}",
    "a person in it": "evil@127.0.0.1:{port}",
    "a list": "127.0.0.1:{port}, evil.example",
    "another address of this machine": "127.0.0.2:{port}",
    "not ASCII": "127.0.0.1\u00e9:{port}",
}
"""What is wrong → the header, with our port, or another one, in it."""


def filled(template: str | None, served: Served) -> str | None:
    port = int(served.client.host.rpartition(":")[2])
    return None if template is None else template.format(port=port, other=port + 1 if port < 65_535 else 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("host", list(HOSTS))
def test_a_host_that_is_not_ours_is_misdirected(served, host, method):
    path, session = ("/", {}) if method == "GET" else ("/api/v1/ps", served.session.headers())
    answer = served.client.ask(method, path, {**session, "Host": filled(HOSTS[host], served)})
    assert (answer.status, answer.json()["error"]) == (421, "misdirected")


def test_two_hosts_are_misdirected_also_when_both_are_ours(served):
    assert served.client.ask("GET", "/", more=[("Host", served.client.host)]).status == 421
    assert served.client.ask("GET", "/", more=[("host", "evil.example")]).status == 421


def test_a_host_that_is_not_ours_is_misdirected_for_sockets_too(served):
    with pytest.raises(InvalidStatus) as refused:
        served.client.socket("/ws", served.session, host="evil.example")
    assert refused.value.response.status_code == 421


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "[::1]", "127.0.0.1"])
def test_all_names_of_this_machine_are_ours(served, name):
    host = f"{name}:{served.client.host.rpartition(':')[2]}"
    assert served.client.ask("GET", "/", {"Host": host}).status == 200


ORIGINS = {
    "missing": None,
    "empty": "",
    "null": "null",
    "foreign": "https://evil.example",
    "one digit more": "http://127.0.0.1:{port}0",
    "another port": "http://127.0.0.1:{other}",
    "the other scheme": "https://127.0.0.1:{port}",
    "another name of this machine": "http://localhost:{port}",
    "a slash behind it": "http://127.0.0.1:{port}/",
    "upper case": "HTTP://127.0.0.1:{port}",
    "a name behind it": "http://127.0.0.1:{port}.evil.example",
    "two in one": "http://127.0.0.1:{port} https://evil.example",
}
"""The same of Origin."""


@pytest.mark.parametrize("origin", list(ORIGINS))
def test_an_origin_that_is_not_ours_may_not_write(served, origin):
    headers = {**served.session.headers(), "Origin": filled(ORIGINS[origin], served)}
    answer = served.client.ask("POST", "/api/v1/ps", headers, "{}")
    assert (answer.status, answer.json()["error"]) == (403, "forbidden")
    assert served.client.ask("POST", "/login", {"Origin": headers["Origin"]}, "{}").status == 403


@pytest.mark.parametrize("origin", [one for one in ORIGINS if one != "missing"])
def test_an_origin_that_is_not_ours_may_not_read(served, origin):
    headers = {**served.session.headers(), "Origin": filled(ORIGINS[origin], served)}
    assert served.client.ask("GET", "/api/v1/ps", headers).status == 403
    assert served.client.ask("GET", "/", {"Origin": headers["Origin"]}).status == 403


@pytest.mark.parametrize("origin", list(ORIGINS))
def test_an_origin_that_is_not_ours_opens_no_socket(served, origin):
    with pytest.raises(InvalidStatus) as refused:
        served.client.socket("/ws", served.session, origin=filled(ORIGINS[origin], served))
    assert refused.value.response.status_code == 403


def test_two_origins_are_refused_also_when_both_are_ours(served):
    more = [("Origin", served.client.origin)]
    assert served.client.ask("POST", "/api/v1/ps", served.session.headers(), "{}", more=more).status == 403


NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_in_a_foreign_page_opens_the_shell_and_nothing_else(served, site):
    from_there = {"Sec-Fetch-Site": site, **NAVIGATION}
    assert served.client.ask("GET", "/", dict(from_there)).status == 200
    assert served.client.ask("GET", "/api/v1/ps", {**served.session.headers(), **from_there}).status == 403
    assert served.client.ask("POST", "/login", dict(from_there), "{}").status == 403
    for loaded in (
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {**NAVIGATION, "Sec-Fetch-Dest": "iframe"},
    ):
        assert served.client.ask("GET", "/", {"Sec-Fetch-Site": site, **loaded}).status == 403
    with pytest.raises(InvalidStatus) as refused:
        served.client.socket("/ws", served.session, headers=[("Sec-Fetch-Site", site)])
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_requests_of_our_own_pages_and_of_the_address_bar_pass(served, site):
    assert served.client.ask("GET", "/", {"Sec-Fetch-Site": site}).status == 200
    with served.client.socket("/ws", served.session, headers=[("Sec-Fetch-Site", site)]) as socket:
        assert json.loads(socket.recv())["t"] == "hello"


@pytest.mark.parametrize("site", ["", "same-origin, cross-site", "SAME-ORIGIN", "anything"])
def test_a_site_that_no_browser_names_is_refused(served, site):
    assert served.client.ask("GET", "/", {"Sec-Fetch-Site": site}).status == 403


@pytest.mark.parametrize("name", ["Cookie", "X-Overmind-Key", "Authorization", "Sec-Fetch-Site", "Content-Type"])
def test_a_header_that_decides_something_may_be_there_once(served, name):
    value = served.session.headers().get(name) or {"Sec-Fetch-Site": "none"}.get(name, "x")
    headers = {**served.session.headers(), name: value}
    answer = served.client.ask("POST", "/logout", headers, more=[(name.lower(), value)])
    assert answer.status == 403, answer
    assert served.client.ask("GET", "/openapi.json", served.session.headers()).status != 401


@pytest.mark.parametrize(
    "path",
    [
        "/s/../app.js", "/s/v/../../overmind_core/version.py", "/s/v/%2e%2e/%2e%2e/x", "/s/v/..%2f..%2fetc/passwd",
        "/s/v/%00", "/s/v/app.js%00", "/s/v/%ff%fe", "/s/v/" + "a" * 20_000, "/s/%s%n/x", "/s//app.js", "/s/", "/s",
        "/s/v//etc/passwd", "/s/v/\\..\\x", "/%2e%2e/", "//", "///s/v/app.js", "/s/v/app.js/..", "/;/", "/?x=/s/",
        "/s/v/VENDOR.toml", "/ws/../s/x", "/%00", "/%", "/%zz", "/s/v/%",
    ],
)  # fmt: skip
def test_no_trick_of_a_path_reaches_a_file_or_breaks_the_server(served, path):
    assert served.client.ask("GET", path).status in {200, 400, 401, 404} - ({200} if path != "/?x=/s/" else set())


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET /\r\n",
        b"\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        bytes(range(256)),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_nothing_else(served, request_):
    with served.client.connect() as connection:
        connection.sendall(request_)
        connection.shutdown(1)
        answer = connection.recv(1 << 16)
    assert not answer or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421", b"HTTP/1.1 405"))
    assert served.client.ask("GET", "/").status == 200
