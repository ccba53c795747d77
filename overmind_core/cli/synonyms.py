"""Synonyms: words of docker, kubectl, systemctl and tmux that are not ours, and what to type instead.

Words that mean the same as one of our commands are its aliases, in `overmind_core.cli.command`.
"""

from __future__ import annotations

from overmind_core.domain.text.cells import did_you_mean

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

INSTEAD: dict[str, str] = {
    "add": "To add work to the queue: overmind quest add TITLE",
    "allow": "To answer a question: overmind answer NUMBER allow",
    "approve": "To answer a question: overmind answer NUMBER allow",
    "ask": "To send a session a message: overmind send ID TEXT",
    "backlog": "To list what waits: overmind queue; as cards: overmind board",
    "blueprint": "To list plans and their agents: overmind ps --tree; to check a file: overmind agents FILE",
    "blueprints": "To list plans and their agents: overmind ps --tree; to check a file: overmind agents FILE",
    "build": "To start a command: overmind run 'make build'",
    "cancel": "To end a mission: overmind stop ID; a quest: overmind quest cancel QUEST",
    "cat": "To see what a mission wrote: overmind logs ID",
    "compose": "To start the plan in a file: overmind apply FILE; to end it: overmind delete PLAN",
    "config": "Settings are in config.toml in the home; to check them: overmind doctor",
    "container": "To list missions: overmind ps; to see one: overmind info ID",
    "cp": "A mission's files are in its folder; to see which: overmind info ID -o yaml",
    "create": "To start a mission: overmind run CMD; a blueprint's file: overmind init",
    "cron": "To run work on a schedule: overmind ritual create NAME SCHEDULE CMD",
    "daemon": "To start the daemon: overmind start",
    "dashboard": "To open the full-screen program: overmind tui",
    "deny": "To answer a question: overmind answer NUMBER deny",
    "disable": "To remove the service: overmind service remove",
    "down": "To end a plan: overmind delete PLAN; the daemon: overmind shutdown",
    "enable": "To start the daemon at login: overmind service install",
    "enqueue": "To add work to the queue: overmind quest add TITLE",
    "fg": "To attach to a mission's terminal: overmind attach ID",
    "get": "To list missions: overmind ps; to see one: overmind info ID",
    "graph": "To draw a blueprint: overmind agents --graph FILE; quests: overmind quest list --graph",
    "has-session": "To see one mission: overmind info ID",
    "history": "To see what happened: overmind events; a ritual's runs: overmind ritual history RITUAL",
    "jobs": "To list missions: overmind ps",
    "journalctl": "To see what missions wrote: overmind logs",
    "kill-session": "To end a mission at once: overmind kill ID",
    "label": "To set a label: overmind update ID --label KEY=VALUE",
    "list-sessions": "To list sessions: overmind ps",
    "mission": "To list missions: overmind ps; to see one: overmind info ID",
    "missions": "To list missions: overmind ps",
    "new": "To start a mission: overmind run CMD",
    "new-session": "To start a session: overmind run --type session --name NAME",
    "open": "To open the full-screen program: overmind tui",
    "plan": "To see a plan: overmind ps --tree; to check one: overmind agents FILE",
    "plans": "To list plans and their agents: overmind ps --tree",
    "port": "To list ports: overmind ports",
    "ready": "To list quests that could start now: overmind quest list --ready",
    "reload": "To send HUP: overmind kill -s HUP ID; a newer daemon: overmind start --replace",
    "reset": "To stop everything: overmind shutdown; to remove what has finished: overmind prune",
    "resume": "To continue a paused mission: overmind thaw ID; an ended one: overmind restart ID; the queue: "
    "overmind queue resume",
    "retry": "To try a failed quest again: overmind quest retry QUEST; a plan: overmind apply FILE --rerun failed",
    "rollback": "To remove a mission's work: overmind discard ID",
    "scale": "To start more missions: overmind run; limits of a plan are in its file: overmind apply FILE",
    "schedule": "To run work on a schedule: overmind ritual create NAME SCHEDULE CMD",
    "send-keys": "To type into a mission: overmind attach ID; to send a session a message: overmind send ID TEXT",
    "session": "To start a session: overmind run --type session",
    "sessions": "To list sessions: overmind ps",
    "set": "To change a mission: overmind update ID",
    "show": "To see one mission: overmind info ID",
    "ssh": "To open a shell in a mission's folder: overmind shell ID",
    "tail": "To follow a log: overmind logs -f ID",
    "task": "To add work to the queue: overmind quest add TITLE; to list it: overmind quest list",
    "tasks": "To list quests: overmind quest list; as cards: overmind board",
    "tell": "To send a session a message: overmind send ID TEXT",
    "terminate": "To end a mission: overmind stop ID",
    "todo": "To add work to the queue: overmind quest add TITLE; to list it: overmind queue",
    "tree": "To list missions as a tree: overmind ps --tree",
    "ui": "To open the full-screen program: overmind tui",
    "up": "To start the plan in a file: overmind apply FILE",
    "upgrade": "To replace the daemon by a newer one: overmind start --replace",
    "validate": "To check a blueprint: overmind agents FILE",
    "watch": "To watch missions: overmind ps --watch",
}
"""Word → what to type instead."""
OPTIONS: dict[str, tuple[str, ...]] = {
    "--after": ("--needs",),
    "--agent": ("--provider",),
    "--background": ("--detach",),
    "--blocked-by": ("--needs",),
    "--branch": ("--into",),
    "--budget": ("--max-cost",),
    "--chdir": ("--cwd",),
    "--depends-on": ("--needs",),
    "--description": ("--brief",),
    "--dir": ("--cwd",),
    "--directory": ("--cwd",),
    "--due": ("--deadline",),
    "--filter": ("--label", "--grep"),
    "--force": ("--yes",),
    "--foreground": ("--wait",),
    "--limit": ("--tail",),
    "--mode": ("--permission-mode",),
    "--no-wait": ("--detach",),
    "--retries": ("--max-restarts",),
    "--reviewer": ("--review",),
    "--selector": ("--label",),
    "--session": ("--type",),
    "--time": ("--timeout",),
    "--worktree": ("--isolate",),
}
"""Option of other programs → ours that mean the same, best first; a command has some of them, or none."""


def advice(word: str, known: Iterable[str]) -> str:
    """Return ` To …: overmind …`, or the `known` commands that look like the word; nothing when there are none."""
    found = INSTEAD.get(word) or INSTEAD.get(word.split(" ", maxsplit=1)[0])
    return f" {found}." if found else did_you_mean(word, known)


def option_advice(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean …?` with the one of the `known` options that means the same, or those that look alike."""
    options = list(known)
    same = next((option for option in OPTIONS.get(word, ()) if option in options), None)
    return f" Did you mean {same}?" if same else did_you_mean(word, options)
