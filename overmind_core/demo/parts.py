"""What the demonstration consists of: a row for each mission. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import Any

LABEL = "demo"
"""The key of the label that each of them has; its value is the part's name."""
SHOP = "shop"
"""Where all missions stand."""
AGENT = "bin/agent"
BASHRC = "bashrc"
PROMPT = "The shop's prices lose their cents: mend that, and prove it with a test"


class Part:
    """One mission.

    Args:
        name: The label's value; the mission's name is `demo-<name>` where that is free.
        about: What there is to see, in a few words.
        request: What the request `run` says of it.
        environment: Variables of this mission alone.
    """

    __slots__ = ("about", "environment", "name", "request")

    def __init__(
        self, name: str, about: str, request: Mapping[str, Any], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.about = about
        self.request = request
        self.environment = environment or {}


def parts(*, root: str, shell: str) -> tuple[Part, ...]:
    """All that are started; the agent starts one more, `tests`.

    Args:
        root: The folder of the demonstration.
        shell: The program of the shell session, bash where there is one.
    """
    rc = ["--rcfile", f"../{BASHRC}"] if shell == "bash" else []
    return (
        Part(
            "agent",
            "a scripted agent: works, asks you twice, answers messages",
            {"provider": "claude", "type": "session", "command": PROMPT, "restart": "on-failure"},
            {"OVERMIND_CLAUDE_BIN": f"{root}/{AGENT}"},
        ),
        Part("build", "a build with its progress, which ends well", {"command": ["./build"]}),
        Part("service", "a service that writes its log", {"command": ["./serve"], "restart": "always"}),
        Part(
            "worker",
            "a flaky worker: crashes, and is started again until it holds",
            {"command": ["./worker"], "restart": "on-failure", "backoff": 1500},
        ),
        Part("shell", "a shell on a terminal", {"type": "session", "command": [shell, *rc]}),
    )


NAMES = frozenset({"agent", "build", "service", "worker", "shell", "tests"})
"""Values of the label."""


def belongs(row: Mapping[str, Any], root: str) -> bool:
    """Whether a row of `ps` is one of ours: by label and by folder, for both names and labels are free to all."""
    return row["labels"].get(LABEL) in NAMES and (row["cwd"] == root or row["cwd"].startswith(f"{root}/"))


def free_name(part: str, taken: Container[str]) -> str:
    """`demo-build`, or with a number behind it."""
    number, name = 2, f"{LABEL}-{part}"
    while name in taken:
        name, number = f"{LABEL}-{part}-{number}", number + 1
    return name
