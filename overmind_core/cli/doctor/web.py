"""Checks of the web server: whether it can run with its settings, and whether it runs."""

from __future__ import annotations

import os
import stat

from overmind_core.cli.doctor.finding import CheckContext, Finding, fail, ok, warn
from overmind_core.domain.settings import WebSettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import load
from overmind_core.providers.registry import names
from overmind_core.system.web_server import read_web_server

SOON = 14 * 86_400
"""Seconds before its end from which a certificate is to be renewed."""


def server(context: CheckContext) -> Finding | None:
    """Whether the web server runs, or could; None: nobody has asked for one."""
    try:
        settings = load(context.home.config, providers=names()).settings.web
    except OvermindError:  # the check of config.toml says so
        settings = WebSettings()
    running = read_web_server(context.home)
    if running is None and settings == WebSettings():
        return None
    if settings.cert and (problem := _certificate_problem(context, settings)):
        return problem
    if running is None:
        return ok(f"not running; {settings.public_url or f'port {settings.port}'}")
    at = f"{running.url}, {running.public_url}" if running.public_url else running.socket or running.url
    return ok(f"{at} (PID {running.pid})")


def _certificate_problem(context: CheckContext, settings: WebSettings) -> Finding | None:
    """What is wrong with the files of TLS."""
    import ssl

    mode = stat.S_IMODE(os.stat(settings.key).st_mode)
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.cert, settings.key, password=b"")
    except ssl.SSLError as error:
        return fail(
            f"{settings.cert} and {settings.key} can't be used: {error.reason or 'no PEM without a password'}",
            "set cert and key of [web] to files that belong together",
        )
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return warn(f"{settings.key} has mode {mode:04o}: others can read it", f"chmod 600 {settings.key}")
    if context.which("openssl") is None:
        return None
    look = ("openssl", "x509", "-noout", "-in", settings.cert, "-checkend")
    if context.run_program(*look, "0").exit_code:
        return fail(f"{settings.cert} has expired", "renew it; browsers refuse it")
    if context.run_program(*look, str(SOON)).exit_code:
        return warn(f"{settings.cert} expires within {SOON // 86_400} days", "renew it")
    return None
