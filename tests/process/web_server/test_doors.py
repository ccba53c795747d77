"""Every route and socket, and who may pass: Host, Origin, where a request comes from, both secrets, no path tricks."""

from __future__ import annotations

import json
import secrets

import pytest
from websockets.exceptions import InvalidStatus

from overmind_web.server.guard import POLICY
from tests.kit.web_client import Session
from tests.kit.web_site import Site

pytestmark = pytest.mark.shared_home

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


def test_no_route_opens_without_both_secrets(site, cases):
    for method, path in CLOSED_ROUTES:
        for what, headers in shown(site.session).items():
            with cases(f"{method} {path} with {what}"):
                answer = site.client.ask(method, path, headers)
                assert answer.status == 401, answer
                assert answer.json()["error"] == "unauthorized"


def test_no_socket_opens_without_both_secrets_and_says_so_with_a_status(site, cases):
    for path in SOCKETS:
        for what, headers in shown(site.session).items():
            key = headers.pop("X-Overmind-Key", None)
            with cases(f"{path} with {what}"):
                with pytest.raises(InvalidStatus) as refused:
                    site.client.socket(path, headers=list(headers.items()), key=key)
                assert refused.value.response.status_code == 401
                assert json.loads(refused.value.response.body or b"")["error"] == "unauthorized"


def test_the_key_of_a_socket_is_no_header_and_that_of_a_request_no_subprotocol(site):
    headers = [("X-Overmind-Key", site.session.key), ("Cookie", site.session.cookie)]
    with pytest.raises(InvalidStatus) as refused:
        site.client.socket("/ws", headers=headers, key=None)
    assert refused.value.response.status_code == 401
    words = {"Cookie": site.session.cookie, "Sec-WebSocket-Protocol": f"overmind.1, key.{site.session.key}"}
    assert site.client.ask("GET", "/api/v1/ps", words).status == 401


def test_what_is_open_is_the_shell_its_files_and_the_login(site):
    shell = site.client.ask("GET", "/")
    assert shell.status == 200
    assert site.client.ask("HEAD", "/", {"Origin": None}).status == 200
    assert site.client.ask("POST", "/login", body="{}").status == 400
    version = shell.body.split(b"s/", 1)[1].split(b"/", 1)[0].decode()
    file = site.client.ask("GET", f"/s/{version}/app.js")
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


def test_who_is_logged_in_passes_and_one_subprotocol_is_echoed(site):
    with site.client.socket("/ws", site.session) as socket:
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


def filled(template: str | None, site: Site) -> str | None:
    other = site.port + 1 if site.port < 65_535 else 1
    return None if template is None else template.format(port=site.port, other=other)


def test_a_host_that_is_not_ours_is_misdirected(site, cases):
    for method, path, session in (("GET", "/", {}), ("POST", "/api/v1/ps", site.session.headers())):
        for what, host in HOSTS.items():
            with cases(f"{method} {what}"):
                answer = site.client.ask(method, path, {**session, "Host": filled(host, site)})
                assert (answer.status, answer.json()["error"]) == (421, "misdirected")


def test_two_hosts_are_misdirected_also_when_both_are_ours(site):
    assert site.client.ask("GET", "/", more=[("Host", site.client.host)]).status == 421
    assert site.client.ask("GET", "/", more=[("host", "evil.example")]).status == 421


def test_a_host_that_is_not_ours_is_misdirected_for_sockets_too(site):
    with pytest.raises(InvalidStatus) as refused:
        site.client.socket("/ws", site.session, host="evil.example")
    assert refused.value.response.status_code == 421


def test_all_names_of_this_machine_are_ours(site, cases):
    for name in ("localhost", "LOCALHOST", "[::1]", "127.0.0.1"):
        with cases(name):
            assert site.client.ask("GET", "/", {"Host": f"{name}:{site.port}"}).status == 200


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


def test_an_origin_that_is_not_ours_may_not_write(site, cases):
    for what, template in ORIGINS.items():
        with cases(what):
            origin = filled(template, site)
            answer = site.client.ask("POST", "/api/v1/ps", {**site.session.headers(), "Origin": origin}, "{}")
            assert (answer.status, answer.json()["error"]) == (403, "forbidden")
            assert site.client.ask("POST", "/login", {"Origin": origin}, "{}").status == 403


