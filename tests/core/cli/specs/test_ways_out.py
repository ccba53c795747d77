"""The commands that are named where a spec can't go on: each is about what it waits for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from overmind_core.cli.specs.commands import ways_out
from tests.kit.cases import tabled

SPEC = {"id": "5bec", "slug": "carts"}


def question(number, name, id_="a", **more):
    return {"question": number, "id": id_, "name": name, "need": "stuck", "options": [], "attach_only": False, **more}


def waiting(name, status):
    return {"id": name, "name": f"carts/{name}", "status": status}


@tabled(
    ("waits", "inbox", "lines"),
    [
        ([waiting("T1", "failed"), waiting("T2", "cancelled"), waiting("T3", "review")], [question(3, "carts/T1")],
         ["overmind quest retry carts/T1 carts/T2"]),
        ([], [question(3, "carts/explore"), question(4, "cartsy/explore")], ["overmind answer 3 allow"]),
        ([waiting("T3", "review")],
         [question(3, "x", need="review", about={"kind": "quest", "id": "T3", "name": "carts/T3"}),
          question(5, "carts", "5bec")],
         ["overmind answer 3 allow or deny", "overmind answer 5 allow"]),
        ([waiting("T1", "running"), waiting("T2", "running")], [question(3, "spec/carts", "q")],
         ["git -C shop stash", "overmind quest why carts/T2"]),
        ([], [], ["overmind spec run carts"]),
    ],
)  # fmt: skip
def test_each_way_out_is_about_what_the_spec_waits_for(waits, inbox, lines):
    whys = {"T1": {"do": ["git -C shop stash"]}, "T2": {"do": []}}

    def call(command, args=None):
        return {"inbox": inbox, "spec": {"waits": waits}}[command] if command != "quest_why" else whys[args["id"]]

    client: Any = SimpleNamespace(call=call)
    assert ways_out(client, SPEC) == lines
