"""The example of isolation with processes instead of containers: nobody sees the other's server, database or files."""

from __future__ import annotations

import re

from scripts.webshop.stage import stage


def test_agents_share_nothing_and_what_they_did_lands(monkeypatch):
    monkeypatch.setenv("AGENT_SECONDS", "0")
    with stage("stand-in") as one:
        plan = one.shop / "webshop.toml"
        first, _, _ = plan.read_text(encoding="utf-8").partition("# Two that change the same line")
        plan.write_text(first, encoding="utf-8")
        one.git("commit", "-qam", "The first pair")
        one.overmind("trust")
        one.overmind("apply", "webshop.toml")
        one.ended("webshop")

        assert "--- webshop: 3 succeeded" in one.overmind("logs", "webshop")
        alone = [line for name in ("discount", "header") for line in one.overmind("logs", name).splitlines()]
        assert [re.sub(r" :[0-9]+", "", line) for line in alone if "nobody else's" in line] == [
            "web, db: cart {'tea': 3}, nobody else's",
            "web, db: cart {'cup': 2}, nobody else's",
        ]
        assert one.git("log", "--first-parent", "--format=%s").splitlines()[:2] == [
            "Merge overmind/webshop-header into main",
            "Merge overmind/webshop-discount into main",
        ]
        assert one.git("status", "--porcelain") == ""
    assert not one.shop.exists()
