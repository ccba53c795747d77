"""Where everything of one home lives, and that it is ours alone.

On the command line's start-up path: nothing but `os` and `stat` is imported here.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SOCKET_PATH = 100
"""Bytes. `sun_path` holds 108 on Linux and 104 on macOS, with the final NUL; the rest is for our suffixes."""

RUNTIME_NAME = ".overmind-run"
"""Of the folder for sockets and leases in the account's folder."""
SOCKET_NAME = 22
"""Bytes of a socket's name in a folder for sockets, with the slash before it."""

LONGEST_HOME = 480
"""Bytes. SQLite opens paths of at most 512, with room for the names of its side files."""

SHOWN_OF_LONG = 40
"""Characters of each end of a path that is too long."""
PRIVATE = 0o700
"""The mode of every folder of ours."""

NETWORK_FILE_SYSTEMS = frozenset(
    [
        "afs",
        "ceph",
        "cifs",
        "coda",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    ]
)
"""Names in /proc/self/mountinfo. There `flock` and SQLite's shared memory can't be trusted."""


class HomeUnsafe(Exception):
    """A folder that has to be ours alone is not.

    Attributes:
        path: the folder.
        reason: what is wrong with it, a clause that follows the path in a sentence.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason


class Home:
    """The paths of one `OVERMIND_HOME`. All are absolute strings; nothing is created."""

    __slots__ = ("root",)

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)

    @classmethod
    def resolve(cls, environ: Mapping[str, str]) -> Home:
        """Return the home that `environ` means: `OVERMIND_HOME`, else `~/.overmind`."""
        return cls(environ.get("OVERMIND_HOME") or os.path.join(_user_folder(environ), ".overmind"))

    def __repr__(self) -> str:
        """Show the root alone, for logs."""
        return f"Home({self.root!r})"

    def _inside(self, name: str) -> str:
        return os.path.join(self.root, name)

    @property
    def socket(self) -> str:
        """Where the API listens, unless the path is too long: see `socket_address`."""
        return self._inside("overmind.sock")

    @property
    def socket_pointer(self) -> str:
        """Names the API's socket when it had to move."""
        return self._inside("overmind.sock.path")

    @property
    def keeper_socket(self) -> str:
        """Where the keeper listens, unless the path is too long."""
        return self._inside("keeper.sock")

    @property
    def keeper_socket_pointer(self) -> str:
        """Names the keeper's socket when it had to move."""
        return self._inside("keeper.sock.path")

    @property
    def supervisor_lock(self) -> str:
        """Held by the one supervisor."""
        return self._inside("supervisor.lock")

    @property
    def keeper_lock(self) -> str:
        """Held by the one keeper."""
        return self._inside("keeper.lock")

    @property
    def exits(self) -> str:
        """The keeper's journal of exits, one JSON object per line."""
        return self._inside("exits.ndjson")

    @property
    def database(self) -> str:
        """The supervisor's SQLite file."""
        return self._inside("state.db")

    @property
    def copies(self) -> str:
        """The folder of daily copies of that file: `state-<day>.db`."""
        return self._inside("copies")

    @property
    def memory(self) -> str:
        """The SQLite file of notes; missing where there never were any."""
        return self._inside("memory.db")

    @property
    def cortex_token(self) -> str:
        """The token of the Cortex that is connected; missing where there is none."""
        return self._inside("cortex.token")

    @property
    def swarm_url(self) -> str:
        """The URL by which this hive reaches its swarm, with its password; missing where it is in none."""
        return self._inside("swarm.url")

    @property
    def swarm_owner_url(self) -> str:
        """The URL with which a swarm was made from here; missing elsewhere."""
        return self._inside("swarm-owner.url")

    @property
    def is_in_swarm(self) -> bool:
        """Whether it is a hive of a swarm, looks at one, or has made one."""
        return os.path.exists(self.swarm_url) or os.path.exists(self.swarm_owner_url)

    @property
    def hive_key(self) -> str:
        """The key pair by which others seal secrets for this home; made when it joins a swarm."""
        return self._inside("hive.key")

    @property
    def vault(self) -> str:
        """The values of the secrets that were set here; missing where there are none."""
        return self._inside("vault.json")

    def pool_invitation(self, pool: str) -> str:
        """What the instances of a pool join with, for those that are started from here."""
        return os.path.join(self.root, "pools", f"{pool}.json")

    @property
    def hive_id(self) -> str:
        """What tells this home from others, whatever they call it; made by the first gate."""
        return self._inside("hive.id")

    @property
    def repositories(self) -> str:
        """The folder of what others have sent: `<name>.git`, and `<name>`, a checkout of it."""
        return self._inside("repositories")

    @property
    def web_lock(self) -> str:
        """Held by the one web server."""
        return self._inside("web.lock")

    @property
    def web_server(self) -> str:
        """Where the web server that runs can be reached."""
        return self._inside("web.json")

    @property
    def web_log(self) -> str:
        """What a web server in the background has to say."""
        return self._inside("web.log")

    @property
    def web_opening(self) -> str:
        """A page that sends a browser to a link, so that the link is no program's argument."""
        return self._inside("web-open.html")

    @property
    def web_socket(self) -> str:
        """Where the web server listens when it is to be on no port."""
        return self._inside("web.sock")

    @property
    def logs(self) -> str:
        """The folder of all logs: `<mission>/<run number>/`."""
        return self._inside("logs")

    @property
    def headless(self) -> str:
        """Exists while the supervisor is a part of whatever started it, without a successor: a headless run, say."""
        return self._inside("headless")

    @property
    def config(self) -> str:
        """The person's settings; need not exist."""
        return self._inside("config.toml")

    @property
    def good_config(self) -> str:
        """A copy of the settings with which a daemon began last."""
        return self._inside("config.last-good.toml")

    @property
    def daemon_log(self) -> str:
        """The daemon's own log."""
        return self._inside("daemon.log")

    @property
    def keeper_log(self) -> str:
        """The keeper's own log."""
        return self._inside("keeper.log")


