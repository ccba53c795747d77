"""Which engine a person uses, by the environment and by what `docker` has written down."""

from __future__ import annotations

import hashlib
import json

import pytest

from overmind_core.containers.connect import candidates
from overmind_core.containers.model import EngineMissing
from tests.kit.cases import tabled


def urls(environ):
    return [address.url for address in candidates(environ)]


@tabled(
    ("host", "url"),
    [
        ("unix:///run/mine.sock", "unix:///run/mine.sock"),
        (" unix:///run/mine.sock ", "unix:///run/mine.sock"),
        ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
        ("tcp://localhost", "tcp://localhost:2375"),
        ("localhost:4000", "tcp://localhost:4000"),
        ("tcp://[::1]:2375", "tcp://[::1]:2375"),
    ],
)
def test_the_variable_is_the_only_place(host, url):
    assert urls({"DOCKER_HOST": host, "DOCKER_CONTEXT": "another"}) == [url]


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"DOCKER_HOST": "ssh://me@far"}, r"DOCKER_HOST is ssh://far, and ssh:// is not supported\. .*unix://"),
        ({"DOCKER_HOST": "npipe:////./pipe/docker"}, "npipe:// is not supported"),
        ({"DOCKER_HOST": "fd://"}, "fd:// is not supported"),
        ({"DOCKER_HOST": "tcp://10.0.0.7:2375"}, "which is another machine: ports .* can.t be reached"),
        ({"DOCKER_HOST": "tcp://docker:2375"}, "which is another machine"),
        ({"DOCKER_HOST": "tcp://:2375"}, "which is another machine"),
        ({"DOCKER_HOST": "tcp://localhost:x"}, "DOCKER_HOST is tcp://localhost:x, which is not an address"),
        ({"DOCKER_HOST": "https://127.0.0.1:2376"}, "TLS is not supported"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:2376", "DOCKER_TLS_VERIFY": "1"}, "TLS is not supported"),
        ({"DOCKER_CONTEXT": "gone"}, "the docker context gone is selected but does not exist"),
    ],
)
def test_what_cannot_be_used_is_said_with_what_can(environ, why, tmp_path):
    with pytest.raises(EngineMissing, match=why):
        candidates({"HOME": str(tmp_path), **environ})


def test_a_password_in_an_address_is_not_shown(tmp_path):
    with pytest.raises(EngineMissing) as caught:
        candidates({"DOCKER_HOST": "ssh://me:secret@far"})
    assert "secret" not in caught.value.why


def write_context(folder, name, host):
    place = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    place.mkdir(parents=True)
    place.joinpath("meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


def test_the_context_that_docker_uses_is_the_only_place(tmp_path):
    write_context(tmp_path / ".docker", "colima", "unix:///colima.sock")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "colima"}')
    assert urls({"HOME": str(tmp_path)}) == ["unix:///colima.sock"]
    assert "unix:///var/run/docker.sock" in urls({"HOME": str(tmp_path), "DOCKER_CONTEXT": "default"})


def test_the_context_may_be_named_and_lie_elsewhere(tmp_path):
    write_context(tmp_path / "elsewhere", "rootless", "unix:///rootless.sock")
    environ = {"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / "elsewhere"), "DOCKER_CONTEXT": "rootless"}
    assert urls(environ) == ["unix:///rootless.sock"]


@pytest.mark.parametrize("config", [None, "{", "[]", "{}", '{"currentContext": 3}', '{"currentContext": "default"}'])
def test_otherwise_the_known_sockets_are_tried_in_order(config, tmp_path):
    (tmp_path / ".docker").mkdir()
    if config is not None:
        (tmp_path / ".docker" / "config.json").write_text(config)
    assert urls({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/run/user/7", "DOCKER_HOST": ""}) == [
        "unix:///var/run/docker.sock",
        "unix:///run/user/7/docker.sock",
        f"unix://{tmp_path}/.docker/run/docker.sock",
        f"unix://{tmp_path}/.docker/desktop/docker.sock",
        "unix:///run/user/7/podman/podman.sock",
        "unix:///run/podman/podman.sock",
    ]
