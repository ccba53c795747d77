"""Commands about who may use the web server: web link, web token, web sessions, web revoke; and web stop.

A secret is printed where it is made, once, and is never an argument: whoever lists the processes of a machine sees
their arguments.
"""

from __future__ import annotations

import sys

from overmind_core.cli.command import JSON, YES, Command, argument, flag, option
from overmind_core.cli.context import Context, confirmed_removal, forbid_inside
from overmind_core.cli.output import dumps, or_absent, table
from overmind_core.cli.values import duration
from overmind_core.errors import FAILED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client
    from overmind_core.system.web_server import WebServer

    Row = Mapping[str, Any]

_ACTIONS = ("add", "list", "rm")
_HALF_A_MINUTE = 30.0
"""Seconds; so that what was made just now for 30 days does not end in 29."""
_TEN_MINUTES = "It works once, within 10 minutes."
READ_ONLY = flag("--read-only", "look at everything, change nothing")
FOR = option(
    "--for", "DURATION", "how long it lasts (default: session of [web] in config.toml, 30d)",
    parse=duration, attribute="lifetime",
)  # fmt: skip


def web_name(word: str) -> str:
    """Check the name of a session or token."""
    from overmind_core.domain.web_access import NAME_RULE, is_name  # start-up: --help needs none

    if not is_name(word):
        raise ValueError(f"{word!r} is not a name: {NAME_RULE}")
    return word


def running_server(context: Context) -> WebServer:
    """Return the web server of the home.

    Raises:
        OvermindError: `not_running`, there is none.
    """
    from overmind_core.system.web_server import read_web_server  # start-up: as above

    server = read_web_server(context.home)
    if server is None:
        raise OvermindError("not_running", "No web server runs for this home. Start one with: overmind web")
    return server


def new_link(
    client: Client, server: WebServer, *, name: str | None = None, read_only: bool = False, lifetime: str | None = None
) -> dict[str, Any]:
    """Make a link, and return what `web link --json` prints: `url`, `name`, `read_only` and how long it counts."""
    from overmind_core.domain.web_access import link_address  # start-up: as above

    answer = client.call("web_link", {"name": name, "read_only": read_only, "lifetime": lifetime})
    url = link_address(server.address, answer.pop("link"))
    return {"url": url, **answer}


def print_link(context: Context, server: WebServer, facts: Row) -> None:
    """Print the address to stdout, on a terminal a public one as a code for phones too; tell a person what it is."""
    if server.public_url and sys.stdout.isatty() and (code := qr_code(facts["url"])):
        context.print(code)
    context.print(facts["url"])
    context.hint(_TEN_MINUTES)
    if server.socket and not server.public_url:
        port = server.url.rpartition(":")[2]
        context.hint(f"Elsewhere, forward the socket first: ssh -L {port}:{server.socket} THIS_MACHINE")


def qr_code(text: str) -> str | None:
    """Return the code of a text, two rows of it in one of the terminal's; None: what draws it is not installed."""
    try:
        import segno
    except ModuleNotFoundError:
        return None
    import io

    out = io.StringIO()
    segno.make_qr(text, error="l").terminal(out, border=2, compact=True)
    return out.getvalue().rstrip("\n")


def link(args: Namespace, context: Context) -> int:
    """Make a link to the server that runs."""
    server = running_server(context)
    client = context.client(start=context.has_state)
    facts = new_link(client, server, name=args.name, read_only=args.read_only, lifetime=args.lifetime)
    if args.json:
        context.print(dumps(facts))
    else:
        print_link(context, server, facts)
    return 0


LINK = Command(
    name="web link",
    options=[
        option("--name", "NAME", "name of the login, such as phone (default: browser)", parse=web_name),
        READ_ONLY,
        FOR,
        JSON,
    ],
    examples=["overmind web link --name phone", "overmind web link --name tv --read-only --for 7d"],
    notes=f"{_TEN_MINUTES} A terminal shows that of a public address (public_url of [web]) as a QR code, too.",
    run=link,
)


def token(args: Namespace, context: Context) -> int:
    """Make, list or remove tokens."""
    if (args.action == "list") != (args.name is None):
        raise UsageError(
            "web token list takes no name." if args.name else f"Missing name: web token {args.action} NAME"
        )
    if args.action != "add" and (args.read_only or args.lifetime):
        raise UsageError("--read-only and --for are for: web token add")
    if args.action == "list":
        return _print_rows(args, context, "token", "No tokens. Make one with: overmind web token add NAME")
    if args.action == "rm":
        answer = context.client().call("web_revoke", {"name": args.name, "kind": "token"})
        context.print(dumps(answer) if args.json else f"Removed token {args.name}")
        return 0
    request = {"name": args.name, "read_only": args.read_only, "lifetime": args.lifetime}
    answer = context.client().call("web_token", request)
    context.print(dumps(answer) if args.json else answer["token"])
    if not args.json:
        context.hint("It is not shown again. Send it as: Authorization: Bearer TOKEN")
    return 0


