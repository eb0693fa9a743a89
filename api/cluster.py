"""The embedded PostgreSQL: made, started, watched and stopped.

The log is `<var>/postgres.log`; `<var>/cluster.json` tells other commands where the running server listens.
Settings are given on the command line at every start: what runs is what `_SETTINGS` says, whatever the data
folder's own files hold. Connections come through a socket in a folder of mode 0700; no port is opened.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import msgspec
import psutil

from api.cluster_home import (
    ENVIRONMENT,
    SYSTEM,
    ClusterError,
    Home,
    check_major,
    find_home,
    find_wheel,
    forget_dead_postmaster,
    last_lines,
    make_data,
    socket_folder,
    spawn,
    write_whole,
)
from api.settings import Settings

OLDEST_MAJOR: Final = 17  # what DATABASE_URL may name
_RECOVERY_SECONDS: Final = 300.0
_DEPARTURE_SECONDS: Final = 30.0  # a killed postmaster's backends, or a shutdown checkpoint, may take this long
_LOG_BYTES: Final = 8 * 1024 * 1024

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


class RunningCluster(msgspec.Struct, frozen=True):
    """What `<var>/cluster.json` says while the embedded server runs; `pid` is the postmaster's."""

    dsn: str
    pid: int
    started_at: datetime


def _answers(dsn: str) -> bool:
    """Whether a server accepts connections there."""
    command = [find_wheel() / "pginstall" / "bin" / "pg_isready", "--quiet", "--timeout=5", "--dbname", dsn]
    return subprocess.run(command, env=ENVIRONMENT, check=False).returncode == 0  # noqa: S603 - our binary


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
        self._home: Home | None = None
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
            home = self._home = self._home or find_home(self.var, self.durable)
            sockets = self._sockets = self._sockets or socket_folder(home)
            self.dsn = f"postgresql://yima@/yima?host={quote(str(sockets))}&port=5432"
            if not home.data.exists():
                make_data(home)
                if home.folder.parent == SYSTEM and home.durable:
                    write_whole(self.var / "cluster-id", f"{home.folder.name}\nmade\n".encode())
            check_major(home)
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

    def _launch(self, home: Home, sockets: Path) -> None:
        """Start the server until it answers; patient with a predecessor that is still going away."""
        settings = {**_SETTINGS, "unix_socket_directories": str(sockets)} | ({} if self.durable else _SCRATCH_SETTINGS)
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        patient_until = time.monotonic() + _DEPARTURE_SECONDS
        while True:
            forget_dead_postmaster(home, sockets)
            self.bound_log()
            with self.log.open("ab") as log:
                begin = log.tell()
                self.process = spawn(home, ("postgres", "-D", home.data, *arguments), signal.SIGINT, log.fileno())
            if self._becomes_ready():
                break
            with self.log.open("rb") as log:
                log.seek(begin)
                said = log.read().decode(errors="replace")
            if time.monotonic() > patient_until or not any(word in said for word in _STILL_LEAVING):
                raise ClusterError(f"PostgreSQL did not start; {self.log} ends with:\n{last_lines(said)}")
            time.sleep(0.2)
        running = RunningCluster(self.dsn, self.process.pid, datetime.now(UTC))
        write_whole(self.var / "cluster.json", msgspec.json.encode(running))

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
