"""The instructions for an agent that is to run other agents; their text is `skill.md`, beside this file."""

from __future__ import annotations

import os

SKILL_NAME = "overmind"
SKILL_DESCRIPTION = (
    "Run other agents and programs as supervised missions with the command overmind: divide work, start agents, "
    "wait for them, check their results, send them messages, end them. Use it when work is large enough for "
    "several agents, or must continue in the background."
)


def instructions() -> str:
    """Return the instructions, in Markdown."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "skill.md")
    with open(path, encoding="utf-8") as file:
        return file.read()


def skill_file() -> str:
    """Return what a `SKILL.md` of Claude holds: the same with its name and when to use it."""
    # In quotes: a colon within a plain scalar of YAML would begin another mapping.
    return f'---\nname: {SKILL_NAME}\ndescription: "{SKILL_DESCRIPTION}"\n---\n\n{instructions()}'


def system_prompt(more: str | None) -> str:
    """Return the instructions, and below them what a person wants to add."""
    return instructions() if not more else f"{instructions()}\n{more}"