TOKEN = Command(
    name="web token",
    arguments=[
        argument("action", "add, list or rm", choices=_ACTIONS),
        argument("name", "of the token: its requests are recorded with it", nargs="?", metavar="NAME"),
    ],
    options=[READ_ONLY, FOR, JSON],
    examples=[
        "overmind web token add dashboard --read-only --for 90d",
        "overmind web token list",
        "overmind web token rm dashboard",
    ],
    notes="A new token is printed once, alone; only its hash is kept. A token is a person: never give one to an agent.",
    run=token,
)


def sessions(args: Namespace, context: Context) -> int:
    """Print a line per session."""
    return _print_rows(args, context, "session", "Nobody is logged in. Make a link with: overmind web link")


SESSIONS = Command(
    name="web sessions",
    options=[JSON],
    examples=["overmind web sessions", "overmind web sessions --json | jq -r '.[].name'"],
    notes="Tokens are listed by: overmind web token list",
    run=sessions,
)


def _print_rows(args: Namespace, context: Context, kind: str, empty: str) -> int:
    rows = [row for row in context.client().call("web_sessions") if row["kind"] == kind]
    if args.json:
        context.print(dumps(rows))
        return 0
    if not rows:
        context.hint(empty)
    browsers = kind == "session"
    titles = ["NAME", *(["BROWSER"] if browsers else []), "ACCESS", "USED", "ENDS"]
    context.print(table(titles, [_cells(row, browsers=browsers) for row in rows]))
    return 0


def _cells(row: Row, *, browsers: bool) -> Sequence[str]:
    import time
    from datetime import datetime

    from overmind_core.domain.text.duration import format_uptime

    used, ends = (
        None if row[name] is None else datetime.fromisoformat(row[name]).timestamp() - time.time()
        for name in ("used_at", "expires_at")
    )
    return [
        row["name"],
        *([or_absent(row["browser"])] if browsers else []),
        "read-only" if row["read_only"] else "full",
        "never" if used is None else f"{format_uptime(-used)} ago",
        "now" if ends is None else f"in {format_uptime(ends + _HALF_A_MINUTE)}",
    ]


def revoke(args: Namespace, context: Context) -> int:
    """End one login, or all."""
    if args.all is (args.name is not None):
        raise UsageError("Give a name or --all. See the names with: overmind web sessions")
    if args.all and not confirmed_removal(f"End all logins, tokens and unused links{context.on_hive}?", yes=args.yes):
        return FAILED
    client = context.client(start=context.has_state)  # `web stop` names it, also where no daemon is left
    answer = client.call("web_revoke", {"all": True} if args.all else {"name": args.name})
    if args.json:
        context.print(dumps(answer))
        return 0
    for row in answer["revoked"]:
        context.print(f"Revoked {row['kind']} {row['name']}")
    if answer["links"]:
        context.print(f"Revoked {answer['links']} unused link{'s' if answer['links'] > 1 else ''}")
    if not answer["revoked"] and not answer["links"]:
        context.hint("Nobody is logged in.")
    return 0


REVOKE = Command(
    name="web revoke",
    arguments=[argument("name", "name of a login or token", nargs="?", metavar="NAME")],
    options=[flag("--all", "all logins, tokens and unused links"), YES, JSON],
    examples=["overmind web revoke phone", "overmind web revoke --all"],
    notes="Open pages and terminals of it are cut off within a second.",
    run=revoke,
)


def stop(args: Namespace, context: Context) -> int:
    """End the web server; logins stay."""
    from overmind_core.system.web_server import stop_web_server

    forbid_inside(context, "stop the web server")
    try:
        pid = stop_web_server(context.home)
    except TimeoutError as error:
        raise OvermindError(
            "timeout", f"The web server (PID {error}) does not end. Look at it with: ps {error}"
        ) from None
    if args.json:
        context.print(dumps({"pid": pid}))
    else:
        context.print("The web server is not running" if pid is None else f"Web server stopped (PID {pid})")
    if pid is not None:
        context.hint("Logins stay. End them with: overmind web revoke --all")
    return 0


STOP = Command(
    name="web stop",
    options=[JSON],
    examples=["overmind web stop"],
    notes="Logins stay, and count again once it runs. The daemon and its missions go on.",
    run=stop,
)


COMMANDS = (LINK, TOKEN, SESSIONS, REVOKE, STOP)
