"""`/api/v1/…`: what scripts elsewhere ask; each answer is held against the document that the server itself serves."""

from __future__ import annotations

import pytest

from overmind_core.domain.operations import OPERATIONS, REQUESTS
from overmind_web.rest import openapi
from scripts.reference import openapi as written
from tests.contract.test_operations import READINGS
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually
from tests.kit.web_script import ROOT, WebScript
from tests.kit.web_site import Site
from tests.walk.contract.test_operations import World

pytestmark = pytest.mark.shared_home

OK, BAD, FORBIDDEN, UNAUTHORIZED, NOT_FOUND, CONFLICT = 200, 400, 403, 401, 404, 409
WITHOUT_AN_ANSWER = {"result"}
"""What the missions of these tests have none of."""
NEEDS_MORE = {"answer", "trust"}
"""What has to say which state was seen."""
TOKEN = "writer"


def token(om: Overmind, name: str, *, read_only: bool = False) -> str:
    """A new token; one of this name is none any more."""
    if any(one["name"] == name for one in om.api("web_sessions")):
        om.api("web_revoke", name=name)
    return str(om.api("web_token", name=name, read_only=read_only)["token"])


@pytest.fixture
def script(om: Overmind, site: Site) -> WebScript:
    """Who may do everything."""
    return WebScript(site.port, token(om, TOKEN))


@pytest.fixture
def reader(om: Overmind, site: Site) -> WebScript:
    """Who may only look."""
    return WebScript(site.port, token(om, "reader", read_only=True))


def test_the_document_is_served_as_it_is_written(script):
    assert script.raw("GET", "/openapi.json").body == openapi.text() == written.page().encode()


@pytest.mark.own_home
def test_each_reading_answers_as_the_document_says(om, site, script, reader):
    World(om)
    for name, arguments in READINGS.items():
        if not OPERATIONS[name].on_web:
            assert script.post(name, arguments).error == "forbidden", name
            continue
        asked = {key: value for key, value in arguments.items() if key != "reveal"}
        answered = CONFLICT if name in WITHOUT_AN_ANSWER else OK
        assert script.post(name, asked).status == answered, name
        quiet = OPERATIONS[name].only_reads(asked)
        assert reader.post(name, asked).status == (answered if quiet else FORBIDDEN), name
        if name in openapi.queries() and name != "events":
            assert reader.get(name, asked).status == answered, name


@pytest.mark.own_home
def test_each_change_is_done_for_a_login_that_may_and_for_no_other(om, site, script, reader):
    world = World(om)
    for name, arguments in world.changes():
        refused = reader.post(name, arguments)
        assert (refused.status, refused.error) == (FORBIDDEN, "forbidden"), name
        assert reader.raw("GET", f"{ROOT}/{name}").status in {BAD, FORBIDDEN}, name
        if not OPERATIONS[name].on_web:
            assert script.post(name, arguments).error == "forbidden", name
        elif name in NEEDS_MORE:
            assert script.post(name, arguments).error == "invalid", name
        else:
            done = script.post(name, arguments)
            assert done.status == OK, (name, done)
        if name in {"web_link", "web_login", "web_token", "web_check", "web_revoke"} or name in NEEDS_MORE:
            om.api(name, **arguments)
    doers = {event.get("by") for event in om.ndjson("events")}
    assert f"web:{TOKEN}" in doers
    assert "web:reader" not in doers


def test_nobody_without_a_token_is_told_anything(site):
    for who in (WebScript(site.port, ""), WebScript(site.port, "x" * 43), WebScript(site.port, "é")):
        paths = ["/openapi.json", f"{ROOT}/log/x", f"{ROOT}/screen/x", f"{ROOT}/nosuch"]
        for path in [*paths, *(f"{ROOT}/{row.name}" for row in REQUESTS)]:
            reply = who.raw("GET", path)
            assert (reply.status, reply.error) == (UNAUTHORIZED, "unauthorized"), path


