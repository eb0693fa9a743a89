"""`yima serve` as the sole parent: of PostgreSQL, and of the servers, the worker and the relay.

A child that dies is started again; a parent that dies, even by kill -9, takes all of them along. Everything
happens in the main thread, for the kernel ties a child's death to the thread that started it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from random import SystemRandom
from types import FrameType
from typing import Final

import msgspec

from api.cluster import Cluster, ClusterError
from api.cluster_home import dies_with_parent
from api.settings import SettingsError

FIRST_DELAY: Final = 0.1  # seconds
LONGEST_DELAY: Final = 5.0
HEALTHY_AFTER: Final = 30.0  # a child that lived this long starts its back-off anew
BACKLOG: Final = 2048
UNHEARD_MS: Final = 45_000
"""A client that acknowledges nothing for so long, or takes nothing, is gone: its connection ends, and with it its place
among those who watch live. Without it the system tries for a quarter of an hour."""
_LINE_BYTES: Final = 64 * 1024
_PIPE_BYTES: Final = 1024 * 1024  # what children may say while the parent waits for the database's recovery
_TICK: Final = 1.0
_random: Final = SystemRandom()


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """One child process. Children of the same `stage` are stopped together, lower stages first."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    pass_fds: Sequence[int] = ()
    stage: int = 0


def listen(host: str, port: int) -> socket.socket:
    """Bind before any child starts, and keep: connections wait in its backlog while a server is restarted.

    The servers get it by `Child.pass_fds`. Raises `SettingsError` when the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as problem:
        raise SettingsError(
            f"Cannot listen on {host} port {port}: {problem.strerror}. "
            "Stop the program that uses it, or choose another PORT (or HOST)."
        ) from problem
    if sys.platform == "linux":  # each connection inherits it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
    return listening


class _Backoff:
    """When to try again: after 0.1 s, doubling to 5 s, spread so that children do not march in step."""

    def __init__(self) -> None:
        self.due = 0.0
        self._failures = 0
        self._begun = 0.0

    def begun(self, now: float) -> None:
        self._begun = now

    def failed(self, now: float) -> float:
        """Count a failure at `now` (monotonic seconds); returns the seconds to wait."""
        if now - self._begun >= HEALTHY_AFTER:
            self._failures = 0
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2**self._failures * _random.uniform(1.0, 1.5))
        self._failures = min(self._failures + 1, 10)
        self.due = now + delay
        return delay


class _Slot:
    """The place of one child: its present process and its output not yet ended by a newline."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.backoff = _Backoff()
        self.rest = b""

    def spawn(self) -> int:
        """Start the process; returns the descriptor from which its output is read."""
        reader, writer = os.pipe()
        try:
            with contextlib.suppress(OSError, AttributeError):  # an unprivileged user's quota, or not Linux
                fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            os.set_blocking(reader, False)
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                self.child.argv,
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=subprocess.STDOUT,
                env=dict(self.child.environment),
                pass_fds=tuple(self.child.pass_fds),
                start_new_session=True,  # the terminal's Ctrl-C reaches only the parent
                preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - prctl and getppid only
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        return reader


