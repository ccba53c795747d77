"""The doctor: what `overmind doctor` finds on this machine, with how to mend each."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from overmind_core.errors import OvermindError
from overmind_core.view.cells import safe
from overmind_web.live.feed import Change
from overmind_web.live.pane import ContentPane

PROGRAM = (sys.executable, "-P", "-m", "overmind_core.cli", "doctor", "--json")
LIMIT = 60.0
"""Seconds; the checks have a shorter limit of their own, but a machine may be busy."""
TONES = {"ok": "good", "warn": "slow", "fail": "bad"}
_one_at_a_time = asyncio.Lock()
"""Each look starts programs: however many pages are open, there is one at once."""


class DoctorPane(ContentPane):
    """The findings, a dict each: `status`, `tone`, `check`, `found` and `mend`, which may be empty.

    They are looked for when the pane opens; a page that wants to look again opens another one.
    """

    def concerns(self, change: Change) -> bool:
        """Nothing that happens to missions."""
        del change
        return False

    async def load(self) -> object:
        """Look."""
        environment = {**os.environ, "OVERMIND_HOME": self.context.supervisor.home.root}
        async with _one_at_a_time:
            process = await asyncio.create_subprocess_exec(
                *PROGRAM, env=environment, cwd="/", stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                async with asyncio.timeout(LIMIT):
                    printed, _ = await process.communicate()
            except TimeoutError:
                raise OvermindError("timeout", f"overmind doctor took more than {LIMIT:.0f} s.") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return {"findings": findings(printed)}


def findings(printed: bytes) -> list[Mapping[str, str]]:
    """Return what the program printed, safe to show. Pure.

    Raises:
        OvermindError: `internal`, it printed something else.
    """
    try:
        found: list[dict[str, Any]] = json.loads(printed)
        return [
            {
                "status": safe(one["status"]), "tone": TONES.get(one["status"], ""), "check": safe(one["check"]),
                "found": safe(one["found"]), "mend": safe(one["mend"] or ""),
            }
            for one in found
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OvermindError("internal", "overmind doctor failed. Run it on that machine.") from None