def test_an_origin_that_is_not_ours_may_not_read(site, cases):
    for what, template in ORIGINS.items():
        if what == "missing":
            continue
        with cases(what):
            origin = filled(template, site)
            assert site.client.ask("GET", "/api/v1/ps", {**site.session.headers(), "Origin": origin}).status == 403
            assert site.client.ask("GET", "/", {"Origin": origin}).status == 403


def test_an_origin_that_is_not_ours_opens_no_socket(site, cases):
    for what, template in ORIGINS.items():
        with cases(what):
            with pytest.raises(InvalidStatus) as refused:
                site.client.socket("/ws", site.session, origin=filled(template, site))
            assert refused.value.response.status_code == 403


def test_two_origins_are_refused_also_when_both_are_ours(site):
    more = [("Origin", site.client.origin)]
    assert site.client.ask("POST", "/api/v1/ps", site.session.headers(), "{}", more=more).status == 403


NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("origin", ["cross-site", "same-site"])
def test_a_link_in_a_foreign_page_opens_the_shell_and_nothing_else(site, origin):
    from_there = {"Sec-Fetch-Site": origin, **NAVIGATION}
    assert site.client.ask("GET", "/", dict(from_there)).status == 200
    assert site.client.ask("GET", "/api/v1/ps", {**site.session.headers(), **from_there}).status == 403
    assert site.client.ask("POST", "/login", dict(from_there), "{}").status == 403
    for loaded in (
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {**NAVIGATION, "Sec-Fetch-Dest": "iframe"},
    ):
        assert site.client.ask("GET", "/", {"Sec-Fetch-Site": origin, **loaded}).status == 403
    with pytest.raises(InvalidStatus) as refused:
        site.client.socket("/ws", site.session, headers=[("Sec-Fetch-Site", origin)])
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["none", "same-origin"])
def test_requests_of_our_own_pages_and_of_the_address_bar_pass(site, origin):
    assert site.client.ask("GET", "/", {"Sec-Fetch-Site": origin}).status == 200
    with site.client.socket("/ws", site.session, headers=[("Sec-Fetch-Site", origin)]) as socket:
        assert json.loads(socket.recv())["t"] == "hello"


def test_a_site_that_no_browser_names_is_refused(site, cases):
    for named in ("", "same-origin, cross-site", "SAME-ORIGIN", "anything"):
        with cases(named):
            assert site.client.ask("GET", "/", {"Sec-Fetch-Site": named}).status == 403


def test_a_header_that_decides_something_may_be_there_once(site, cases):
    for name in ("Cookie", "X-Overmind-Key", "Authorization", "Sec-Fetch-Site", "Content-Type"):
        with cases(name):
            value = site.session.headers().get(name) or {"Sec-Fetch-Site": "none"}.get(name, "x")
            headers = {**site.session.headers(), name: value}
            answer = site.client.ask("POST", "/logout", headers, more=[(name.lower(), value)])
            assert answer.status == 403, answer
    assert site.client.ask("GET", "/openapi.json", site.session.headers()).status != 401


TRICKS = (
        "/s/../app.js", "/s/v/../../overmind_core/version.py", "/s/v/%2e%2e/%2e%2e/x", "/s/v/..%2f..%2fetc/passwd",
        "/s/v/%00", "/s/v/app.js%00", "/s/v/%ff%fe", "/s/v/" + "a" * 20_000, "/s/%s%n/x", "/s//app.js", "/s/", "/s",
        "/s/v//etc/passwd", "/s/v/\\..\\x", "/%2e%2e/", "//", "///s/v/app.js", "/s/v/app.js/..", "/;/", "/?x=/s/",
        "/s/v/VENDOR.toml", "/ws/../s/x", "/%00", "/%", "/%zz", "/s/v/%",
)  # fmt: skip


def test_no_trick_of_a_path_reaches_a_file_or_breaks_the_server(site, cases):
    for path in TRICKS:
        with cases(path[:40]):
            status = site.client.ask("GET", path).status
            assert status in {200, 400, 401, 404} - ({200} if path != "/?x=/s/" else set())


NONSENSE = [
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
]


def test_what_is_no_request_is_refused_and_nothing_else(site, cases):
    for nonsense in NONSENSE:
        with cases(repr(nonsense[:60])):
            with site.client.connect() as connection:
                connection.sendall(nonsense)
                connection.shutdown(1)
                answer = connection.recv(1 << 16)
            assert not answer or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421", b"HTTP/1.1 405"))
            assert site.client.ask("GET", "/").status == 200
