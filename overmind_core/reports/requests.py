"""The shape of the request about reports."""

from __future__ import annotations

from overmind_core.kernel.request import Args, RequestKey


class Report(Args, frozen=True):
    """Report what was found beside the task; `wait`: an item follows with the answer to a question."""

    kind: str
    """`bug`, `security`, `missing`, `question`, `debt`, `perf`, `idea` or `decision`."""
    text: str
    title: str | None = None
    evidence: list[str] = []
    """Places: `src/api.py:12`."""
    because: str | None = None
    """Why it matters."""
    block: bool = False
    """The quest that reports needs what is reported: its attempt begins again afterwards, and this one is free."""
    wait: bool = False
    cwd: str | None = None
    """Of a person's shell: where a reported quest is to work."""
    env: dict[str, str] = {}
    """Likewise: in which environment."""
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key is the same report."""
