"""`python -m overmind_core.cli` is the command `overmind`."""

from __future__ import annotations

from overmind_core.cli.main import main

main()
