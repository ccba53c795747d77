"""The example of isolation with processes instead of containers: nobody sees the other's server, database or files."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from scripts.webshop.stage import SHOP, stage
from tests.kit.blueprint_texts import problems
from tests.kit.overmind import REPOSITORY


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


def test_the_shop_passes_its_own_tests_and_its_plan_is_right():
    finished = subprocess.run(
        [sys.executable, "-m", "unittest", "-q"],
        cwd=SHOP,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert problems((SHOP / "webshop.toml").read_text(encoding="utf-8")) == []
    assert os.access(os.path.join(REPOSITORY, "scripts", "demo-isolation"), os.X_OK)
