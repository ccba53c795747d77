"""Containers in a real engine: made, found again, made anew, refused and removed."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from overmind_core.containers.engine import ContainerFailed, Engine, ImageMissing
from overmind_core.containers.model import HOME, HOST, MISSION, SERVICE, USER
from tests.kit.containers import BUSYBOX, REDIS, REDIS_PORT, Containers, free_port, redis
from tests.kit.waiting import eventually


def test_a_container_serves_on_loopback_alone_with_its_labels_and_variables(containers, engine):
    port = free_port()
    spec = containers.start(image=REDIS, port=REDIS_PORT, host_port=port, env={"COLOUR": "blue"})
    assert eventually(lambda: redis(port, "PING")) == "+PONG"
    found = containers.inspect(spec.name)
    assert found["NetworkSettings"]["Ports"] == {"6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    assert {**found["Config"]["Labels"], **spec.labels} == found["Config"]["Labels"]
    assert "COLOUR=blue" in found["Config"]["Env"]
    assert "blue" not in str(found["Config"]["Labels"])
    assert found["HostConfig"]["RestartPolicy"]["Name"] in {"", "no"}
    assert engine.state(spec.name)[:3] == (True, True, None)
    assert containers.told == [f"creating {spec.name}", f"starting {spec.name}"]


def test_each_of_several_ports_is_served_on_loopback(containers):
    port, other = free_port(), free_port()
    serve = "while :; do echo two | nc -l -p 6001; done & while :; do echo one | nc -l -p 6000; done"
    spec = containers.start(run=serve, port=6000, host_port=port, more_ports={6001: other})
    bound = containers.inspect(spec.name)["NetworkSettings"]["Ports"]
    assert bound == {
        "6000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}],
        "6001/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(other)}],
    }
    assert eventually(lambda: redis(port)) == "one"
    assert eventually(lambda: redis(other)) == "two"
    before = containers.inspect(spec.name)["Id"]
    containers.ensure(spec)
    assert containers.inspect(spec.name)["Id"] == before


def test_without_a_port_here_nothing_is_published(containers):
    spec = containers.start(image=REDIS, port=REDIS_PORT)
    assert not any(containers.inspect(spec.name)["NetworkSettings"]["Ports"].values())


def test_asked_for_twice_it_is_the_same_container_in_the_same_run(containers):
    spec = containers.start()
    before = containers.inspect(spec.name)
    containers.ensure(spec)
    after = containers.inspect(spec.name)
    assert (before["Id"], before["State"]["StartedAt"]) == (after["Id"], after["State"]["StartedAt"])


def test_a_stopped_one_is_started_again_with_its_data(containers, engine):
    port = free_port()
    spec = containers.start(image=REDIS, port=REDIS_PORT, host_port=port, volumes={"data": "/data"})
    eventually(lambda: redis(port, "SET", "colour", "green") == "+OK")
    before = containers.inspect(spec.name)["Id"]
    engine.stop(spec.name)
    engine.stop(spec.name)
    assert engine.state(spec.name)[:3] == (True, False, 0)
    containers.ensure(spec)
    assert containers.inspect(spec.name)["Id"] == before
    assert eventually(lambda: redis(port, "GET", "colour")).endswith("green")


def test_one_that_is_wanted_otherwise_is_made_anew_on_the_same_volumes(containers, engine):
    first, second = free_port(), free_port()
    spec = containers.start(image=REDIS, port=REDIS_PORT, host_port=first, volumes={"data": "/data"})
    eventually(lambda: redis(first, "SET", "colour", "red") == "+OK")
    engine.stop(spec.name)
    before = containers.inspect(spec.name)["Id"]
    containers.ensure(replace(spec, host_port=second))
    assert containers.inspect(spec.name)["Id"] != before
    assert eventually(lambda: redis(second, "GET", "colour")).endswith("red")
    containers.ensure(replace(spec, image=BUSYBOX))
    assert containers.inspect(spec.name)["Config"]["Image"] == BUSYBOX
    assert engine.volumes_of(containers.mission, containers.home) == list(spec.volumes)


def test_a_paused_one_goes_on(containers, engine):
    spec = containers.start()
    engine._client.pause(spec.name)
    containers.ensure(spec)
    assert containers.inspect(spec.name)["State"]["Paused"] is False


def test_somebody_elses_container_is_refused_and_never_touched(containers, engine):
    spec = containers.spec()
    engine._client.create_container(BUSYBOX, name=spec.name)
    try:
        with pytest.raises(ContainerFailed, match=f"{spec.name} already exists and belongs to another program"):
            containers.ensure(spec)
        engine.stop(spec.name)
        engine.remove(spec.name)
        assert engine.state(spec.name).exists
    finally:
        engine._client.remove_container(spec.name, force=True)


def test_another_homes_container_of_that_name_is_refused(containers):
    spec = containers.start()
    with pytest.raises(ContainerFailed, match="belongs to another program"):
        containers.ensure(replace(spec, labels={**spec.labels, HOME: "/another"}))


def test_a_taken_port_is_named_and_no_container_stays(containers, engine):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        spec = containers.spec(port=6000, host_port=port)
        with pytest.raises(ContainerFailed, match=f"port {port} of 127.0.0.1 is in use by another program"):
            containers.ensure(spec)
        assert not engine.state(spec.name).exists
    containers.ensure(spec)
    assert engine.state(spec.name).running


def test_an_image_that_cannot_be_had_says_why_and_what_to_do(containers, engine):
    assert engine.has_image(BUSYBOX)
    assert not engine.has_image("127.0.0.1:9/no/such:1")
    told: list[str] = []
    with pytest.raises(ImageMissing, match=r"image 127.0.0.1:9/no/such:1 could not be pulled: .*cannot be reached"):
        engine.pull("127.0.0.1:9/no/such:1", told.append)
    assert told == ["pulling 127.0.0.1:9/no/such:1"]
    with pytest.raises(ImageMissing, match="that is not an image name"):
        engine.pull("Not A Name", told.append)
    spec = containers.spec(image="overmind-test/no-such:1")
    with pytest.raises(ImageMissing, match="it is not on this machine"):
        containers.ensure(spec)
    assert not engine.state(spec.name).exists


def test_one_that_dies_leaves_its_code_and_its_last_lines(containers, engine):
    spec = containers.start(run="for i in 1 2 3; do echo line $i; done; printf '\\033[31mred\\033[0m\\n' >&2; exit 3")
    eventually(lambda: not engine.state(spec.name).running)
    assert engine.state(spec.name).exit_code == 3
    assert engine.log_tail(spec.name, 2).split("\n")[-1] in {"red", "line 3"}
    assert sorted(engine.log_tail(spec.name).split("\n")) == ["line 1", "line 2", "line 3", "red"]


def test_what_is_gone_is_no_error(engine):
    assert engine.state("overmind-nobody-db") == (False, False, None, "", "")
    assert engine.log_tail("overmind-nobody-db") == ""
    assert engine.log_has("overmind-nobody-db", ".") is False
    engine.stop("overmind-nobody-db")
    engine.remove("overmind-nobody-db")
    engine.remove_volumes(["overmind-nobody-db-data"])


def test_volumes_go_with_their_mission_and_not_below_a_running_container(containers, engine):
    spec = containers.start(volumes={"data": "/data", "logs": "/var"})
    volumes = engine.volumes_of(containers.mission, containers.home)
    assert volumes == sorted(spec.volumes)
    assert engine.volumes_of(containers.mission, "/another") == []
    with pytest.raises(ContainerFailed, match=f"volume {volumes[0]} could not be removed: .*in use"):
        engine.remove_volumes(volumes)
    engine.remove(spec.name)
    engine.remove(spec.name)
    engine.remove_volumes(volumes)
    assert engine.volumes_of(containers.mission, containers.home) == []


def test_twenty_at_once_all_run_and_are_found_by_their_home(containers, engine):
    with ThreadPoolExecutor(20) as pool:
        names = [spec.name for spec in pool.map(lambda number: containers.start(f"s{number}"), range(20))]
        found = engine.own_containers(containers.home)
        assert sorted(one.name for one in found) == sorted(names)
        assert all(one.running for one in found)
        list(pool.map(engine.remove, names))
    assert engine.own_containers(containers.home) == []


def test_many_threads_that_want_the_same_one_get_one(containers, engine):
    spec = containers.spec()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: containers.ensure(spec), range(8)))
    assert [one.name for one in engine.own_containers(containers.home)] == [spec.name]
    assert engine.state(spec.name).running


def test_stopped_ones_are_found_by_their_labels_too(containers, engine):
    spec = containers.start("cache")
    engine.stop(spec.name)
    expected = (
        spec.name,
        spec.labels[MISSION],
        spec.labels[SERVICE],
        containers.home,
        False,
        spec.labels.get(HOST, ""),
        spec.labels.get(USER, ""),
    )
    assert engine.own_containers(containers.home) == [expected]
    assert expected in engine.all_labelled()
    assert engine.own_containers("/another") == []


@pytest.mark.parametrize(
    ("command", "code", "output"),
    [
        ("echo out; echo err >&2", 0, {"out", "err"}),
        ("exit 7", 7, {""}),
        ("no-such-program", 127, {"sh: no-such-program: not found"}),
        ('echo "$COLOUR"', 0, {"blue"}),
    ],
)
def test_a_command_inside_gives_its_code_and_its_output(containers, engine, command, code, output):
    spec = containers.start(env={"COLOUR": "blue"})
    ended, written = engine.run_inside(spec.name, command)
    assert (ended, set(written.split("\n"))) == (code, output)


def test_a_command_that_does_not_end_is_left_behind(containers, engine, monkeypatch):
    monkeypatch.setattr("overmind_core.containers.engine.INSIDE_SECONDS", 0.3)
    spec = containers.start()
    code, written = engine.run_inside(spec.name, "sleep 60")
    assert (code, written) == (124, "(did not end within 0.3 s)")


def test_a_command_in_a_container_that_does_not_run_says_so(containers, engine):
    spec = containers.start(run="exit 0")
    eventually(lambda: not engine.state(spec.name).running)
    with pytest.raises(ContainerFailed, match=f"a command could not be run in container {spec.name}: .*not running"):
        engine.run_inside(spec.name, "true")


def test_only_the_current_run_is_searched(containers, engine):
    spec = containers.start(run="[ -e /tmp/second ] || echo ready 1; touch /tmp/second; echo up; exec sleep 1000")
    eventually(lambda: engine.log_has(spec.name, r"^ready \d$"))
    engine._client.kill(spec.name)
    eventually(lambda: not engine.state(spec.name).running)
    containers.ensure(spec)
    eventually(lambda: engine.log_has(spec.name, "^up$"))
    assert not engine.log_has(spec.name, r"^ready \d$")
    assert "ready 1" in engine.log_tail(spec.name)


def test_the_engine_is_reached_again_by_its_address(engine):
    again = Engine.at(engine.url)
    assert again.has_image(BUSYBOX)
    again.close()


def test_a_test_leaves_nothing(engine):
    theirs = Containers(engine, "/homes/ended")
    theirs.start(volumes={"data": "/data"})
    theirs.end()
    assert engine.own_containers("/homes/ended") == []
