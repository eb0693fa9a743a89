"""The real servers of the tests, Kannel and Redis: those of the system, else Debian's packages, unpacked here.

`make servers` runs this file before the tests. Nothing is installed and no root is needed: apt's lists and archives
lie in `.servers`, the packages are unpacked beside them, and their libraries are found by LD_LIBRARY_PATH.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / ".servers"
_ROOT: Final = FOLDER / "root"
_PLACES: Final = ("usr/sbin", "usr/bin", "usr/local/sbin", "usr/local/bin", "usr/lib/kannel/test")
_PACKAGES: Final = {
    "bearerbox": "kannel",
    "smsbox": "kannel",
    "fakesmsc": "kannel-extras",
    "redis-server": "redis-server",
}
_SECONDS: Final = 300
_WITHOUT_APT: Final = """\
The tests need these servers, which this system lacks: {missing}.
On Debian and Ubuntu `make servers` fetches them (packages kannel, kannel-extras, redis-server; nothing is installed).
Here apt-get or dpkg-deb is missing: install Kannel 1.4.5 (bearerbox, smsbox, and fakesmsc of its test folder) and
Redis in your system's way, so that the four programs are on PATH; then run make again.
"""


class ServersMissing(Exception):
    """Servers that the tests need are neither in the system nor in `.servers`; the message says what to do."""


def find_program(name: str) -> Path | None:
    """Where the program is: on PATH, where Debian keeps it, or unpacked in `.servers`; None when nowhere."""
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    for root in (Path("/"), _ROOT):
        for place in _PLACES:
            if os.access(root / place / name, os.X_OK):
                return root / place / name
    return None


def program(name: str) -> Path:
    """Where the program is. Raises `ServersMissing`."""
    found = find_program(name)
    if found is None:
        raise ServersMissing(f"{name} is missing. Run: rm -rf .servers && make servers")
    return found


def environment_of(path: Path) -> dict[str, str]:
    """The environment in which the program at `path` finds its libraries."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}
    if path.is_relative_to(_ROOT):
        folders = sorted({str(library.parent) for library in _ROOT.glob("**/*.so*")})
        environment["LD_LIBRARY_PATH"] = ":".join(folders)
    return environment


def fetch_servers() -> None:
    """See to it that every program is there. Raises `ServersMissing` with what to do where that cannot be."""
    FOLDER.mkdir(exist_ok=True)
    with _one_at_a_time():
        missing = [name for name in _PACKAGES if find_program(name) is None]
        if not missing:
            return
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise ServersMissing(_WITHOUT_APT.format(missing=", ".join(missing)))
        sys.stdout.write(f"fetching {', '.join(missing)} into .servers (once; some seconds)\n")
        sys.stdout.flush()
        _unpack(_download(sorted({_PACKAGES[name] for name in missing})))
        for name in missing:
            _check_libraries(program(name))


@contextmanager
def _one_at_a_time() -> Generator[None]:
    """Two runs of make in one checkout do not unpack over one another."""
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(packages: Sequence[str]) -> list[Path]:
    """The archives of `packages` and of what they need and the system has not."""
    lists, archives = FOLDER / "lists", FOLDER / "archives"
    for folder in (lists / "partial", archives / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    apt = [
        "apt-get",
        *("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache::archives={archives}"),
        *(
            "-o",
            f"Dir::Cache::pkgcache={FOLDER}/pkgcache.bin",
            "-o",
            f"Dir::Cache::srcpkgcache={FOLDER}/srcpkgcache.bin",
        ),
        *("-o", f"Dir::State::extended_states={FOLDER}/extended_states", "-o", f"Dir::Log={FOLDER}"),
        *("-o", "Debug::NoLocking=1", "-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=30"),
        *("-o", "APT::Sandbox::User=", "-o", "APT::Update::Post-Invoke-Success::=", "-qq"),
    ]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    _run([*apt, "update"], environment)
    # What the system has at this version, apt would leave out; a program that is missing is asked for by name anyway.
    wanted = ["install", "--no-install-recommends", "--reinstall", "--download-only", "--yes", *packages]
    _run([*apt, *wanted], environment)
    return sorted(archives.glob("*.deb"))


def _unpack(archives: Sequence[Path]) -> None:
    """Put all archives into one tree, whole or not at all."""
    beside = FOLDER / "root.new"
    shutil.rmtree(beside, ignore_errors=True)
    for archive in archives:
        _run(["dpkg-deb", "-x", str(archive), str(beside)], dict(os.environ))
    shutil.rmtree(_ROOT, ignore_errors=True)
    beside.rename(_ROOT)
    for folder in ("lists", "archives"):
        shutil.rmtree(FOLDER / folder, ignore_errors=True)
    for cache in FOLDER.glob("*.bin"):
        cache.unlink()


def _check_libraries(path: Path) -> None:
    """Raises `ServersMissing` when the program at `path` would not find a library."""
    ldd = shutil.which("ldd")
    if ldd is not None and "not found" in _run([ldd, str(path)], environment_of(path)):
        raise ServersMissing(f"{path.name} lacks a library; `ldd {path}` names it.")


def _run(command: Sequence[str], environment: dict[str, str]) -> str:
    """What `command` prints. Raises `ServersMissing` with it when the command fails."""
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise ServersMissing(
            f"`{' '.join([command[0], *command[-4:]])}` failed; the tests need Debian's packages of Kannel and Redis. "
            f"Is there a way to this system's package sources?\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
        )
    return done.stdout


def main() -> int:
    """`python -m tests.support.debian_servers`: exit code 1 with the reason when a server cannot be had."""
    try:
        fetch_servers()
    except (ServersMissing, OSError, subprocess.TimeoutExpired) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
