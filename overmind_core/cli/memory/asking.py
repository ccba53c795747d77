"""The common arguments of requests about notes: where they are asked, and texts without the secrets of the shell."""

from __future__ import annotations

import os

from overmind_core.cli import caller_environment
from overmind_core.cli.context import text_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.cli.context import Context

EXPORTED = ".overmind/notes"
"""Where files of notes are, from the top of a repository."""
KINDS = ("fact", "decision", "pattern", "gotcha", "fix", "lesson")
SCOPES = ("mission", "repo", "colony", "global")
_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def request_key() -> str:
    """Return a key by which the repetition of a request is recognised."""
    return os.urandom(_REQUEST_KEY).hex()


def folder() -> str:
    """Return the folder that says which repository is meant."""
    return caller_environment.working_directory(None)


class Redaction:
    """Texts without the secrets of the environment that asks: no daemon, and no agent, gets to see those.

    Attributes:
        count: How many were replaced.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.count = 0

    def text(self, text: str) -> str:
        """Return it without them."""
        from overmind_core.domain.memory.redaction import redact, secret_values  # start-up: its patterns take a while

        found = redact(text, secret_values(self._environ))
        self.count += found.secrets
        return found.text

    def words(self, words: Sequence[str]) -> str:
        """Return words as a text; of `-` alone what standard input holds."""
        return self.text(text_of(words))

    def texts(self, texts: Sequence[str]) -> list[str]:
        """Return each without them."""
        return [self.text(one) for one in texts]


def note_redacted(context: Context, count: int) -> None:
    """Tell on stderr how many secrets were replaced."""
    if count:
        context.note(f"redacted: {count} secret{'' if count == 1 else 's'}")