def test_what_somebody_did_carries_their_name(om, script):
    mission = om.mission("sleep 100")
    assert script.post("freeze", {"id": mission}).status == OK
    (event,) = [one for one in om.ndjson("events") if one["type"] == "paused" and one["mission"] == mission]
    assert event["by"] == f"web:{TOKEN}"


def test_a_mission_gets_the_environment_and_umask_of_the_server_where_none_is_named(om, script):
    marked = om.environment["PATH"]
    started = script.post("run", {"command": "echo $PATH; umask; echo inside=$OVERMIND_PARENT_ID", "cwd": "/"})
    om.wait_status(started.json["id"], "stopped")
    path, umask, inside = script.text(f"log/{started.json['id']}").splitlines()
    assert path.startswith(marked)
    assert int(umask, 8) >= 0
    assert inside == "inside="
    own = script.post("run", {"command": "echo =$PATH", "cwd": "/", "env": {"PATH": "/usr/bin:/bin"}})
    om.wait_status(own.json["id"], "stopped")
    assert script.text(f"log/{own.json['id']}").startswith("=/usr/bin:/bin")


def test_a_press_that_is_repeated_with_its_key_is_one(om, script):
    asked = {"command": "sleep 100", "cwd": "/", "request": "pressed"}
    first, second = script.post("run", asked), script.post("run", asked)
    assert first.json == second.json


QUERIES = [
    ("ps?all=maybe", "all must be true or false"),
    ("ps?all=", "all must be true or false"),
    ("ps?all=true&all=true", "all is given more than once"),
    ("ps?recent=1.5", "recent must be integer"),
    ("ps?recent=%D9%A3", "recent must be integer"),
    ("ps?recent=" + "9" * 400, "recent must be integer"),
    ("ps?recent=-1", "recent"),
    ("ps?nosuch=1", "has no argument 'nosuch'"),
    ("ps?nosuch", "not name=value"),
    ("ps?%ff=1", "not name=value"),
    ("ps?all=%ed%a0%80", "not name=value"),
    ("ps?" + "&".join(["ids=x"] * 1_001), "not name=value"),
    ("ps?status=nosuch", "nosuch"),
    ("info", "id"),
    ("info?id=x&reveal=true", "no argument 'reveal'"),
    ("messages?id=x&cancel=1", "no argument 'cancel'"),
    ("health?review=true", "no argument 'review'"),
    ("events?eyes=true", "no argument 'eyes'"),
    ("events?types=nosuch", "nosuch"),
    ("events?since=x", "since must be integer"),
    ("isolate?cwd=/", "ask with POST"),
    ("log/x?tail=-1", "tail must be 0 to"),
    ("log/x?tail=100001", "tail must be 0 to"),
    ("log/x?since=yesterday-ish", "time"),
    ("screen/x?ansi=2", "ansi must be true or false"),
]


def test_a_query_that_means_nothing_is_refused_by_name(reader, cases):
    for path, says in QUERIES:
        with cases(path[:40]):
            reply = reader.raw("GET", f"{ROOT}/{path}")
            assert (reply.status, reply.error) == (BAD, "invalid"), reply
            assert says in reply.json["message"]


BODIES = [
    (b"{", "application/json", "invalid"),
    (b"[]", "application/json", "invalid"),
    (b"null", "application/json", "invalid"),
    (b'"x"', "application/json", "invalid"),
    (b"\xff\xfe", "application/json", "invalid"),
    (b'{"x": "\\ud800"}', "application/json", "invalid"),
    (b"[" * 200_000, "application/json", "invalid"),
    (b'{"all":' + b"[" * 200_000, "application/json", "invalid"),
    (b"{}", "text/plain", "invalid"),
    (b"{}", "application/x-www-form-urlencoded", "invalid"),
    (b"{}", "", "invalid"),
    (b'{"all": "yes"}', "application/json", "invalid"),
    (b'{"nosuch": 1}', "application/json", "invalid"),
    (b'{"ids": ["' + b"x" * (1 << 20) + b'"]}', "application/json", "too_large"),
    (b'{"status": ["\\u0000"]}', "application/json", "invalid"),
    (b'{"recent": 99999999999999999999999999}', "application/json", "invalid"),
]


