"""Requests to a Cortex, over HTTP. Blocks: on a thread of its own.

A token is sent over TLS, or to this machine itself; no redirection is followed, and no message holds it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from overmind_core.domain.memory.entries import Entry, InvalidEntry, to_wire, version_from_wire, vote_from_wire
from overmind_core.domain.memory.notes import Vote
from overmind_core.domain.memory.sync import Numbered, Page, Place
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.client import HTTPConnection

PROTOCOL = 1
TIMEOUT_SECONDS = 30.0
_LARGEST_ANSWER = 16 << 20
_LOCAL = ("localhost", "127.0.0.1", "::1")
_GONE = 409
_OK = 200


class Gone(Exception):
    """The Cortex has another history: read it from the start."""


class RefusedEntry(Exception):
    """The Cortex refuses one version or vote.

    Attributes:
        entry_id: Which one.
    """

    def __init__(self, entry_id: str) -> None:
        super().__init__(entry_id)
        self.entry_id = entry_id


class Hello(NamedTuple):
    """The answer to `hello`: the colony, and name and role of the token."""

    colony: str
    name: str
    role: str


class Pulled(NamedTuple):
    """A page, and the ids of its entries that were sent with our token."""

    page: Page
    own: Collection[str]


def check_url(url: str) -> str:
    """Return the address of a Cortex as it is kept.

    Raises:
        OvermindError: `invalid`.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # as the connection does
    except ValueError:
        raise OvermindError("invalid", "This is not an address. Write https://host:port") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
        raise OvermindError("invalid", "This is not an address. Write https://host:port")
    if parts.username is not None or parts.password is not None:
        raise OvermindError("invalid", "An address holds no password. Give the token with --token-file")
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise OvermindError("invalid", "A token is sent over TLS only. Write https://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


class CortexClient:
    """Requests to one Cortex with one token."""

    def __init__(self, url: str, token: str, *, ca: str = "", timeout: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._path = parts.path
        self._is_tls = parts.scheme == "https"
        self._token = token
        self._ca = ca
        self._timeout = timeout
        self.name = ""
        """Of the token, once `hello` has said it."""

    def hello(self) -> Hello:
        """Return the colony, the name and the role of the token.

        Raises:
            OvermindError: `cortex_unreachable`, `token_refused`, `invalid`.
        """
        answer = self._ask("GET", "/v1/hello")
        if answer.get("protocol") != PROTOCOL:
            raise OvermindError("invalid", "The Cortex speaks another version of the protocol. Upgrade the older one.")
        return Hello(*(str(answer.get(name, "")) for name in ("colony", "name", "role")))

    def push(self, entries: Sequence[Entry]) -> None:
        """Send versions and votes.

        Raises:
            OvermindError: as above, and `forbidden`, `busy`.
            RefusedEntry: one of them is refused; nothing was taken.
        """
        parted: dict[str, list[object]] = {"versions": [], "votes": []}
        for entry in entries:
            parted["votes" if isinstance(entry, Vote) else "versions"].append(to_wire(entry))
        self._ask("POST", "/v1/push", parted)

    def pull(self, place: Place, *, name: str) -> Pulled:
        """Return the entries after a place. `name`: of our token.

        Raises:
            OvermindError: as above.
            Gone: the Cortex has another history.
        """
        answer = self._ask("GET", f"/v1/pull?after={place.seq}&chain={place.chain}")
        own = set()
        entries = []
        try:
            for kind, parse in (("versions", version_from_wire), ("votes", vote_from_wire)):
                for value in answer[kind]:
                    entry = parse(value)
                    entries.append(Numbered(int(value["seq"]), entry))
                    if value["by"] == name:
                        own.add(entry.id)
            end = Place(int(answer["next"]), str(answer["chain"]))
        except (KeyError, TypeError, ValueError, InvalidEntry) as error:
            raise OvermindError("cortex_unreachable", "The Cortex sent what can't be understood.") from error
        page = Page(tuple(sorted(entries, key=lambda one: one.seq)), end, bool(answer.get("more")))
        return Pulled(page, own)

    def search(self, question: Mapping[str, object]) -> list[Mapping[str, Any]]:
        """Return the notes that answer a question, as the Cortex sends them.

        Raises:
            OvermindError: as above.
        """
        found = self._ask("POST", "/v1/search", question).get("notes")
        return found if isinstance(found, list) else []

    def _ask(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        import http.client  # noqa: PLC0415 - for those who have a Cortex

        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        connection = self._connection()
        try:
            connection.request(method, self._path + path, data, headers)
            answer = connection.getresponse()
            held = answer.read(_LARGEST_ANSWER + 1)
            status = answer.status
        except (OSError, http.client.HTTPException) as error:
            raise OvermindError("cortex_unreachable", f"{self._host} {_why_unreachable(error)}.") from error
        finally:
            connection.close()
        fields = _object(held)
        if status == _OK and fields is not None and len(held) <= _LARGEST_ANSWER:
            return fields
        raise self._refusal(status, fields or {})

    def _connection(self) -> HTTPConnection:
        import http.client  # noqa: PLC0415 - for those who have a Cortex
        import ssl  # noqa: PLC0415 - same

        if not self._is_tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            trusted = ssl.create_default_context(cadata=self._ca or None)
        except ssl.SSLError:
            raise OvermindError("invalid", "The file of --ca holds no certificate in PEM.") from None
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=trusted)

    def _refusal(self, status: int, fields: Mapping[str, Any]) -> Exception:
        if status == _GONE:
            return Gone()
        if fields.get("error") == "invalid" and isinstance(fields.get("id"), str):
            return RefusedEntry(fields["id"])
        code = fields.get("error")
        if code in {"token_refused", "forbidden", "busy", "invalid", "too_large"}:
            return OvermindError(str(code), f"{self._host}: {fields.get('message', '')}")
        return OvermindError("cortex_unreachable", f"{self._host} answered with status {status}.")


def _why_unreachable(error: Exception) -> str:
    import http.client  # noqa: PLC0415 - for those who have a Cortex
    import ssl  # noqa: PLC0415 - same

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted here: {error.verify_message}. Give its CA with --ca FILE"
    if isinstance(error, http.client.RemoteDisconnected):
        return "closed the connection without an answer"
    return f"does not answer: {(isinstance(error, OSError) and error.strerror) or type(error).__name__}"


def _object(held: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(held)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
