"""The parts that need no engine: progress, reasons, texts, recipes."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from overmind_core.containers import images, inside
from overmind_core.containers.engine import configuration, port_taken, port_taken_error
from overmind_core.containers.model import RECIPE, ContainerSpec, ImageMissing, recipe
from tests.kit.cases import tabled

SPEC = ContainerSpec("overmind-1-db", "redis:7", 6379, 3100, {"PASSWORD": "secret"}, {"data": "/data"}, {"a": "b"})


def layer(name, status, current=None, total=None):
    return {"id": name, "status": status, "progressDetail": {"current": current, "total": total} if total else {}}


def test_a_pull_is_told_when_its_line_changes():
    told: list[str] = []
    items = [
        {"status": "Pulling from library/redis", "id": "7"},
        layer("a", "Downloading", 10, 100),
        layer("a", "Downloading", 10, 100),
        layer("b", "Already exists"),
        layer("c", "Downloading", 0, 100),
        layer("a", "Download complete"),
        layer("c", "Downloading", 150, 100),
        layer("c", "Extracting", 5, 100),
        layer("c", "Pull complete"),
        {"status": "Status: Downloaded newer image"},
    ]
    images.pull_progress("redis:7", items, told.append)
    expected = ["", " 10 %", " 5 %", " 50 %", " 100 %"]
    assert told == [f"pulling redis:7{percent}" for percent in expected]


def test_a_pull_that_the_engine_gives_up_says_why():
    with pytest.raises(ImageMissing, match=r"image x:1 could not be pulled: its registry does not have it.*manifest"):
        images.pull_progress("x:1", [{"error": "manifest for x:1 not found: manifest unknown"}], lambda _: None)


@tabled(
    ("words", "why", "what_to_do"),
    [
        (
            "pull access denied for x, repository does not exist",
            "does not have it, or requires a login",
            "docker login",
        ),
        ("toomanyrequests: You have reached your pull rate limit", "limits downloads", "Wait"),
        ("write /var/lib: no space left on device", "disk is full", "docker system prune"),
        ("Get https://r/v2/: dial tcp: lookup r: no such host", "cannot be reached", "docker load"),
        ("net/http: TLS handshake timeout", "cannot be reached", "docker load"),
        ("invalid reference format", "not an image name", ".overmind.yml"),
        ("something new", "something new", "docker pull x"),
        ("", "the engine gives no reason", "docker pull x"),
    ],
)
def test_each_reason_has_its_advice(words, why, what_to_do):
    fault = images.image_missing("x", words)
    assert why in fault.why
    assert what_to_do in fault.what_to_do


@tabled(
    "change",
    [
        {"image": "redis:8"},
        {"port": 1},
        {"host_port": 1},
        {"host_port": None},
        {"env": {}},
        {"env": {"PASSWORD": "another"}},
        {"volumes": {"data": "/var"}},
        {"more_ports": {6380: 3101}},
    ],
)
def test_another_want_is_another_recipe(change):
    assert recipe(replace(SPEC, **change)) != recipe(SPEC)


def test_a_container_that_an_earlier_version_made_is_not_made_anew():
    assert recipe(SPEC) == "dd3a8f82e190218718ae2ca07aed02b14905559d9f79312febfa43245e77c2fd"


def test_each_of_several_ports_is_published_and_named_when_one_is_taken():
    several = replace(SPEC, more_ports={6380: 3101})
    made = configuration(several)
    assert made["ExposedPorts"] == {"6379/tcp": {}, "6380/tcp": {}}
    assert made["HostConfig"]["PortBindings"] == {
        "6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3100"}],
        "6380/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3101"}],
    }
    assert "one of the ports 3100, 3101 of 127.0.0.1 is in use" in port_taken_error(several)
    assert "port 3100 of 127.0.0.1 is in use" in port_taken_error(SPEC)


def test_labels_and_the_order_of_names_are_no_part_of_a_recipe():
    one = replace(SPEC, env={"a": "1", "b": "2"})
    assert recipe(one) == recipe(replace(SPEC, env={"b": "2", "a": "1"}, labels={}))


def test_only_loopback_is_published_and_no_label_tells_a_secret():
    told = configuration(SPEC)
    assert told["HostConfig"]["PortBindings"] == {"6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3100"}]}
    assert told["HostConfig"]["Binds"] == ["data:/data"]
    assert told["Labels"] == {"a": "b", RECIPE: recipe(SPEC)}
    assert "secret" not in str(told["Labels"])
    assert "PortBindings" not in configuration(replace(SPEC, host_port=None))["HostConfig"]


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ("Bind for 127.0.0.1:3100 failed: port is already allocated", True),
        ("listen tcp4 127.0.0.1:3100: bind: address already in use", True),
        ("Ports are not available: exposing port TCP 127.0.0.1:3100", True),
        ("OCI runtime create failed", False),
    ],
)
def test_a_taken_port_is_told_from_other_refusals(words, taken):
    assert port_taken(words) is taken


def test_what_a_container_writes_becomes_plain_text():
    assert inside.text(b"\x1b[31mred\x1b[0m\r\nbell\x07 \xff\ttab\n") == "red\nbell \ufffd\ttab\n"
    assert inside.tail(b"\n" + b"x" * 9000 + b"\n") == "x" * inside.LONGEST_TAIL


@tabled(
    ("moment", "seconds"),
    [
        ("1970-01-01T00:01:00.5Z", 60.5),
        ("1970-01-01T00:01:00.123456789Z", 60.123456789),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_the_engines_moments(moment, seconds):
    assert inside.seconds(moment) == seconds


NEVER, ONE, TWO = "0001-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"


@pytest.mark.parametrize(
    ("started", "finished", "began"),
    [(NEVER, NEVER, None), (ONE, NEVER, None), (TWO, ONE, 1.0), (ONE, TWO, 1.0)],
    ids=["never", "first run", "second run", "ended"],
)
def test_a_run_began_when_the_one_before_ended(started, finished, began):
    assert inside.run_began({"StartedAt": started, "FinishedAt": finished}) == began


@pytest.mark.parametrize(
    ("raw", "output"),
    [
        (b"", b""),
        (b"\1\0\0\0\0\0\0\2hi\2\0\0\0\0\0\0\1!", b"hi!"),
        (b"\1\0\0\0\0\0\0\5cut", b"cut"),
        (b"\1\0\0", b""),
    ],
)
def test_pieces_of_output_are_joined(raw, output):
    assert inside._read(io.BytesIO(raw), 10) == (output, True)
