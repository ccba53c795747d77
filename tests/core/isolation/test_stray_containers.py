"""Containers that a start removes: those of its own home's missions that are gone, and of homes that surely are."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.containers.model import OwnContainer
from overmind_core.isolation import stray_containers
from overmind_core.isolation.stray_containers import account, here

OTHER = str(os.geteuid() + 1)
CASES = {
    "removed": ("gone/home", {}, True),
    "removed, of an older container": ("gone/home", {"user": ""}, True),
    "removed, of another account": ("gone/home", {"user": OTHER}, False),
    "removed, of another machine": ("gone/home", {"host": "elsewhere"}, False),
    "removed, of nobody knows which machine": ("gone/home", {"host": ""}, False),
    "there": ("there/home", {}, False),
    "in a folder that is closed to us": ("closed/home", {"user": ""}, False),
    "on a disk that is not mounted": ("unmounted/home", {}, False),
    "in a folder that is gone as well": ("nowhere/home", {}, False),
}


@pytest.fixture
def homes(tmp_path):
    for name in ("gone/other", "there/home", "closed/home", "unmounted"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    yield str(tmp_path)
    (tmp_path / "closed").chmod(0o700)


def removed(own, *containers):
    """The containers that the start of a home removes, which knows the mission `known`."""
    gone: list[str] = []
    engine = SimpleNamespace(
        all_labelled=lambda: containers, remove=gone.append, volumes_of=lambda *_: [], remove_volumes=gone.extend
    )

    async def in_thread(function, *arguments):
        return function(*arguments)

    workspace: Any = SimpleNamespace(
        home=own,
        records={"known": None},
        in_thread=in_thread,
        journal=SimpleNamespace(flush=lambda: None),
        meta_table=SimpleNamespace(get=lambda _: '["unix:///engine"]'),
        engines=SimpleNamespace(at=lambda _: engine),
    )
    asyncio.run(stray_containers.clean(workspace))
    return gone


def container(home, mission="mission", **how):
    return OwnContainer(**{"name": f"of-{mission}", "mission": mission, "service": "db", "home": home, "running": True}
                        | {"host": here(), "user": account()} | how)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_another_home_has_made_goes_only_where_that_surely_is_gone(homes, name):
    home, how, goes = CASES[name]
    assert removed("/own", container(f"{homes}/{home}", **how)) == (["of-mission"] if goes else [])


def test_what_the_own_home_has_made_goes_with_its_mission():
    mine = [container("/own", "known"), container("/own", "lost"), container("/own", "old", user="", host="")]
    assert removed("/own", *mine) == ["of-lost", "of-old"]
