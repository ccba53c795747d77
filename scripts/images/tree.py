"""The files of an image, as the archive that an engine imports."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence

FOLDERS = ("bin", "data", "dev", "etc", "proc", "sys", "tmp", "var")


def archive(programs: Mapping[str, str], links: Mapping[str, str], empty: Sequence[str] = FOLDERS) -> bytes:
    """Return a tar archive.

    Args:
        programs: Path in the image → path of a program here; the libraries that it needs come with it.
        links: Path in the image → what the symbolic link says.
        empty: Folders.
    """
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for folder in empty:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder in {"data", "tmp"} else 0o755
            tar.addfile(entry)
        files = {library: library for program in programs.values() for library in libraries(program)} | dict(programs)
        for place, source in files.items():
            with open(source, "rb") as file:
                content = file.read()
            entry = tarfile.TarInfo(place.lstrip("/"))
            entry.mode, entry.size = 0o755, len(content)
            tar.addfile(entry, io.BytesIO(content))
        for place, target in links.items():
            entry = tarfile.TarInfo(place.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return written.getvalue()


def libraries(program: str) -> list[str]:
    """Paths of the shared libraries that `program` is linked with; none of a static one."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", listed.stdout)
