"""MCP tools about notes: `remember`, `recall`, `search`, `outcome`, as the commands of these names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from overmind_core.cli.agents.mcp_calls import Calls
from overmind_core.cli.memory.asking import Redaction, folder, request_key
from overmind_core.cli.memory.lines import clean

KindWord = Literal["fact", "decision", "pattern", "gotcha", "fix"]
ScopeWord = Literal["mission", "repo", "colony", "global"]
Scope = Annotated[ScopeWord | None, Field(description="only notes of this scope")]
Tag = Annotated[str | None, Field(description="only notes with this tag")]
Path = Annotated[str | None, Field(description="only notes about this file")]
Limit = Annotated[int, Field(ge=1, le=100, description="at most so many")]


class MemoryTools:
    """The tools about notes, over the daemon that `calls` reaches."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def remember(
        self,
        text: Annotated[str, Field(min_length=1, description="the note, at most 4,000 characters")],
        kind: Annotated[
            KindWord | None, Field(description="the kind of note: that of the one that it replaces, else fact")
        ] = None,
        scope: Annotated[
            ScopeWord | None, Field(description="for whom: repo unless given; a person must accept colony and global")
        ] = None,
        *,
        tags: Annotated[list[str] | None, Field(description="words to find it by")] = None,
        files: Annotated[list[str] | None, Field(description="globs of the files that it is about")] = None,
        key: Annotated[str | None, Field(description="the name by which it is called: writes its next version")] = None,
        replaces: Annotated[str | None, Field(description="the id of the note whose next version this is")] = None,
    ) -> dict[str, Any]:
        """Write a note for whoever works here next: what cost you time to find out and is not in the code."""
        hidden = Redaction(os.environ)
        request = {
            "text": hidden.text(text),
            "kind": kind,
            "scope": scope,
            "tags": hidden.texts(tags or []),
            "files": hidden.texts(files or []),
            "key": key,
            "replaces": replaces,
            "cwd": folder(),
            "request": request_key(),
        }
        return await self._asked("remember", request | {"redacted": hidden.count})

    async def recall(
        self,
        question: Annotated[str, Field(min_length=1, description="in your own words")],
        limit: Limit = 5,
        scope: Scope = None,
        tag: Tag = None,
        file: Path = None,
    ) -> dict[str, Any]:
        """Find notes that answer a question, the best first. They may be old or wrong; the code wins."""
        hidden = Redaction(os.environ)
        asked = {"questions": [hidden.text(question)], "limit": limit, "scope": scope, "cwd": folder()}
        answer = await self._asked("recall", asked | _hidden(hidden, tag=tag, file=file))
        return {**answer, "notes": [_found(one) for one in answer["notes"]]}

    async def search(
        self,
        words: Annotated[str, Field(min_length=1)],
        limit: Limit = 20,
        scope: Scope = None,
        tag: Tag = None,
        file: Path = None,
        *,
        literal: Annotated[bool, Field(description="exactly this text")] = False,
        episodes: Annotated[bool, Field(description="search the runs of agents, instead of notes")] = False,
    ) -> dict[str, Any]:
        """Find notes by words, or runs of agents by their prompts, files, commands and errors."""
        hidden = Redaction(os.environ)
        asked = {"words": hidden.text(words), "limit": limit, "scope": scope, "cwd": folder()}
        asked |= {"literal": literal, "episodes": episodes}
        answer = await self._asked("search", asked | _hidden(hidden, tag=tag, file=file))
        return {**answer, "notes": [_found(one) for one in answer["notes"]]}

    async def outcome(
        self,
        notes: Annotated[list[str], Field(min_length=1, description="ids of notes: N-…")],
        why: Annotated[str | None, Field(description="why, in a sentence")] = None,
        *,
        helped: Annotated[bool, Field(description="true: they helped; false: they were wrong or misled you")],
    ) -> dict[str, Any]:
        """Say whether notes have helped or hurt you. A note that hurts is given to nobody any more."""
        said = _hidden(Redaction(os.environ), why=why)
        return await self._asked("outcome", {"notes": notes, "helped": helped, "cwd": folder(), **said})

    async def _asked(self, command: str, request: Mapping[str, object]) -> dict[str, Any]:
        return dict(await self._calls.do(lambda client: client.call(command, request)))


def _hidden(hidden: Redaction, **texts: str | None) -> dict[str, str | None]:
    return {name: None if text is None else hidden.text(text) for name, text in texts.items()}


def _found(found: dict[str, Any]) -> dict[str, Any]:
    """A note that was found, in one object, its text without anything that an agent could act on."""
    note = found["note"]
    return {**note, "text": clean(note["text"]), **{name: found[name] for name in ("score", "why", "corrected")}}
