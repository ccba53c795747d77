"""When a container is ready, in a real engine whose proxy takes connections for ports where nothing listens."""

from __future__ import annotations

import socket

import pytest

from overmind_core.containers.engine import ContainerFailed
from overmind_core.containers.health import readiness_problem
from overmind_core.domain.isolation.project import ReadyCheck, ReadyKind
from tests.kit.containers import BUSYBOX, HEALTHY, REDIS, REDIS_PORT, free_port
from tests.kit.waiting import eventually

TCP = ReadyCheck(ReadyKind.TCP)
WEB = "mkdir -p /var/www; echo hello >/var/www/health; exec httpd -f -p 8080 -h /var/www"


def became_ready(engine, spec, ready):
    return eventually(lambda: readiness_problem(engine, spec.name, spec.host_port, ready) == "")


def test_the_proxys_connection_does_not_count(containers, engine):
    spec = containers.start(port=6000, host_port=free_port())
    socket.create_connection(("127.0.0.1", spec.host_port), 2).close()  # that is the trap
    assert readiness_problem(engine, spec.name, spec.host_port, TCP) == f"nothing answers at port {spec.host_port} yet"


@pytest.mark.parametrize(
    ("image", "run", "port", "ready"),
    [
        pytest.param(REDIS, "", REDIS_PORT, TCP, id="tcp, the client speaks first"),
        pytest.param(BUSYBOX, "exec nc -ll -p 6000 -e echo hello", 6000, TCP, id="tcp, the server speaks first"),
        pytest.param(BUSYBOX, WEB, 8080, ReadyCheck(ReadyKind.HTTP, "/health"), id="http"),
        pytest.param(BUSYBOX, WEB, 8080, ReadyCheck(ReadyKind.EXEC, "wget -q -O - localhost:8080/health"), id="exec"),
        pytest.param(REDIS, "", None, ReadyCheck(ReadyKind.LOG, "Ready to accept"), id="log"),
        pytest.param(BUSYBOX, "", None, None, id="nothing said: it stays alive"),
        pytest.param(HEALTHY, "touch /tmp/healthy; exec sleep 1000", None, None, id="its own health check"),
    ],
)
def test_it_becomes_ready(containers, engine, image, run, port, ready):
    spec = containers.start(image=image, run=run, port=port, host_port=free_port() if port else None)
    assert became_ready(engine, spec, ready)


@pytest.mark.parametrize(
    ("run", "ready", "why"),
    [
        ("", ReadyCheck(ReadyKind.TCP), "nothing answers at port {port} yet"),
        ("", ReadyCheck(ReadyKind.HTTP, "/health"), "nothing answers HTTP at port {port} yet"),
        ("", ReadyCheck(ReadyKind.EXEC, "echo no; exit 2"), "`echo no; exit 2` ends with 2: no"),
        ("echo up", ReadyCheck(ReadyKind.LOG, "down"), "its output does not match down yet"),
    ],
)
def test_why_it_is_not_ready_is_said(containers, engine, run, ready, why):
    spec = containers.start(run=f"{run or ':'}; exec sleep 1000", port=8080, host_port=free_port())
    assert readiness_problem(engine, spec.name, spec.host_port, ready) == why.format(port=spec.host_port)


def test_an_answer_that_is_an_error_is_not_ready(containers, engine):
    spec = containers.start(run=WEB, port=8080, host_port=free_port())
    became_ready(engine, spec, TCP)
    assert (
        readiness_problem(engine, spec.name, spec.host_port, ReadyCheck(ReadyKind.HTTP, "/no")) == "GET /no answers 404"
    )


def test_the_images_health_check_comes_first(containers, engine):
    spec = containers.start(image=HEALTHY)
    said = ReadyCheck(ReadyKind.EXEC, "true")
    assert readiness_problem(engine, spec.name, None, said).startswith("its own health check reports ")
    eventually(lambda: readiness_problem(engine, spec.name, None, None) == "its own health check reports unhealthy")
    engine.run_inside(spec.name, "touch /tmp/healthy")
    assert became_ready(engine, spec, said)


@pytest.mark.parametrize("ready", [None, TCP, ReadyCheck(ReadyKind.EXEC, "true"), ReadyCheck(ReadyKind.LOG, "never")])
def test_one_that_dies_is_given_up_with_its_last_words(containers, engine, ready):
    spec = containers.start(run="echo no room for data; exit 3", port=8080, host_port=free_port())
    with pytest.raises(ContainerFailed, match=f"{spec.name} ended with exit code 3 before it was ready") as caught:
        eventually(lambda: readiness_problem(engine, spec.name, spec.host_port, ready) and False)
    assert caught.value.tail == "no room for data"


def test_one_that_was_removed_is_given_up(containers, engine):
    spec = containers.start()
    engine.remove(spec.name)
    with pytest.raises(ContainerFailed, match="was removed by someone else"):
        readiness_problem(engine, spec.name, None, None)
