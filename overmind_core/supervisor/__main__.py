"""`python -m overmind_core.supervisor`: how a keeper of an earlier version, still running, starts the daemon."""

from __future__ import annotations

import runpy

if __name__ == "__main__":
    runpy.run_module("overmind_core.daemon", run_name="__main__", alter_sys=True)
