"""An attachment that only looks, at a supervisor that knows of such looks and at an older one."""

from __future__ import annotations

import pytest

from overmind_core.client.attach import MissionAttachment
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit.fake_daemon import FakeDaemon

HEAD = {"id": "a1", "name": "api", "status": "running", "write": False}
UNKNOWN = {"error": "invalid", "message": "Bad arguments: Object contains unknown field `looks`"}
LOOKS = {"id": "api", "read_only": True, "looks": True, "columns": 80, "rows": 24}


def asked(tmp_path, answer, request):
    with FakeDaemon(Home(str(tmp_path / "home")), answer) as daemon:
        try:
            MissionAttachment(Home(str(tmp_path / "home")), request).close()
        finally:
            arguments = [one["args"] for one in daemon.requests]
    return arguments


def test_a_look_is_said_to_be_one(tmp_path):
    assert asked(tmp_path, lambda _: [{"ok": HEAD}], LOOKS) == [LOOKS]


def test_an_older_supervisor_is_asked_without_that(tmp_path):
    older = asked(tmp_path, lambda one: [UNKNOWN if "looks" in one["args"] else {"ok": HEAD}], LOOKS)
    assert [args.get("looks") for args in older] == [True, None]
    assert older[1]["read_only"]


@pytest.mark.parametrize("request_", [LOOKS, {"id": "api"}])
def test_another_refusal_is_final(tmp_path, request_):
    refused = {"error": "not_found", "message": "No mission matches api."}
    with pytest.raises(OvermindError, match="No mission"):
        asked(tmp_path, lambda _: [refused], request_)