def instance_home(instance: str, uid: int, *, temporary: str = "/tmp") -> str:  # noqa: S108 -- owner is checked
    """Return the folder of a pool's instance: a local one, which depends on nothing but name and user.

    So a gate that is started beside it finds it, whatever variables that was given.
    """
    return os.path.join(temporary, f"overmind-{uid}", "pools", instance)


def make_instance_home(instance: str, uid: int, *, temporary: str = "/tmp") -> str:  # noqa: S108 -- as above
    """Make the folder of an instance; return its path.

    Raises:
        HomeUnsafe: one of the folders above it is not ours alone.
        FileExistsError: it is there already.
        OSError: it can't be made.
    """
    path = instance_home(instance, uid, temporary=temporary)
    pools = os.path.dirname(path)
    _own_folder(os.path.dirname(pools), uid)
    _own_folder(pools, uid)
    os.mkdir(path, PRIVATE)
    return path


def _user_folder(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")


def ensure_home(home: Home) -> None:
    """Create `home` with mode 0700 when it is missing, and check that it is ours alone and local.

    Raises:
        HomeUnsafe: its path is too long, it is no folder, belongs to somebody else, or lies on a network file system.
        OSError: it can't be created or changed.
    """
    if len(os.fsencode(home.root)) > LONGEST_HOME:
        shown = f"{home.root[:SHOWN_OF_LONG]}…{home.root[-SHOWN_OF_LONG:]}"
        reason = f"is longer than {LONGEST_HOME} bytes: {shown}. Set OVERMIND_HOME to a shorter one"
        raise HomeUnsafe("The home's path", reason)
    os.makedirs(os.path.dirname(home.root), exist_ok=True)
    _own_folder(home.root, os.geteuid())
    kind = file_system(home.root)
    if kind in NETWORK_FILE_SYSTEMS:
        raise HomeUnsafe(home.root, f"is on a network file system ({kind}): set OVERMIND_HOME to a local folder")


KERNEL_FILE_SYSTEMS = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "securityfs", "debugfs"})
"""Nobody can make a folder there."""


def can_exist(home: Home) -> bool:
    """Whether the home is there, or could be made; nothing is made to find out."""
    above = os.path.abspath(home.root)
    if os.path.lexists(above):
        return True
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    return os.access(above, os.W_OK | os.X_OK) and file_system(above) not in KERNEL_FILE_SYSTEMS


def check_sockets(home: Home) -> None:
    """Check that the sockets of `home` have a place: a long path needs our runtime folder for them.

    Raises:
        HomeUnsafe: something that isn't our own folder is in its place.
    """
    longest = max(len(os.fsencode(path)) for path in (home.socket, home.keeper_socket))
    if longest > LONGEST_SOCKET_PATH:
        try:
            runtime_folder(os.geteuid())
        except HomeUnsafe as unsafe:
            shorter = longest - LONGEST_SOCKET_PATH
            advice = f"Remove it, or set OVERMIND_HOME to a path at least {shorter} bytes shorter"
            need = f"and the sockets of {home.root} need it because that path is too long for them"
            reason = f"{unsafe.reason}, {need}. {advice}"
            raise HomeUnsafe(unsafe.path, reason) from unsafe


