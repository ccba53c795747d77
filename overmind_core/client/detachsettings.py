r"""What `[attach]` of config.toml may say.

```toml
[attach]
detach_keys = ["ctrl-]"]   # leave the terminal as ctrl-\ does
```
"""

from __future__ import annotations

import os

from overmind_core.client.detachkey import Key, parse
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def detach_keys(path: str) -> list[Key]:
    """The keys that the file names; none where it names none.

    Raises:
        OvermindError: `invalid_config`, it can't be read, or names what is no key.
    """
    if not os.path.exists(path):
        return []
    import tomllib  # noqa: PLC0415 - most homes have no configuration

    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise OvermindError("invalid_config", f"{path} can't be read: {error.strerror}. Make it readable.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise OvermindError("invalid_config", f"{path}: line {line} is no UTF-8. Save the file as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise OvermindError("invalid_config", f"{path}: {error}") from None
    return _keys(path, document.get("attach", {}))


def _keys(path: str, values: Any) -> list[Key]:  # noqa: ANN401 - whatever the file holds
    names = values.get("detach_keys", []) if isinstance(values, dict) else None
    if not isinstance(names, list):
        raise OvermindError("invalid_config", f'{path}: attach.detach_keys: write a list, such as ["ctrl-]"]')
    try:
        return [parse(str(name)) for name in names]
    except ValueError as error:
        raise OvermindError("invalid_config", f"{path}: attach.detach_keys: {error}") from None
