"""The real programs of agents other than claude, in a home of their own, beside a stub of their models."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.kit.agents import Agents
from tests.kit.model_api import ModelApi
from tests.kit.overmind import Overmind

Environment = dict[str, str]
KEY = "sk-stub"
WRITTEN = {
    "codex": ".codex", "copilot": ".copilot", "gemini": ".gemini", "opencode": ".local/share/opencode", "qwen": ".qwen",
}  # fmt: skip
"""Where in a person's home each program writes."""
MODELS = {"gemini": "gemini-2.5-flash"}
"""Models for `--model`, where a program would choose one by itself, through another model."""


class RealAgents(Agents):
    """Missions with a real program.

    Args:
        om: The command line.
        folder: Empty; home and project are made in it.
        provider: Its name.
        programs: The folder of the programs.
        api: What it talks to.
    """

    patience = 120.0  # opencode and qwen take 28 s to open a conversation on a busy machine, and 60 on a busier one

    def __init__(self, om: Overmind, folder: str, provider: str, programs: str, api: ModelApi) -> None:
        super().__init__(om, folder, program="/bin/false")
        home = om.environment["HOME"]
        program = os.path.join(programs, provider)
        self.provider, self.api = provider, api
        model = ("--model", MODELS[provider]) if provider in MODELS else ()
        self.options = ("--provider", provider, "--cwd", self.work, *model)
        om.environment |= {f"OVERMIND_{provider.upper()}_BIN": program, "SHELL": "/bin/bash"}
        om.environment |= SET_UPS[provider](home, api.url)
        if provider == "copilot":  # else it asks on its screen whether it may trust its folder
            _write(os.path.join(home, ".copilot", "config.json"), json.dumps({"trustedFolders": ["/"]}))

    def start(self, prompt: str, *options: str) -> str:
        return self.om.mission([prompt], *self.options, *options)

    def session(self, *options: str, prompt: str | None = None) -> str:
        command = [] if prompt is None else [prompt]
        mission = self.om.mission(command, "--type", "session", *self.options, *options)
        self.om.wait_status(mission, "running")
        return mission

    def make_noisy(self) -> str:
        """Have the next runs say what no protocol has; the path of the file with the answers to that."""
        name = f"OVERMIND_{self.provider.upper()}_BIN"
        words = (sys.executable, str(Path(__file__).parent / "noisy_agent.py"), self.om.environment[name])
        path = os.path.join(self.folder, "noisy")
        _write(path, f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        os.chmod(path, 0o755)
        answers = os.path.join(self.folder, "answers")
        self.om.environment |= {name: path, "NOISE": answers}
        return answers

    def forget(self) -> None:
        """Take away all that its program has written down, and so each conversation."""
        for folder, _, names in os.walk(os.path.join(self.om.environment["HOME"], WRITTEN[self.provider])):
            for name in names:
                if name not in {"config.toml", "config.json", "settings.json"}:
                    os.unlink(os.path.join(folder, name))


def _codex(home: str, url: str) -> Environment:
    config = f"""model_provider = "stub"
model = "stub"
[model_providers.stub]
name = "stub"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "STUB_KEY"
request_max_retries = 0
stream_max_retries = 0
"""
    _write(os.path.join(home, ".codex", "config.toml"), config)
    return {"STUB_KEY": KEY}


def _copilot(home: str, url: str) -> Environment:
    where = {"TYPE": "openai", "BASE_URL": f"{url}/v1"}
    offline = {"COPILOT_OFFLINE": "true", "COPILOT_MODEL": "stub"}
    return {f"COPILOT_PROVIDER_{name}": value for name, value in where.items()} | offline


def _gemini(home: str, url: str) -> Environment:
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    _write(os.path.join(home, ".gemini", "settings.json"), json.dumps(settings))
    key = {"GEMINI_API_KEY": KEY, "GEMINI_MODEL": MODELS["gemini"]}
    return {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_CLI_TRUST_WORKSPACE": "true", **key}


def _opencode(home: str, url: str) -> Environment:
    model = {"name": "stub", "cost": {"input": 1, "output": 2}, "limit": {"context": 200000, "output": 8192}}
    stub = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {"stub": model, "other": model},
    }
    config = {"provider": {"stub": stub}, "model": "stub/stub", "small_model": "stub/stub", "share": "disabled"}
    _write(os.path.join(home, ".config", "opencode", "opencode.json"), json.dumps(config))
    return {"OPENCODE_DISABLE_MODELS_FETCH": "true"}


def _qwen(home: str, url: str) -> Environment:
    settings = {"security": {"auth": {"selectedType": "openai"}}, "privacy": {"usageStatisticsEnabled": False}}
    _write(os.path.join(home, ".qwen", "settings.json"), json.dumps(settings))
    return {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": KEY, "OPENAI_MODEL": "stub"}


SET_UPS: Mapping[str, Callable[[str, str], Environment]] = {
    "codex": _codex,
    "copilot": _copilot,
    "gemini": _gemini,
    "opencode": _opencode,
    "qwen": _qwen,
}
"""Each program, and what makes it talk to the stub."""


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
