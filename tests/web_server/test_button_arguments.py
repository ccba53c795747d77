"""The arguments that buttons of the front end write down: each is one of its request, about no more than it names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

import pytest

from overmind_core.domain.operations import web_verbs
from tests.kit.overmind import REPOSITORY

WEB = os.path.join(REPOSITORY, "overmind_web")
_GIVEN = re.compile(
    r"""(?:\b(?:button|press)\(\s*"(?P<pressed>[a-z_]+)",\s*(?:\(\)\s*=>\s*\()?"""
    r"""|\bverb:\s*"(?P<named>[a-z_]+)",[^{}]*?\bargs:\s*(?:\(\w*\)\s*=>\s*\()?)\{"""
)
"""`press("stop", {`, `button("run", () => ({`, `verb: "forget", …, args: (row) => ({`."""
_KEY = re.compile(r"(\.\.\.)?\s*(\w+)\s*(?::|,|$)")
MORE_THAN_ONE = {"all", "lost"}
"""Arguments by which a request is about more than the one that it names."""


def keys(text: str) -> Iterator[str]:
    """The names at the top of an object that begins behind `{`, without what is spread into it."""
    depth, begin = 0, 0
    for at, char in enumerate(text):
        if depth == 0 and char in ",}":
            found = _KEY.match(text[begin:at].strip())
            if found and not found[1]:
                yield found[2]
            begin = at + 1
            if char == "}":
                return
        depth += (char in "{[(") - (char in "}])")


def test_the_names_at_the_top_of_an_object_are_found():
    assert list(keys(" id, note: row.id, ...(a ? { b: 1 } : {}), change: f(x, { y }), on: true } , { no: 1 }")) == [
        "id", "note", "change", "on",
    ]  # fmt: skip


def written_arguments() -> list[tuple[str, str, str, frozenset[str]]]:
    """Module, verb, its request, and the names of the arguments that are written down there."""
    requests = {str(row["name"]): str(row["request"]) for row in web_verbs()}
    found = []
    for folder in ("lib", "pages"):
        for name in sorted(os.listdir(os.path.join(WEB, "static", folder))):
            with open(os.path.join(WEB, "static", folder, name), encoding="utf-8") as file:
                text = file.read()
            for one in _GIVEN.finditer(text):
                verb = one["pressed"] or one["named"]
                found.append((name, verb, requests.get(verb, verb), frozenset(keys(text[one.end() :]))))
    return found


GIVEN = written_arguments()


@pytest.fixture(scope="module")
def openapi():
    with open(os.path.join(WEB, "rest", "openapi.json"), encoding="utf-8") as file:
        return json.load(file)


def test_each_argument_of_a_button_is_one_of_its_request(openapi):
    def known(request: str) -> set[str]:
        body = openapi["paths"][f"/{request}"]["post"].get("requestBody")
        schema = body["content"]["application/json"]["schema"] if body else {}
        refs = [one["$ref"].rpartition("/")[2] for one in schema.get("anyOf", [schema]) if "$ref" in one]
        return {name for ref in refs for name in openapi["components"]["schemas"][ref].get("properties", {})}

    assert {"restart", "rm", "delete", "discard", "quest_cancel"} <= {verb for _, verb, _, _ in GIVEN}
    strangers = [(name, verb, extra) for name, verb, request, names in GIVEN if (extra := names - known(request))]
    assert not strangers


def test_a_button_is_about_the_one_that_it_stands_at():
    assert not [(name, verb) for name, verb, _, names in GIVEN if names & MORE_THAN_ONE]
