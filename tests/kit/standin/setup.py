"""What must be settled before the full-screen program starts, kept in `$HOME/.claude.json`."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.kit.standin import dialogs
from tests.kit.standin.dialogs import Dialog

NO_SERVICE = (
    "Welcome to Claude Code v2.1.332\r\n\r\n Unable to connect to Anthropic services\r\n\r\n"
    " Failed to connect to api.anthropic.com: ENOTFOUND\r\n"
)
UNTRUSTED = (
    "Claude Code didn't start because this folder isn't trusted.\r\n"
    "Run claude again and choose Yes, or run it in another folder.\r\n"
)


class Step(NamedTuple):
    """One question before the start."""

    draw: Callable[[int], Dialog]
    """Columns → what is shown."""
    accept: Callable[[], None]
    """What is kept after a yes."""
    refused: str = ""
    """Said when a no ends the program; "" = it goes on."""
    ends: bool = True
    """Whether a no ends the program."""


class Setup:
    """The person's file.

    Args:
        environment: Of the process.
        cwd: The project's folder.
    """

    def __init__(self, environment: Mapping[str, str], cwd: str) -> None:
        self._path = os.path.join(environment["HOME"], ".claude.json")
        self._key = environment.get("ANTHROPIC_API_KEY", "")
        self._cwd = cwd
        self._kept: dict[str, Any] = {}
        with contextlib.suppress(FileNotFoundError), open(self._path, encoding="utf-8") as file:
            self._kept = json.load(file)

    @property
    def onboarded(self) -> bool:
        """Whether the first start, which needs the network, was done."""
        return bool(self._kept.get("hasCompletedOnboarding"))

    def steps(self, *, skips_permissions: bool) -> list[Step]:
        """Return what is still to be asked."""
        steps = []
        if not self._trusted():
            steps.append(Step(lambda columns: dialogs.trust(self._cwd, columns), self._trust, UNTRUSTED))
        if self._key and self._key[-20:] not in self._kept.get("customApiKeyResponses", {}).get("approved", ()):
            steps.append(Step(lambda columns: dialogs.api_key(self._key, columns), self._approve, ends=False))
        if skips_permissions and not self._kept.get("bypassPermissionsModeAccepted"):
            steps.append(Step(dialogs.bypass, self._accept_bypass))
        return steps

    def _trusted(self) -> bool:
        parents = [self._cwd]
        while parents[-1] != "/":
            parents.append(os.path.dirname(parents[-1]))
        projects = self._kept.get("projects", {})
        return any(projects.get(parent, {}).get("hasTrustDialogAccepted") for parent in parents)

    def _trust(self) -> None:
        self._kept.setdefault("projects", {}).setdefault(self._cwd, {})["hasTrustDialogAccepted"] = True
        self._save()

    def _approve(self) -> None:
        answers = self._kept.setdefault("customApiKeyResponses", {"approved": [], "rejected": []})
        answers["approved"].append(self._key[-20:])
        self._save()

    def _accept_bypass(self) -> None:
        self._kept["bypassPermissionsModeAccepted"] = True
        self._save()

    def _save(self) -> None:
        with open(self._path, "w", encoding="utf-8") as file:
            json.dump(self._kept, file)