def test_a_body_that_means_nothing_is_refused(script, cases):
    for body, kind, error in BODIES:
        with cases(f"{body[:40]!r} {kind}"):
            reply = script.raw("POST", f"{ROOT}/ps", body, {"Content-Type": kind})
            assert reply.error == error, reply
    assert script.post("ps", {}).status == OK


def test_nothing_changes_by_a_link_that_is_followed(om, script):
    mission = om.mission("sleep 100")
    reply = script.raw("GET", f"{ROOT}/stop?id={mission}")
    assert (reply.status, reply.error) == (BAD, "invalid")
    assert om.info(mission)["status"] == "running"


def test_arguments_stand_in_the_body_alone(script):
    reply = script.raw("POST", f"{ROOT}/stop?id=x", b"{}", {"Content-Type": "application/json"})
    assert (reply.status, reply.error) == (BAD, "invalid")


def test_what_is_no_request_is_not_found(script, cases):
    json_body = {"Content-Type": "application/json"}
    for name in ("nosuch", "start", "doctor", "__init__", "x" * 2_000, "%00", "%2e%2e%2fps", "PS", "ps/", "a/b"):
        for method, body in (("GET", None), ("POST", b"{}")):
            with cases(f"{method} {name[:40]}"):
                reply = script.raw(method, f"{ROOT}/{name}", body, json_body)
                assert reply.status == NOT_FOUND, reply
                assert reply.error in {"unknown_command", "not_found"}


def test_other_methods_are_refused(script, cases):
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        with cases(method):
            reply = script.raw(method, f"{ROOT}/ps")
            assert (reply.status, reply.error) == (BAD, "invalid")


def test_a_head_begins_no_stream(script):
    assert script.raw("HEAD", f"{ROOT}/events").status == BAD


def test_a_log_is_text_in_which_nothing_is_hidden(om, reader):
    mission = om.mission(
        "printf 'one\\n\\033[31mred\\033[0m\\033]0;title\\a\\n<b>\\xe2\\x80\\xae|\\n\\xff\\0\\n'; exit 3"
    )
    om.wait_status(mission, "crashed")
    text = reader.text(f"log/{mission}")
    assert text.splitlines()[:2] == ["one", "red"]
    assert not set(text) & {"\x1b", "\0", "\a"}
    assert reader.text(f"log/{mission}?tail=1&run=1").splitlines() == text.splitlines()[-1:]
    assert reader.text(f"log/{mission}?tail=0") == ""
    assert reader.text(f"log/{mission}?since=2100-01-01T00:00:00Z") == ""
    assert reader.raw("GET", f"{ROOT}/log/{mission}?run=9").status == NOT_FOUND
    assert reader.raw("GET", f"{ROOT}/log/nosuch").error == "not_found"


def test_a_long_log_comes_whole(om, reader):
    mission = om.mission("seq 100000", "--no-tty")
    om.wait_status(mission, "stopped")
    assert reader.text(f"log/{mission}").split() == [str(number) for number in range(1, 100_001)]


def test_a_screen_is_text_and_keeps_its_colours_where_they_are_wanted(om, reader):
    mission = om.mission("printf 'one\\ntwo\\033[2J\\033[H\\033[32mnow\\033[0m'; sleep 100")
    eventually(lambda: reader.text(f"screen/{mission}") == "now\n", what="the screen")
    assert "\x1b[" in reader.text(f"screen/{mission}?ansi=true")
    piped = om.mission("true", "--no-tty")
    assert reader.raw("GET", f"{ROOT}/screen/{piped}").error == "invalid"
