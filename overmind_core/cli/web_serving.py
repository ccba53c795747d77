"""The command `web`: serve the dashboard. A second one prints a link to the server that runs already.

The server is a process of its own, `python -m overmind_web`, which this one becomes or, with --background, starts.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from overmind_core.cli.command import JSON, Command, flag, option
from overmind_core.cli.context import Context, forbid_inside
from overmind_core.cli.output import dumps
from overmind_core.cli.web import READ_ONLY, new_link, print_link
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from overmind_core.domain.settings import WebSettings
    from overmind_core.system.web_server import WebServer

MODULE = "overmind_web"


def serve(args: Namespace, context: Context) -> int:
    """Become the server, or start it, or say where it is."""
    forbid_inside(context, "serve the web")
    from overmind_core.system.web_server import read_web_server  # start-up: --help needs none

    running = read_web_server(context.home)
    if running is not None:
        return _print_second_link(args, context, running)
    argv = [sys.executable, "-P", "-m", MODULE, "--home", context.home.root, *_server_options(args, context)]
    sys.stdout.flush()
    if args.background:
        return _start_background(argv, context)
    os.execve(argv[0], argv, dict(context.environ))  # noqa: S606  (our own program)
    raise AssertionError  # it does not return


def _print_second_link(args: Namespace, context: Context, running: WebServer) -> int:
    facts = new_link(context.client(start=True), running, read_only=args.read_only)
    if args.json:
        context.print(dumps({**facts, "pid": running.pid}))
    else:
        context.hint(f"The web server runs already (PID {running.pid}).")
        print_link(context, running, facts)
    if args.open:
        from overmind_core.system.browser import open_link

        open_link(context.home, str(facts["url"]))
    return 0


def _server_options(args: Namespace, context: Context) -> Sequence[str]:
    """Return the options of the server: those of the command, else of config.toml; checked where that is quick.

    Raises:
        OvermindError: they go together badly, or config.toml is not valid.
    """
    from overmind_core.domain.web_address import (
        HOST_RULE,
        PUBLIC_URL_RULE,
        is_host,
        is_loopback,
        is_public_url,
        is_unencrypted,
    )

    settings = _settings(context)
    host = args.host or settings.host
    cert, key = (args.cert, args.key) if args.cert or args.key else (settings.cert, settings.key)
    public_url = args.public_url or settings.public_url
    if not is_host(host):
        raise UsageError(f"--host {host}: {HOST_RULE}.")
    if bool(cert) != bool(key):
        raise UsageError("--cert and --key go together.")
    if public_url and not is_public_url(public_url):
        raise UsageError(f"--public-url {public_url}: {PUBLIC_URL_RULE}.")
    if args.socket and (args.host or args.port is not None or args.cert):
        raise UsageError("--socket takes no --port, --host and --cert: nothing listens on a port.")
    if not args.socket and not is_loopback(host) and not cert:
        raise UsageError(
            f"{host} is reached by other machines, and what is typed would be readable on the way."
            " Give --cert and --key, or have a proxy speak TLS and give --public-url."
        )
    if public_url and is_unencrypted(public_url):
        context.note(f"{public_url} has no TLS: unless the network encrypts, links and keys are readable on the way.")
    options = ["--port", str(settings.port if args.port is None else args.port), "--host", host]
    if args.socket:
        options = ["--socket"]
    elif cert:
        options += ["--cert", os.path.abspath(cert), "--key", os.path.abspath(key)]
    if public_url:
        options += ["--public-url", public_url]
    named = ("read_only", "open", "json", "background", "no_link")
    return [*options, *("--" + name.replace("_", "-") for name in named if getattr(args, name))]


def _settings(context: Context) -> WebSettings:
    from overmind_core.domain.settings import WebSettings

    if not os.path.exists(context.home.config):
        return WebSettings()
    from overmind_core.kernel.config import load
    from overmind_core.providers.registry import names

    return load(context.home.config, providers=names()).settings.web


def _start_background(argv: Sequence[str], context: Context) -> int:
    """Start the server without this terminal; return once it listens, with what it printed, or has failed."""
    from subprocess import DEVNULL, PIPE, Popen

    from overmind_core.client.daemon import prepare_home
    from overmind_core.system.program_log import open_log
    from overmind_core.system.web_server import read_web_server

    prepare_home(context.home)  # it may be the first command of all
    log = open_log(context.home.web_log)
    before = os.fstat(log).st_size
    environ = dict(context.environ)
    with suppress(OSError):
        environ["PWD"] = os.getcwd()  # it runs in /, and proposes the folder where it was started
    try:
        started = Popen(argv, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=log, cwd="/", start_new_session=True)
    finally:
        os.close(log)
    assert started.stdout is not None
    with started.stdout as output:
        printed = output.read().decode()  # it closes its end once it listens
    if printed:
        context.print(printed.rstrip("\n"))
        return 0
    running = read_web_server(context.home)
    if running is None or running.pid != started.pid:
        started.wait()
        raise _failure(context.home.web_log, before)
    return 0


def _failure(log: str, before: int) -> OvermindError:
    """Return what the server said last, after so many bytes of its log."""
    said = b""
    with suppress(OSError), open(log, "rb") as file:
        file.seek(before)
        said = file.read()
    for line in reversed(said.decode(errors="replace").splitlines()):
        mark, _, rest = line.partition(": ")
        code, _, message = rest.partition(": ")
        if mark == "Error" and message:
            return OvermindError(code, message)
    return OvermindError("internal", f"The web server did not start. See {log}")


def _port(word: str) -> int:
    from overmind_core.domain.web_address import HIGHEST_PORT

    if not (word.isascii() and word.isdigit() and int(word) <= HIGHEST_PORT):
        raise ValueError(f"{word!r}: write the number of a port, up to {HIGHEST_PORT}; 0 takes any that is free")
    return int(word)


WEB = Command(
    name="web",
    options=[
        option("--port", "N", "port to listen on (default: 7600; 0: any that is free)", parse=_port),
        option("--host", "ADDRESS", "address to listen on (default: 127.0.0.1); another one wants --cert and --key"),
        flag("--socket", "listen on web.sock in the home only, for ssh -L: where others use this machine, too"),
        option("--cert", "FILE", "the certificate, as PEM, with those that signed it"),
        option("--key", "FILE", "its private key, as PEM"),
        option("--public-url", "URL", "the address at which a proxy serves it, such as https://box.example/om"),
        READ_ONLY,
        flag("--open", "open it in a browser"),
        flag("--background", "return once it listens"),
        flag("--no-link", "print no link, for a service; get one with: overmind web link"),
        JSON,
    ],
    examples=[
        "overmind web --open",
        "overmind web --background --read-only",
        "overmind web --public-url https://box.example/om",
        "overmind web --socket",
    ],
    notes=(
        "Prints a link that works once, within 10 minutes. A second `overmind web` prints a link to the first."
        " Defaults are in [web] of config.toml. The server goes on after overmind shutdown."
        " End it with: overmind web stop"
    ),
    run=serve,
)

COMMANDS = (WEB,)