def runtime_folder(
    uid: int,
    *,
    run: str = "/run/user",
    temporary: str = "/tmp",  # noqa: S108 -- owner is checked
    account: str | None = None,
) -> str:
    """Return our folder for sockets and leases, created with mode 0700.

    It depends on nothing but `uid`, so that every process of a user finds the same one. In /tmp anybody may make a
    folder of that name first: then it is one in the account's own folder, where nobody else may.

    Args:
        uid: Whose.
        run: Where the system keeps a folder for each user that is logged in.
        temporary: Where it is without one.
        account: The account's folder; None: as the system knows it.

    Raises:
        HomeUnsafe: something that isn't our own folder is in its place, and in the account's folder it can't be.
    """
    path = _usual_runtime_folder(uid, run, temporary)
    try:
        _own_folder(path, uid)
    except (HomeUnsafe, OSError) as taken:
        other = _other_runtime_folder(uid, account)
        if other is not None:
            return other
        if isinstance(taken, HomeUnsafe):
            raise
        raise HomeUnsafe(path, f"can't be created: {taken.strerror}") from taken
    return path


def runtime_trouble(
    uid: int,
    *,
    run: str = "/run/user",
    temporary: str = "/tmp",  # noqa: S108 -- owner is checked
) -> str:
    """Return why the usual folder for sockets and leases can't be used; "" when it can."""
    try:
        _own_folder(_usual_runtime_folder(uid, run, temporary), uid)
    except (HomeUnsafe, OSError) as error:
        return str(error)
    return ""


def _usual_runtime_folder(uid: int, run: str, temporary: str) -> str:
    session = os.path.join(run, str(uid))
    return os.path.join(session, "overmind") if _is_ours(session, uid) else os.path.join(temporary, f"overmind-{uid}")


def _other_runtime_folder(uid: int, account: str | None) -> str | None:
    """The one in the account's folder; None where sockets and locks don't work there, or it is not ours alone."""
    if account is None:
        import pwd  # noqa: PLC0415 -- nobody else needs it

        try:
            account = pwd.getpwuid(uid).pw_dir
        except KeyError:
            return None
    path = os.path.join(account, RUNTIME_NAME)
    if len(os.fsencode(path)) + SOCKET_NAME > LONGEST_SOCKET_PATH:
        return None
    try:
        _own_folder(path, uid)
        return path if file_system(path) not in NETWORK_FILE_SYSTEMS else None
    except (HomeUnsafe, OSError):
        return None


def _is_ours(path: str, uid: int) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid


def _own_folder(path: str, uid: int) -> None:
    """Make sure that `path` is a real folder of `uid` which nobody else may enter."""
    _make_folder(path)
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise HomeUnsafe(path, "is a symbolic link: remove it")
    if not stat.S_ISDIR(found.st_mode):
        raise HomeUnsafe(path, "is not a folder: move it away")
    if found.st_uid != uid:
        raise HomeUnsafe(path, f"belongs to user {found.st_uid}, not to user {uid}")
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        os.chmod(path, PRIVATE)


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path, PRIVATE)
    except FileExistsError:
        return


def file_system(path: str) -> str | None:
    """Return the type of the file system that holds `path`, such as `ext4`; None where the system doesn't say.

    Source: proc_pid_mountinfo(5); matched by device number, so bind mounts and links need no care.
    """
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                if line.split(" ", 3)[2] == wanted:
                    return line.rpartition(" - ")[2].split(" ", 1)[0]
    except FileNotFoundError:
        return None
    return None


def socket_address(path: str, pointer: str) -> str:
    """Return where to listen for `path`, and leave `pointer` for the clients when that is elsewhere.

    Only for the process that holds the lock of this socket.

    Raises:
        HomeUnsafe: the path is too long and the runtime folder is not ours.
    """
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        if os.path.lexists(pointer):
            os.unlink(pointer)
        return path
    moved = os.path.join(runtime_folder(os.geteuid()), f"{_digest(path)}.sock")
    write_private(pointer, moved)
    return moved


def release_socket_address(path: str, pointer: str) -> None:
    """Remove what `socket_address` and the listening left. Only for the process that holds the lock."""
    for left in (read_socket_address(path, pointer) if os.path.lexists(pointer) else path, pointer):
        try:
            os.unlink(left)
        except FileNotFoundError:
            continue


def read_socket_address(path: str, pointer: str) -> str:
    """Return where to connect for `path`. A pointer wins: the server may know the home by a longer path.

    Raises:
        FileNotFoundError: `path` is too long and nobody has ever listened.
    """
    try:
        with open(pointer, "rb") as file:
            return os.fsdecode(file.read())
    except FileNotFoundError:
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            raise
        return path


def _digest(path: str) -> str:
    from hashlib import sha256  # noqa: PLC0415 -- costs a client's start-up a millisecond, and only servers need it

    return sha256(os.fsencode(path)).hexdigest()[:16]


def write_private(path: str, text: str) -> None:
    """Replace `path`, for its owner alone, in one step.

    A reader sees the old content or the new; so does a machine that has lost its power.
    """
    fresh = f"{path}.new"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        data = memoryview(os.fsencode(text))
        while data:  # a disk that is nearly full takes a part of it, and refuses the rest
            data = data[os.write(fd, data) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(fresh, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
