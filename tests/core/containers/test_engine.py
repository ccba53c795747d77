"""An engine that is not there, is none, refuses, or goes away."""

from __future__ import annotations

import errno
import gc
import os
import socket
import subprocess
import sys

import pytest

from overmind_core.containers import connect
from overmind_core.containers.connect import EngineAddress
from overmind_core.containers.engine import ContainerFailed, ContainerSpec, Engine, EngineMissing, ImageMissing
from overmind_core.containers.model import HOME

SPEC = ContainerSpec("overmind-1-db", "redis:7", 6379, 3100, {"PASSWORD": "secret"}, {}, {HOME: "/home"})


def ignore(_line):
    """Progress that nobody reads."""


def connect_to(path):
    return Engine.connect({"DOCKER_HOST": f"unix://{path}"})


def test_a_socket_that_does_not_exist(sockets):
    with pytest.raises(EngineMissing, match=rf"{sockets}/no.sock \(DOCKER_HOST\) does not exist\. Start the engine"):
        connect_to(f"{sockets}/no.sock")


def test_a_socket_that_nobody_serves_any_more(sockets):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{sockets}/dead.sock")
    with pytest.raises(
        EngineMissing, match=rf"nothing listens at {sockets}/dead.sock \(DOCKER_HOST\)\. Start the engine"
    ):
        connect_to(f"{sockets}/dead.sock")


def test_a_socket_of_another_user(sockets, monkeypatch):
    def refuse(_url):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(connect, "_open", refuse)
    with pytest.raises(EngineMissing, match=r"can't be opened: permission denied\. Join the docker group"):
        connect_to(f"{sockets}/docker.sock")


def test_a_path_that_is_too_long(sockets):
    with pytest.raises(EngineMissing, match="too long"):
        connect_to(f"{sockets}/{'x' * 200}")


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ((200, b"<html>hello</html>"), "is not a Docker or Podman engine"),
        ((404, {"message": "page not found"}), "is not a Docker or Podman engine"),
        ((200, {"hello": "world"}), "is not a Docker or Podman engine"),
        ((200, []), "is not a Docker or Podman engine"),
        ((200, {"ApiVersion": "new"}), "is not a Docker or Podman engine"),
        (None, "is not a Docker or Podman engine"),
        ((200, {"ApiVersion": "1.12"}), "is too old: it supports API version 1.12, and at least 1.24 is required"),
    ],
)
def test_what_listens_is_no_engine_that_can_be_used(fake, version, why):
    with pytest.raises(EngineMissing, match=why):
        connect_to(fake(version=version).path)


def test_an_engine_that_says_nothing_is_given_up(sockets, monkeypatch):
    monkeypatch.setattr(connect, "PROBE_SECONDS", 0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{sockets}/silent.sock")
        silent.listen()
        with pytest.raises(EngineMissing, match=r"accepts connections but does not answer within 0\.1 s"):
            connect_to(f"{sockets}/silent.sock")


def test_the_first_known_socket_that_answers_is_used(fake, sockets):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{sockets}/dead.sock")
    engine = fake(name="podman.sock")
    known = [EngineAddress(f"unix://{sockets}/{name}", "") for name in ("no.sock", "dead.sock", "podman.sock")]
    assert connect.first_that_answers(known) == engine.url
    with pytest.raises(EngineMissing, match=rf"nothing listens at {sockets}/dead.sock"):
        connect.first_that_answers(known[:2])
    with pytest.raises(EngineMissing, match=rf"none of {sockets}/no.sock exists\. Start the engine"):
        connect.first_that_answers(known[:1])


def test_a_proxy_for_the_world_outside_is_not_asked(fake, monkeypatch):
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    engine = Engine.at(fake().url)
    assert engine.has_image("redis:7") is False
    engine.close()


@pytest.mark.parametrize(
    ("doing", "what"),
    [
        (lambda engine: engine.has_image("redis:7"), "image redis:7 could not be searched for"),
        (lambda engine: engine.pull("redis:7", ignore), "image redis:7 could not be pulled"),
        (lambda engine: engine.ensure(SPEC, ignore), "container overmind-1-db could not be inspected"),
        (lambda engine: engine.state("overmind-1-db"), "container overmind-1-db could not be inspected"),
        (lambda engine: engine.log_tail("overmind-1-db"), "the log of container overmind-1-db could not be read"),
        (lambda engine: engine.log_has("overmind-1-db", "up"), "container overmind-1-db could not be inspected"),
        (lambda engine: engine.run_inside("overmind-1-db", "true"), "a command could not be run in container"),
        (lambda engine: engine.stop("overmind-1-db"), "container overmind-1-db could not be inspected"),
        (lambda engine: engine.remove("overmind-1-db"), "container overmind-1-db could not be inspected"),
        (lambda engine: engine.remove_volumes(["data"]), "volume data could not be removed"),
        (lambda engine: engine.own_containers("/home"), "containers could not be listed"),
        (lambda engine: engine.volumes_of("1", "/home"), "volumes could not be listed"),
    ],
)
@pytest.mark.parametrize("gone", [True, False], ids=["gone", "closing"])
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the SDK drops one that cannot connect
def test_an_engine_that_goes_away_is_said_with_what_was_tried(fake, doing, what, gone):
    served = fake(lambda _method, _path: None)
    engine = Engine.at(served.url)
    if gone:
        served.end()
    with pytest.raises(EngineMissing, match=rf"{what}.*: the engine at {served.url} no longer answers"):
        doing(engine)
    engine.close()
    gc.collect()


def test_what_the_engine_refuses_is_in_its_own_words_and_without_secrets(fake):
    def answer(method, path):
        if path.endswith("/json"):
            return 404, {"message": "no such container"}
        return 500, {"message": "the disk\nis full"}

    engine = Engine.at(fake(answer).url)
    with pytest.raises(ContainerFailed) as caught:
        engine.ensure(SPEC, ignore)
    assert caught.value.message == "container overmind-1-db could not be created: the disk is full"
    engine.close()


def test_a_pull_that_breaks_off_without_a_word_is_none(fake):
    def answer(method, path):
        return (404, {"message": "no such image"}) if path.endswith("/json") else (200, {"status": "Pulling"})

    engine = Engine.at(fake(answer).url)
    with pytest.raises(ImageMissing, match="image redis:7 could not be pulled: the engine closed the connection"):
        engine.pull("redis:7", ignore)
    engine.close()


def test_the_sdk_is_loaded_when_an_engine_is_spoken_to_and_not_before():
    program = (
        "import sys; from overmind_core.containers import engine, health;"
        "print(sorted({'docker', 'requests', 'urllib3'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"