class Supervisor:
    """Keeps PostgreSQL and the children alive until SIGINT or SIGTERM, then stops them in order.

    `cluster` is restarted before any child and stopped last; None when DATABASE_URL names a server elsewhere.
    Start it before `run`: a failure here is tried again for ever, and a first one is the caller's to tell.
    `grace` is how many seconds a stage may take to end before SIGKILL.
    """

    def __init__(self, children: Sequence[Child], cluster: Cluster | None = None, *, grace: float = 10.0) -> None:
        self._slots = [_Slot(child) for child in children]
        self._cluster = cluster
        self._cluster_backoff = _Backoff()
        self._grace = grace
        self._asked_to_stop = 0
        self._interruptible = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Run until asked to stop. Call it from the main thread."""
        with self._signals(), self._selector:
            try:
                while not self._asked_to_stop:
                    if self._tend_cluster():
                        self._tend_children()
                    self._pump(self._seconds_to_next())
            finally:
                self._stop()

    # ---- keeping alive

    def _tend_cluster(self) -> bool:
        """Whether the database is there; a died one is started first, for nothing works without it."""
        cluster = self._cluster
        if cluster is None or cluster.is_running():
            return True
        now = time.monotonic()
        if cluster.process is not None:  # it lived before
            self._say(f"PostgreSQL ended ({_how(cluster.process.returncode)}); starting it again")
            cluster.process = None
            self._cluster_backoff.failed(now)
        if now < self._cluster_backoff.due or self._asked_to_stop:
            return False
        try:
            self._start_cluster(cluster)
        except ClusterError as problem:
            delay = self._cluster_backoff.failed(time.monotonic())
            self._say(f"{problem}\nagain in {delay:.1f} s")
        except _InterruptedStartError:
            return False
        self._cluster_backoff.begun(time.monotonic())
        return cluster.is_running()

    def _start_cluster(self, cluster: Cluster) -> None:
        self._interruptible = True  # recovery may take minutes; Ctrl-C must not
        try:
            cluster.start()
        finally:
            self._interruptible = False

    def _tend_children(self) -> None:
        for slot in self._slots:
            now = time.monotonic()
            if slot.process is not None and slot.process.poll() is not None:
                delay = slot.backoff.failed(now)
                self._say(f"{slot.child.name} ended ({_how(slot.process.returncode)}); again in {delay:.1f} s")
                slot.process = None
            if slot.process is None and now >= slot.backoff.due and not self._asked_to_stop:
                self._start(slot, now)

    def _start(self, slot: _Slot, now: float) -> None:
        try:
            self._selector.register(slot.spawn(), selectors.EVENT_READ, slot)
            slot.backoff.begun(now)
        except OSError as problem:
            delay = slot.backoff.failed(now)
            self._say(f"{slot.child.name} cannot start: {problem}; again in {delay:.1f} s")

    def _seconds_to_next(self) -> float:
        now = time.monotonic()
        if self._cluster is not None:
            self._cluster.bound_log()
            if not self._cluster.is_running():
                return max(0.0, min(_TICK, self._cluster_backoff.due - now))
        dues = [slot.backoff.due - now for slot in self._slots if slot.process is None]
        return max(0.0, min([_TICK, *dues]))

    # ---- stopping

    def _stop(self) -> None:
        for stage in sorted({slot.child.stage for slot in self._slots}):
            self._stop_stage([slot for slot in self._slots if slot.child.stage == stage])
        self._close_pipes()
        if self._cluster is not None:
            self._say("stopping PostgreSQL")
            self._cluster.stop(patience=60.0 if self._asked_to_stop <= 1 else 0.0)

    def _stop_stage(self, slots: Sequence[_Slot]) -> None:
        """SIGTERM to all of them at once; SIGKILL to their groups when the grace or patience is over."""
        living = [slot.process for slot in slots if slot.process is not None and slot.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + self._grace
        while any(process.poll() is None for process in living):
            if time.monotonic() >= deadline or self._asked_to_stop > 1:
                for process in living:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()
            self._pump(0.1)
        for slot in slots:
            if slot.process is not None:
                self._say(f"{slot.child.name} ended ({_how(slot.process.returncode)})")
                slot.process = None

    # ---- signals and output

    @contextlib.contextmanager
    def _signals(self) -> Generator[None]:
        """Signals wake the selector through a socket, SIGCHLD too: a death is answered at once."""
        woken, waker = socket.socketpair()
        woken.setblocking(False)
        waker.setblocking(False)
        self._selector.register(woken, selectors.EVENT_READ)
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        wakeup = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            woken.close()
            waker.close()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGCHLD:
            return
        self._asked_to_stop += 1
        cluster = self._cluster
        if self._asked_to_stop > 1 and cluster is not None and cluster.process is not None:
            cluster.process.send_signal(signal.SIGQUIT)  # hasten: recovery comes with the next start
        if self._interruptible:
            self._interruptible = False
            raise _InterruptedStartError

    def _pump(self, seconds: float) -> None:
        """Wait up to `seconds` for output or a signal; pass complete lines on under the child's name."""
        for key, _ in self._selector.select(seconds):
            slot: object = key.data
            if not isinstance(slot, _Slot):
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, _LINE_BYTES)
                continue
            piece = os.read(key.fd, _LINE_BYTES)
            if not piece:  # the child, and whoever inherited its output, is gone
                self._selector.unregister(key.fd)
                os.close(key.fd)
                piece = b"\n" if slot.rest else b""
            *lines, slot.rest = (slot.rest + piece).split(b"\n")
            if len(slot.rest) > _LINE_BYTES:
                lines, slot.rest = [*lines, slot.rest], b""
            for line in lines:
                _print(slot.child.name, line)

    def _close_pipes(self) -> None:
        """Pass on the children's last words; a grandchild that still holds a pipe is not waited for."""
        for _ in range(_PIPE_BYTES // _LINE_BYTES + 1):
            self._pump(0.0)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, _Slot):
                self._selector.unregister(key.fd)
                os.close(key.fd)

    def _say(self, text: str) -> None:
        for line in text.splitlines():
            _print("yima", line.encode())


class _InterruptedStartError(BaseException):
    """Ctrl-C while the database was starting; nothing but the supervisor's own loop may catch it."""


def _print(name: str, line: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # `make run | head` must not bring the children down
        sys.stdout.buffer.write(name.encode().ljust(9) + b"| " + line + b"\n")
        sys.stdout.buffer.flush()


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"exit {returncode}"
    with contextlib.suppress(ValueError):  # real-time signals have no name
        return signal.Signals(-returncode).name
    return f"signal {-returncode}"
