"""The common arguments of requests about notes: where they are asked, and texts without the secrets of the shell."""

from __future__ import annotations

import os

from overmind_core.cli.command import option
from overmind_core.cli.context import text_of
from overmind_core.cli.values import whole_number

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.command import Parameter
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
    from overmind_core.cli import caller_environment  # start-up: a search in transcripts asks for none

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


def found_filters(args: Namespace, hidden: Redaction, *, limit: int) -> dict[str, Any]:
    """Return which notes a search means, as arguments of its request."""
    texts = {name: None if (value := getattr(args, name)) is None else hidden.text(value) for name in ("tag", "file")}
    return {"limit": limit, "scope": args.scope, "kind": args.kind, **texts, "cwd": folder()}


def kind_option() -> Parameter:
    """The kind of notes that are meant."""
    return option("--kind", "KIND", f"only of this kind: {', '.join(KINDS)}", choices=KINDS)


def scope_option() -> Parameter:
    """Their scope."""
    return option("--scope", "SCOPE", f"only of this scope: {', '.join(SCOPES)}", choices=SCOPES)


def tag_option() -> Parameter:
    """A tag of theirs."""
    return option("--tag", "TAG", "only with this tag")


def found_options(limit: int) -> list[Parameter]:
    """Return the options that say which notes a search means; `limit`: of how many there are without one."""
    return [
        option("--limit", "N", f"at most this many (default {limit})", parse=whole_number),
        scope_option(),
        kind_option(),
        tag_option(),
        option("--file", "PATH", "only those about this file"),
    ]


def note_redacted(context: Context, count: int) -> None:
    """Tell on stderr how many secrets were replaced."""
    if count:
        context.note(f"redacted: {count} secret{'' if count == 1 else 's'}")
