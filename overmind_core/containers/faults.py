"""What can go wrong with an engine, an image and a container: sentences for people that say what to do."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator


class EngineMissing(Exception):
    """No engine answers, or none that can be used from here."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        """Sentences: what is wrong, and what to do."""


class ContainerFailed(Exception):
    """A container could not be made or started, or has died."""

    def __init__(self, message: str, tail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.tail = tail
        """The last lines of its log; "" when there are none."""


class ImageMissing(Exception):
    """An image is not on this machine and could not be pulled."""

    def __init__(self, image: str, why: str, what_to_do: str) -> None:
        super().__init__(f"image {image} could not be pulled: {why}. {what_to_do}")
        self.image = image
        self.why = why
        """A clause."""
        self.what_to_do = what_to_do
        """A sentence."""


@contextlib.contextmanager
def speaking(url: str, doing: str) -> Iterator[None]:
    """Turn what the SDK raises into this package's own errors; `doing` says what could not be done.

    Raises:
        EngineMissing: The engine at `url` went away or does not answer.
        ContainerFailed: The engine refused.
    """
    import docker.errors
    import requests.exceptions
    import urllib3.exceptions

    gone = (
        requests.exceptions.RequestException,
        docker.errors.DockerException,
        docker.errors.StreamParseError,  # this one and the next come out of a stream that breaks off
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    )
    try:
        yield
    except docker.errors.APIError as error:
        raise ContainerFailed(f"{doing}: {refusal(error)}") from error
    except requests.exceptions.Timeout as error:
        raise EngineMissing(
            f"{doing}: the engine at {url} does not answer in time. Look at it with `docker ps`, or start it anew."
        ) from error
    except gone as error:
        raise EngineMissing(
            f"{doing}: the engine at {url} does not answer any more. Start it, for example with"
            " `sudo systemctl start docker`, and try again."
        ) from error


def refusal(error: Exception) -> str:
    """The engine's own words for why it refused, as one line."""
    words = getattr(error, "explanation", None) or str(error)
    if isinstance(words, bytes):
        words = words.decode("utf-8", "replace")
    return " ".join(str(words).split()).rstrip(".")
