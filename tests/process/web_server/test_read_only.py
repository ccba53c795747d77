"""A login that may only look: whatever it asks for, with any argument of any request, the world stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from overmind_core.domain.operation import Danger
from overmind_core.domain.operations import OPERATIONS, REQUESTS
from overmind_web.rest import openapi
from tests.contract.test_operations import READINGS
from tests.kit.agents import Agents
from tests.kit.waiting import eventually
from tests.kit.web_site import Site
from tests.kit.web_tab import Tab
from tests.walk.contract.test_operations import World

TABLES_OF_THE_WEB = ("web_links", "web_accesses", "sqlite_sequence")
"""What coming in by a link changes."""
VALUES: dict[str, Any] = {
    "boolean": True, "integer": 1, "number": 1.5, "string": "task", "array": ["task"], "object": {},
}  # fmt: skip
"""What an argument of a type is given: `task` is a mission that runs."""


def arguments() -> dict[str, dict[str, Any]]:
    """Request → each of its arguments with a value, by the server's own document."""
    schemas: dict[str, Any] = msgspec.json.decode(openapi.text())["components"]["schemas"]
    paths: dict[str, Any] = msgspec.json.decode(openapi.text())["paths"]
    found = {}
    for path, row in paths.items():
        if "post" not in row or path.removeprefix("/") not in OPERATIONS:
            continue
        schema = row["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        found[path.removeprefix("/")] = {name: value(one) for name, one in schema.get("properties", {}).items()}
    return found


def value(schema: dict[str, Any]) -> Any:
    """Something of a schema's first type."""
    kinds = [one.get("type") for one in (schema, *schema.get("anyOf", ()))]
    return next((VALUES[kind] for kind in kinds if kind in VALUES), {})


def asked(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every request as it is asked by who means it, and with each single argument that it could have."""
    known = arguments()
    for row in REQUESTS:
        meant = {key: one for key, one in READINGS.get(row.name, {}).items() if key != "follow"}
        yield row.name, meant
        for name, one in known.get(row.name, {}).items():
            if name != "follow":
                yield row.name, {**meant, name: one}
    yield "stop", {"id": "task"}
    yield "run", {"command": "true", "cwd": "/"}
    yield "quest_cancel", {"id": "quest"}
    yield "send", {"id": "talk", "text": "late"}
    yield "merge", {"id": "task", "message": "x"}
    yield "remember", {"text": "mine"}
    yield "ritual_run", {"id": "ritual"}
    yield "spec_run", {"id": "carts"}
    yield "apply", world.plan("sneaked")


def kept(world: World) -> list[str]:
    """All that is stored, but for who is logged in to the web server."""
    return [line for line in world.stored() if not any(f'"{table}"' in line for table in TABLES_OF_THE_WEB)]


def press(tab: Tab, verb: str, args: dict[str, Any]) -> str:
    """Ask for it; the code of the refusal, "" for an answer. A stream may go on: it is left once it has begun."""
    number = tab.begin(verb, **args)
    row = OPERATIONS[verb]
    last = tab.begin("status") if row.streams or row.streams_with else number
    done: dict[int, str] = {}
    while not {number, last} & done.keys():
        message = tab.heard(lambda one: one["t"] == "did")
        done[message["n"]] = str(message.get("error", ""))
    return done.get(number, "")


def test_no_request_with_any_of_its_arguments_changes_anything(om):
    world = World(om)
    codes: dict[str, set[str]] = {}
    with Site(om) as site:
        session = site.log_in(read_only=True)
        before, work = kept(world), world.work()
        for verb, args in asked(world):
            with site.tab(session) as tab:
                codes.setdefault(verb, set()).add(press(tab, verb, args))
        assert kept(world) == before
        assert world.work() == work
    changing = {row.name for row in REQUESTS if row.danger is not Danger.NONE} - {"merge"}  # its preview is a reading
    assert {name: found for name, found in codes.items() if name in changing and found != {"forbidden"}} == {}


def test_who_may_only_look_takes_no_call_from_the_owner(om, tmp_path):
    calls = tmp_path / "calls"
    with open(om.path("config.toml"), "w", encoding="utf-8") as config:
        config.write(f"[notify]\ncommand = {json.dumps(['/bin/sh', '-c', f'echo called >> {calls}'])}\n")
    planner = Agents(om, str(tmp_path / "bin")).session()
    with Site(om) as site, site.tab(site.log_in(read_only=True)) as tab:
        tab.send(t="look", visible=True, calls=True)
        tab.press("ps")  # what was said before it is done
        om.ok("send", planner, "!bash touch x")
        eventually(calls.exists, timeout=30.0, what="the owner is called")
