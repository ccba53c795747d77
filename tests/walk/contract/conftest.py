"""What is held by missions of the walk."""

from __future__ import annotations

from tests.process.contract.conftest import lock

__all__ = ["lock"]
