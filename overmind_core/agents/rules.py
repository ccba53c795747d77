"""Questions that rules answer: those of the mission, then those of the configuration; a denial wins.

What an agent may do in the folders of its quest comes after them, then what it may do with notes, and an orchestrator
anyway; where no person can answer, every question is answered at once.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from overmind_core.domain.agents import note_commands, own_folders, permission
from overmind_core.domain.agents.agent import BY_KEYS, AgentNeed
from overmind_core.domain.agents.agent_events import Behaviour, Decision
from overmind_core.domain.text.bytestrings import from_wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.agents.agent_events import Asked
    from overmind_core.domain.agents.own_folders import FolderUse
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.spec import Environment


ALONE = {
    AgentNeed.PERMISSION: "No one can approve this. Continue without it, or report that you needed it.",
    AgentNeed.QUESTION: "No one can answer. Decide yourself and state your assumptions.",
    AgentNeed.PLAN: "No one can approve a plan. Reply with the plan itself.",
}
"""The answer to an agent that asks where no person can answer."""


class Rules:
    """What is answered without a person.

    Args:
        settings: With the rules of the configuration.
        environment: Of a mission.
        has_memory: Whether a mission may use the notes.
        unattended: No person can answer, as in a headless run.
    """

    def __init__(
        self,
        settings: Settings,
        environment: Callable[[str], Environment],
        *,
        has_memory: Callable[[str], bool],
        unattended: bool,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._has_memory = has_memory
        self._unattended = unattended

    def decide(self, agent: Agent, asked: Asked, mission_id: str, cwd: str) -> tuple[Decision, str] | None:
        """What the rules say about a question, and which one; None when a person must answer."""
        ruled = self._ruled(agent, asked, cwd, mission_id)
        return alone(asked) if ruled is None and self._unattended else ruled

    def _ruled(self, agent: Agent, asked: Asked, cwd: str, mission_id: str) -> tuple[Decision, str] | None:
        environment = self._environment(mission_id)
        allow, deny = (*agent.allow, *self._settings.allow), (*agent.deny, *self._settings.deny)
        if asked.need is not AgentNeed.PERMISSION:
            return None
        home = {**environment.inherited, **environment.chosen}.get("HOME", "")
        ruled = permission.decide(allow, deny, asked.tool, asked.subject, cwd, home=home)
        if ruled is None:
            return _in_own_folder(agent, asked, cwd) or _by_own_commands(
                agent, asked, cwd, has_memory=self._has_memory(mission_id)
            )
        behaviour, rule = ruled
        if behaviour is Behaviour.DENY:
            return Decision(behaviour, f"The rule {rule} denies it."), rule
        return Decision(Behaviour.ALLOW), rule


def alone(asked: Asked) -> tuple[Decision, str] | None:
    """What is answered where no person can; None for a dialog of the program's own, which takes only its own keys."""
    if asked.need in BY_KEYS:
        return None
    return Decision(Behaviour.DENY, ALONE[asked.need]), "headless"


def _in_own_folder(agent: Agent, asked: Asked, cwd: str) -> tuple[Decision, str] | None:
    used = None if agent.folders is None else own_folders.use_of(agent.folders, asked.tool, asked.subject, cwd)
    return (Decision(Behaviour.ALLOW), used.rule) if used is not None and is_plain_way(used) else None


def is_plain_way(used: FolderUse) -> bool:
    """Whether the way to a file, or a folder, leads over folders alone: no link, no second name of another file.

    What is not there yet can be made.
    """
    way = from_wire(used.folder)
    for left, name in zip(range(len(used.names), -1, -1), (*used.names, ""), strict=True):
        try:
            found = os.lstat(way)
        except FileNotFoundError:
            return left < len(used.names)
        except (OSError, ValueError):
            return False
        if not stat.S_ISDIR(found.st_mode):
            return left == 0 and stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        way = os.path.join(way, from_wire(name))
    return True


def _by_own_commands(agent: Agent, asked: Asked, cwd: str, *, has_memory: bool) -> tuple[Decision, str] | None:
    if has_memory and asked.tool in note_commands.TOOLS:
        return Decision(Behaviour.ALLOW), note_commands.NAME
    command = asked.subject.get("command")
    if asked.tool != permission.SHELL or not isinstance(command, str) or permission.TITLE_ONLY in asked.subject:
        return None
    rule = permission.permits(command, agent, cwd, has_memory=has_memory)
    return None if rule is None else (Decision(Behaviour.ALLOW), rule)
