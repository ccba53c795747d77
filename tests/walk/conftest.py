"""Homes for the walk through all doors, as tests of processes have them."""

from __future__ import annotations

from tests.process.conftest import agents, home, make_home, om, shared_home

__all__ = ["agents", "home", "make_home", "om", "shared_home"]
