"""Programs that are spoken to in JSON-RPC: scripted ones in the place of the real ones."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.kit.agents import Agents
from tests.kit.overmind import Overmind

HERE = Path(__file__).parent


class RpcAgents(Agents):
    """A scripted program in the place of that of a provider."""

    def __init__(self, om: Overmind, folder: str, provider: str, script: str, **environment: str) -> None:
        os.makedirs(f"{folder}/kept")
        path = f"{folder}/{provider}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {shlex.join((sys.executable, str(HERE / script)))} "$@"\n')
        os.chmod(path, 0o755)
        super().__init__(om, folder, program="/bin/false")
        self.provider = provider
        om.environment |= {f"OVERMIND_{provider.upper()}_BIN": path, "RPC_KEPT": f"{folder}/kept", **environment}

    def start(self, prompt: str, *options: str) -> str:
        return self.om.mission([prompt], "--provider", self.provider, "--cwd", self.work, *options)

    def session(self, *options: str, prompt: str | None = None) -> str:
        command = [] if prompt is None else [prompt]
        where = ("--provider", self.provider, "--cwd", self.work)
        mission = self.om.mission(command, "--type", "session", *where, *options)
        self.om.wait_status(mission, "running")
        return mission


class AcpAgents(RpcAgents):
    """One that speaks the Agent Client Protocol."""

    def __init__(self, om: Overmind, folder: str, provider: str = "opencode") -> None:
        way = {"ACP_WAY": "loads"} if provider == "copilot" else {}
        super().__init__(om, folder, provider, "acp_agent.py", **way)


class CodexAgents(RpcAgents):
    """Codex."""

    def __init__(self, om: Overmind, folder: str) -> None:
        super().__init__(om, folder, "codex", "codex_agent.py")
