"""A swarm with a pool whose instances a real engine starts, as its people see it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tests.kit.overmind import Overmind
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

PATIENCE = 90.0
"""Seconds for what an engine does."""


class SwarmPool:
    """A pool, and a hive that takes nothing and starts the pool's instances.

    Attributes:
        name: Of the pool; each test has its own, as all are of one account.
        hub: The hive.
    """

    def __init__(self, homes: SwarmHomes) -> None:
        self.homes = homes
        self.name = homes.name("p")
        self.desk = homes.desk
        lines = self.desk.ok("swarm", "invite", self.name, "--role", "worker", "--pool").splitlines()
        self._url = lines[-1].removeprefix("overmind swarm join ").strip("'")
        self.hub: Overmind = homes.hive("hub", "--slots", "0")

    def begin(self, **keys: Any) -> None:
        """Have the hub start instances, of at most two jobs with two slots where `keys` say nothing else."""
        table = {"slots": 2, "max": 2, "idle": "4s", "labels": {"gpu": "yes"}, **keys}
        lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
        Path(self.hub.home, "config.toml").write_text("\n".join([f"[pools.{self.name}]", *lines, ""]))
        assert self.hub.ok("swarm", "join", "-", stdin=self._url).startswith("Kept the invitation")

    def instances(self) -> list[dict[str, Any]]:
        """All that there were, as the swarm has them."""
        found: list[dict[str, Any]] = self.desk.json("pool", "list", self.name, "--json")["instances"]
        return found

    def listed(self) -> str:
        """What `pool list` says of it."""
        said = self.desk("pool", "list")
        return said.stdout + said.stderr

    def joined(self) -> list[str]:
        """Those that are hives."""
        return [one["name"] for one in self.instances() if one["state"] == "joined"]

    def wait_joined(self, count: int) -> list[str]:
        """Return those that are hives once there are so many."""
        eventually(lambda: len(self.joined()) == count, timeout=PATIENCE, what=f"{count} instances have joined")
        return self.joined()

    def post(self, name: str, script: str, *options: str) -> None:
        """Post a run for the pool."""
        self.desk.ok("run", "--on", "gpu=yes", "--name", name, *options, script)

    def homes_left(self) -> list[Path]:
        """Homes of instances; one that was killed together with its keeper leaves its own."""
        return list(Path(f"/tmp/overmind-{os.geteuid()}/pools").glob(f"overmind-????????-{self.name}-*"))

    def remove_homes(self) -> None:
        """Remove those."""
        for one in self.homes_left():
            shutil.rmtree(one)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)
