"""The check of named hives: whether config.toml names them well, and whether they can be asked from here at all."""

from __future__ import annotations

from overmind_core.cli.doctor.finding import CheckContext, Finding, fail, ok
from overmind_core.errors import OvermindError


def named(context: CheckContext) -> Finding | None:
    """Whether the hives of config.toml make sense; None: there are none. Whether they answer, `hive list` says."""
    from overmind_core.client.hives.config import hive_tables, read_hives

    try:
        found = read_hives(context.home.config)
    except OvermindError as error:
        return fail(error.message, "fix that line; until then no hive can be asked")
    if not found:
        return None
    by_ssh = [name for name, entry in hive_tables(context.home.config).items() if "ssh" in entry]
    if by_ssh and context.which("ssh") is None:
        return fail(f"no ssh on the PATH, which {by_ssh[0]} is reached by", "install it: apt install openssh-client")
    return ok(f"{', '.join(found)}; whether they answer: overmind hive list")
