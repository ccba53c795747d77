"""`events` of some types alone: what is left out is told nobody, and the rest stays as it is."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.kit.events import TYPES
from tests.kit.raw_socket import RawSocket

pytestmark = pytest.mark.shared_home


def stored(om, **asked):
    """What `events` tells now, and nothing that comes."""
    with RawSocket.connect(om.home) as api:
        api.ok("events", since=om.since, **asked)
        return [line["item"] for line in itertools.takewhile(lambda line: "end" not in line, api.lines())]


def story(om):
    """Some events of several types; the mission that they are about."""
    mission = om.mission("sleep 600", "--name", "api")
    for request in ("freeze", "thaw", "freeze", "thaw"):
        om.api(request, id=mission)
    om.api("kill", id=mission)
    om.wait_status(mission, "killed")
    return mission


def test_only_the_types_that_are_named_come_in_their_order_as_they_are(om):
    story(om)
    everything = stored(om)
    for types in (["paused"], ["thawed", "paused"], ["paused", "paused"], ["survivors"], []):
        assert stored(om, types=types) == [event for event in everything if not types or event["type"] in types]
    paused = [event["seq"] for event in everything if event["type"] == "paused"]
    with RawSocket.connect(om.home) as api:
        api.ok("events", since=paused[0], types=["paused"])
        assert [api.read_line()["item"]["seq"], list(api.read_line())] == [paused[1], ["end"]]


def test_whoever_follows_one_type_hears_of_the_next_one_and_of_nothing_between(om):
    mission = om.mission("sleep 600")
    with RawSocket.connect(om.home) as api:
        api.ok("events", since=om.since, types=["thawed"], follow=True)
        for number in range(1, 4):
            for request in ("freeze", "thaw"):
                om.api(request, id=mission)
            assert api.read_line()["item"]["type"] == "thawed", number
        om.api("kill", id=mission)
        om.api("freeze", id=om.mission("sleep 600"))
        api.send_line({"cmd": "ps", "args": {}, "id": "next"})
        assert api.read_line()["id"] == "next"


def test_a_stream_for_eyes_of_one_type_has_a_number_of_its_own(om):
    om.ok("start")
    with RawSocket.connect(om.home) as api:
        begun = api.ok("events", types=["notification"], follow=True, eyes=True, since=om.since)
        assert om.api("used", viewer=begun["viewer"]) == {"viewer": begun["viewer"]}


@pytest.mark.own_home
def test_a_daemon_that_has_just_begun_knows_every_type(om):
    om.ok("start")
    assert stored(om, types=list(TYPES)) == stored(om)
    for name in TYPES:
        assert {event["type"] for event in stored(om, types=[name])} <= {name}


UNKNOWN = [
    (["pausd"], "Unknown type of event 'pausd'. Did you mean paused"),
    (["paused", "killde"], "Unknown type of event 'killde'. Did you mean killed?"),
    (["Paused"], "Unknown type of event 'Paused'. Did you mean paused"),
    (["*"], "Unknown type of event '*'. Known: activity, "),
    ([""], "Unknown type of event ''. Known: activity, "),
    (["a\x1b[2Jb"], "Unknown type of event 'a\\x1b[2Jb'."),
    (["x" * 1_000_000], f"Unknown type of event '{'x' * 100}'. Known: "),
    (["paused"] * 100_000 + ["nosuch"], "Unknown type of event 'nosuch'."),
]


@pytest.mark.parametrize(("types", "said"), UNKNOWN, ids=[ascii(row[0][-1])[:20] for row in UNKNOWN])
def test_a_type_that_is_none_is_refused_by_its_name(om, types, said):
    om.ok("start")
    with RawSocket.connect(om.home) as api:
        refused = api.request("events", types=types)
        assert refused["error"] == "invalid"
        assert refused["message"].startswith(said)
        assert len(refused["message"]) < 2000
        assert "ok" in api.request("status")


@pytest.mark.parametrize("types", ["paused", 7, None, [7], [None], [["paused"]], {"paused": 1}], ids=str)
def test_what_is_no_list_of_types_is_refused(om, types):
    om.ok("start")
    with RawSocket.connect(om.home) as api:
        assert api.request("events", types=types)["error"] == "invalid"


def test_the_command_line_prints_events_of_the_types_that_it_is_given(om):
    mission = story(om)
    printed = om.ndjson("events", "--since", str(om.since), "--type", "paused", "--type", "created", "--json")
    assert [(event["type"], event["mission"]) for event in printed] == [
        (name, mission) for name in ("created", "paused", "paused")
    ]
    assert "Did you mean paused" in om.refused("events", "--type", "pausd", code="invalid")


def test_the_command_line_follows_a_type(om):
    mission = om.mission("sleep 600")
    following = om.popen("events", "-f", "--since", str(om.since), "--type", "paused")
    om.api("freeze", id=mission)
    assert json.loads(following.stdout.readline())["type"] == "paused"
    om.api("thaw", id=mission)
    om.api("freeze", id=mission)
    assert json.loads(following.stdout.readline())["type"] == "paused"
    following.terminate()
    following.wait(30)
