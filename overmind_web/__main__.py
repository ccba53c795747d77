"""`python -m overmind_web`: the process that `overmind web` becomes. Its options are checked by that command."""

from __future__ import annotations

import gc

gc.disable()  # until browsers can come: nothing that is imported here is ever garbage

import argparse  # noqa: E402
import asyncio  # noqa: E402
import faulthandler  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from contextlib import suppress  # noqa: E402
from threading import Thread  # noqa: E402

from overmind_core.client.client import Client  # noqa: E402
from overmind_core.errors import OvermindError  # noqa: E402
from overmind_core.system.paths import Home  # noqa: E402
from overmind_web.app import WebApp  # noqa: E402
from overmind_web.server import address as addresses  # noqa: E402
from overmind_web.server import lifecycle  # noqa: E402
from overmind_web.server.lifecycle import AlreadyServed, Place, Wishes  # noqa: E402
from overmind_web.server.serving import raise_file_limit  # noqa: E402

GARBAGE = (20_000, 10, 50)
"""New containers after which garbage is looked for, and how often among older ones. Each answer about 1,000 missions is
some thousand objects, and all that there is takes 100 ms to look through, in which nobody else is answered."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CANCELLED_SECONDS = 0.25
"""For what still runs at the end, once it is cancelled."""
LAST_SECONDS = 4.0
"""After a signal: where the process hangs is written to its log then, and it ends."""


def main(argv: list[str]) -> int:
    """Serve until a signal; return the exit status."""
    args = _parser().parse_args(argv)
    home = Home(args.home) if args.home else Home.resolve(os.environ)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    try:
        with lifecycle.only_server(home):
            return _serve(home, args)
    except AlreadyServed:
        return _print_second_link(home, args)
    except OvermindError as error:
        sys.stderr.write(f"Error: {error.code}: {error.message}\n")
        return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="overmind web")
    parser.add_argument("--home")
    parser.add_argument("--port", type=int, default=addresses.DEFAULT_PORT)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--public-url")
    for flag in ("socket", "read-only", "open", "json", "background", "no-link"):
        parser.add_argument(f"--{flag}", action="store_true")
    return parser


def _print_second_link(home: Home, args: argparse.Namespace) -> int:
    """Somebody was faster: say where that server is, as the command does that meets it."""
    try:
        lifecycle.await_other(home)
    except OvermindError as error:
        sys.stderr.write(f"Error: {error.code}: {error.message}\n")
        return error.exit_status
    more = [f"--{name.replace('_', '-')}" for name in ("read_only", "open", "json") if getattr(args, name)]
    command = [sys.executable, "-P", "-m", "overmind_core.cli", "web", *more]
    os.execve(command[0], command, {**os.environ, "OVERMIND_HOME": home.root})  # noqa: S606 - our own program
    raise AssertionError  # it does not return


def _serve(home: Home, args: argparse.Namespace) -> int:
    raise_file_limit()
    wishes = Wishes(args.port, args.host, args.socket, args.cert, args.key, args.public_url)
    place = lifecycle.take_place(home, wishes)
    client = Client(home, start=True, notify=_note)
    facts = None
    try:
        client.connect()
        if not args.no_link:
            facts = lifecycle.new_link(client, place.address, read_only=args.read_only)
    finally:
        client.close()

    def listens() -> None:
        lifecycle.announce(home, place, args.public_url)
        if facts is not None:
            scanned = args.public_url is not None or args.host not in {"127.0.0.1", "localhost", "::1"}
            lifecycle.print_link(facts, place, as_json=args.json, scanned=scanned and not args.socket)
            if args.open:
                Thread(target=lifecycle.open_browser, args=(home, facts["url"]), daemon=True).start()
        if args.background:
            lifecycle.leave_terminal()
        gc.freeze()  # what was loaded stays
        gc.set_threshold(*GARBAGE)
        gc.enable()

    try:
        # No `asyncio.run`: it would wait for threads, and one that reads a dead disk never comes back.
        asyncio.new_event_loop().run_until_complete(_run(home, place, listens))
    finally:
        place.listening.close()
        if place.path is not None and os.path.exists(place.path):
            os.unlink(place.path)
    return 0


async def _run(home: Home, place: Place, listens: Callable[[], object]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(*_: object) -> None:
        """Heard also while the loop hangs, unlike what the loop would call."""
        if not stop.is_set():
            faulthandler.dump_traceback_later(LAST_SECONDS, exit=True)
            loop.call_soon_threadsafe(stop.set)

    for number in SIGNALS:
        signal.signal(number, on_signal)
    try:
        await WebApp(home, place.address, [place.listening], context=place.context).run(stop, listens)
    finally:
        await _cancel_all()


async def _cancel_all() -> None:
    """Cancel what still runs, and give it a moment: a program that it started is ended by it."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=CANCELLED_SECONDS)


def _note(text: str) -> None:
    sys.stderr.write(text + "\n")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    _flush()
    os._exit(status)  # threads that hang are not waited for
