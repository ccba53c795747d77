"""Streams for scripts: resumed where they broke off, ended with the login, and never more than their reader takes."""

from __future__ import annotations

import pytest

from tests.kit.waiting import eventually
from tests.kit.web_script import ROOT, WebScript
from tests.kit.web_site import Site
from tests.process.web_server.test_rest_streams import GONE


@pytest.mark.long
def test_events_that_are_kept_no_more_are_gone(om):
    """What is too old is looked for half a minute after a start."""
    with open(om.path("config.toml"), "w") as file:
        file.write("[retention]\nevents = 5\n")
    om.ok("start")
    for _ in range(3):
        om.finished("true")
    eventually(lambda: om.ndjson("events")[0]["seq"] > 1, timeout=60, what="old events are removed")
    with Site(om) as site:
        script = WebScript(site.port, str(om.api("web_token", name="script")["token"]))
        reply = script.raw("GET", f"{ROOT}/events", None, {"Last-Event-ID": "1"})
        assert (reply.status, reply.error) == (GONE, "gone")
        assert reply.json["oldest"] == om.ndjson("events")[0]["seq"]
