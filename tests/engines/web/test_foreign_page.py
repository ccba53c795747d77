"""A page of somebody else in the same browser: on another port of this machine it has the cookie, in vain."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from tests.engines.web.conftest import DESK
from tests.engines.web.test_missions import row

ATTACKS = """async (victim) => {
    const asked = (path, how = {}) => fetch(victim + path, { credentials: "include", ...how })
        .then((answer) => `${path}: answered ${answer.type} ${answer.status}`, () => "refused");
    const body = JSON.stringify({ command: "true", cwd: "/", name: "planted" });
    const opened = (path, words) => new Promise((then) => {
        const socket = new WebSocket(victim.replace("http", "ws") + path, words);
        socket.onopen = () => then(`${path}: opened`);
        socket.onerror = () => then("refused");
    });
    return Promise.all([
        asked("api/v1/ps"),
        asked("api/v1/run", { method: "POST", body }),
        asked("api/v1/run", { method: "POST", body, headers: { "Content-Type": "application/json" } }),
        asked("login", { method: "POST", body: "{}" }),
        asked("logout", { method: "POST" }),
        asked("openapi.json"),
        opened("ws", ["overmind.1", "key.guessed"]),
        opened("ws", []),
        opened("tty?id=x&mode=type", ["overmind.1"]),
    ]);
}"""
UNREAD = """(victim) => {
    const body = JSON.stringify({ command: "true", cwd: "/", name: "planted" });
    return fetch(victim + "api/v1/run", { method: "POST", mode: "no-cors", credentials: "include", body })
        .then((answer) => answer.type, () => "refused");
}"""
FORM = """(victim) => {
    const form = document.createElement("form");
    form.method = "post";
    form.enctype = "text/plain";
    form.action = victim + "api/v1/run";
    form.target = "inner";
    const field = document.createElement("input");
    field.name = '{"command":"true","cwd":"/","name":"planted","x":"';
    field.value = '"}';
    form.append(field);
    document.body.append(form);
    return new Promise((then) => {
        document.querySelector("iframe").addEventListener("load", () => then(true), { once: true });
        form.submit();
    });
}"""
FRAMED = """(victim) => new Promise((then) => {
    const frame = document.querySelector("iframe");
    frame.addEventListener("load", () => {
        let seen;
        try {
            seen = frame.contentDocument?.body?.innerText ?? "closed";
        } catch {
            seen = "closed";
        }
        then(seen);
    }, { once: true });
    frame.src = victim;
})"""


class Page(http.server.BaseHTTPRequestHandler):
    """Serves a page with a link, and remembers what cookies came."""

    cookies: list[str]
    link: str

    def do_GET(self) -> None:
        """Answer anything."""
        self.cookies.append(self.headers.get("Cookie") or "")
        body = f"<title>other</title><a href={self.link}>look</a><iframe name=inner></iframe>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def other(site) -> Iterator[tuple[type[Page], str]]:
    """A server on another port, as that of an agent's work: the class that has its cookies, and its address."""
    seen = type("Seen", (Page,), {"cookies": [], "link": site.url})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), seen) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield seen, f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def beside(pages, address: str):
    """That page in a browser that is logged in here, whose complaints about what it is refused are its own."""
    page = pages.context(**DESK).new_page()
    pages.tolerated = ("",)
    page.goto(address)
    return page


def test_a_page_on_another_port_has_the_cookie_and_reads_acts_frames_and_connects_in_vain(pages, site, other):
    seen, address = other
    page = beside(pages, address)
    assert any("overmind_" in cookie for cookie in seen.cookies)  # else this would prove nothing
    assert page.evaluate(ATTACKS, site.url) == ["refused"] * 9
    assert page.evaluate(UNREAD, site.url) == "refused"
    page.evaluate(FORM, site.url)
    assert page.evaluate(FRAMED, site.url) == "closed"
    frame = page.frame(name="inner")
    assert frame is not None
    assert "overmind" not in frame.content()
    assert site.om.api("ps", all=True) == []
    pages.problems.clear()  # its requests go elsewhere by nature
    again = pages.open("missions", **DESK)  # and nobody was logged out
    again.locator(".missions-head").wait_for()


def test_a_link_that_is_clicked_in_a_foreign_page_opens_the_shell_with_its_login(pages, site, other):
    _, address = other
    site.om.mission("sleep 100", "--name", "worker")
    page = beside(pages, address)
    page.get_by_role("link", name="look").click()
    row(page, "worker").wait_for()
    assert page.url.startswith(site.url)
    pages.problems.clear()  # the first page was a foreign one


def test_a_fresh_link_that_is_clicked_in_a_foreign_page_logs_in(pages, site, other):
    seen, address = other
    seen.link = site.link()
    site.om.mission("sleep 100", "--name", "worker")
    page = pages.context(logged_in=False, **DESK).new_page()
    page.goto(address)
    page.get_by_role("link", name="look").click()
    row(page, "worker").wait_for()
    assert "link=" not in page.url
    page.reload()
    row(page, "worker").wait_for()
    pages.problems.clear()  # the first page was a foreign one
