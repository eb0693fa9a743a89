"""A real Kannel for tests: bearerbox and smsbox on free ports of 127.0.0.1, and its fakesmsc as the carrier.

What bearerbox has accepted lies in its spool, so that a killed gateway forgets nothing; but what it had handed to the
carrier in its last instant it may hand over again. The fake carrier reports each message as delivered at once.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs, quote, unquote_to_bytes, urlsplit

import httpx
import msgspec

from notifications.sms.access import KannelAccess
from tests.support.debian_servers import environment_of, program
from tests.support.installation import free_port

Box = Literal["bearerbox", "smsbox", "fakesmsc"]

SENDER: Final = "10690123"
REFUSED_PREFIX: Final = "1700000"
"""No carrier takes numbers that begin like this."""
BLACKLISTED: Final = "17011110000"
"""Stands on the gateway's own black list."""
_USER, _PASSWORD, _ADMIN = "yima", "a-password", "an-admin-password"
_START_SECONDS: Final = 20.0
_BOXES: Final[tuple[Box, ...]] = ("bearerbox", "smsbox", "fakesmsc")
_GOT: Final = re.compile(r"Got message \d+: <(.*)>$")
_LINE: Final = re.compile(
    r"(?P<sender>\S+) (?P<number>\S+) (?:udh (?P<udh>\S+) )?(?P<kind>text|data|ucs-2) ?(?P<body>.*)"
)

_CONFIGURATION: Final = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {admin_password}
smsbox-port = {boxes}
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
log-file = "{folder}/bearerbox.log"
log-level = 1
access-log = "{folder}/access.log"
access-log-format = "%l|%p|%R"
access-log-clean = true
store-type = spool
store-location = "{folder}/spool"
sms-resend-freq = 1
{limits}
group = smsc
smsc = fake
smsc-id = carrier
port = {carrier}
connect-allow-ip = 127.0.0.1
denied-prefix = "{refused}"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-file = "{folder}/smsbox.log"
log-level = 1
http-request-retry = 60
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
concatenation = true
max-messages = 10
black-list-regex = "^{blacklisted}$"
{incoming}"""
_INCOMING: Final = """
group = sms-service
keyword = default
post-url = "{url}"
max-messages = 0
catch-all = true
"""


class CarriedSms(msgspec.Struct, frozen=True, kw_only=True):
    """One SMS as the carrier got it, its parts put together."""

    sender: str
    number: str
    text: str
    parts: int
    encoding: Literal["gsm7", "ucs2"]


class RunningKannel:
    """The three boxes. Each can be killed and started again; ports and spool stay."""

    def __init__(self, folder: Path, *, incoming_url: str | None = None, queue_limit: int | None = None) -> None:
        """Start in `folder`; what phones send is posted to `incoming_url`, where `%p` stands for the number."""
        self.folder = folder
        self._ports = {name: free_port() for name in ("admin", "boxes", "carrier", "sendsms")}
        self._running: dict[Box, subprocess.Popen[bytes]] = {}
        self._told = 0
        (folder / "spool").mkdir()
        (folder / "kannel.conf").write_text(self._configuration(incoming_url, queue_limit), "utf-8")
        self.restart()

    @property
    def access(self) -> KannelAccess:
        """What Yima needs to send by this gateway."""
        url = f"http://127.0.0.1:{self._ports['sendsms']}/cgi-bin/sendsms"
        return KannelAccess(url=url, username=_USER, password=_PASSWORD, sender=SENDER, per_second=0)

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which `yima serve` sends by this gateway."""
        prefix = "YIMA_SMS_KANNEL_"
        access = {"URL": self.access.url, "USERNAME": _USER, "PASSWORD": _PASSWORD, "SENDER": SENDER}
        return {"YIMA_SMS": "kannel", prefix + "PER_SECOND": "1000", **{prefix + k: v for k, v in access.items()}}

    def kill(self, *boxes: Box) -> None:
        """End those boxes at once, all of them when none is named.

        With bearerbox the carrier ends by itself, once it has read what was on the line to it. Ended alone while
        messages go to it, it loses them: its protocol has no acknowledgement.
        """
        for box in boxes or _BOXES:
            process = self._running.pop(box, None)
            if process is None:
                continue
            if box != "fakesmsc" or "bearerbox" in self._running:
                process.kill()
            process.wait(_START_SECONDS)
        while "fakesmsc" not in self._running and "(online" in self._status():
            time.sleep(0.01)

    def freeze(self, box: Box) -> None:
        """Let that box stand still: it neither answers nor ends until it is killed."""
        self._running[box].send_signal(signal.SIGSTOP)

    def restart(self, *boxes: Box) -> None:
        """Start those boxes that do not run, all when none is named; without bearerbox the others end by themselves."""
        wanted = boxes or _BOXES
        for box in _BOXES:
            if box in self._running and self._running[box].poll() is not None:
                self.kill(box)
            if box in wanted and box not in self._running:
                self._start(box)

    def say(self, number: str, text: str) -> None:
        """A phone sends `text` to us: the carrier begins anew, with this message."""
        self.kill("fakesmsc")
        body = quote(text.encode("utf-16-be"), safe="")
        self._start("fakesmsc", ("-i", "0.01", "-m", "1", f"{number} {SENDER} ucs2 {body}"))

    def received(self) -> list[CarriedSms]:
        """What the carrier has got until now, in order; of a long message all parts, or nothing."""
        whole: list[CarriedSms] = []
        open_parts: dict[tuple[str, int], dict[int, _Carried]] = {}
        for carried in self._carrier_log():
            if carried.udh is None:
                whole.append(_whole([carried]))
                continue
            _, _, _, reference, count, number = carried.udh
            parts = open_parts.setdefault((carried.number, reference), {})
            parts[number] = carried
            if len(parts) == count:
                whole.append(_whole([parts[each] for each in sorted(parts)]))
                del open_parts[carried.number, reference]
        return whole

    def count(self) -> int:
        """How many messages, or parts of long ones, the carrier has got until now."""
        path = self.folder / "fakesmsc.out"
        return path.read_bytes().count(b": Got message ") if path.exists() else 0

    def wait_for(self, count: int, seconds: float = 20) -> list[CarriedSms]:
        """What the carrier has got, once there are `count`. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(received := self.received()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(received)} of {count} messages; {self.folder}")
            time.sleep(0.05)
        return received

    def wait_for_new(self, count: int, seconds: float = 20) -> list[CarriedSms]:
        """What the carrier has got since this was last asked, once there are `count`. Raises TimeoutError."""
        new = self.wait_for(self._told + count, seconds)[self._told :]
        self._told += len(new)
        return new

    def handed_on(self) -> Counter[str]:
        """How often bearerbox says that it handed each reference to the carrier.

        Killed in between it has handed one on and not said so; then it hands that on again, and says so.
        """
        path = self.folder / "access.log"
        lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
        addresses = [line.rpartition("|")[2] for line in lines if line.startswith("Sent SMS|")]
        return Counter(reference for each in addresses for reference in parse_qs(urlsplit(each).query)["reference"])

    def queued(self) -> int:
        """How many messages bearerbox still has to hand to the carrier."""
        status = self._status()
        found = re.search(r"SMS: received \d+ \(\d+ queued\), sent \d+ \((\d+) queued\)", status)
        return int(found[1]) if found else 0

    def _carrier_log(self) -> list[_Carried]:
        path = self.folder / "fakesmsc.out"
        text = path.read_text("utf-8", "replace") if path.exists() else ""
        found = [_carried(match[1]) for line in text.split("\n") if (match := _GOT.search(line))]
        return [each for each in found if each is not None]

    def _configuration(self, incoming_url: str | None, queue_limit: int | None) -> str:
        return _CONFIGURATION.format(
            **self._ports,
            folder=self.folder,
            user=_USER,
            password=_PASSWORD,
            admin_password=_ADMIN,
            refused=REFUSED_PREFIX,
            blacklisted=BLACKLISTED,
            limits="" if queue_limit is None else f"sms-outgoing-queue-limit = {queue_limit}\n",
            incoming="" if incoming_url is None else _INCOMING.format(url=incoming_url),
        )

    def _start(self, box: Box, words: Sequence[str] = ("-m", "0", "1 2 text nothing")) -> None:
        path = program(box)
        carrier = ("-H", "127.0.0.1", "-r", str(self._ports["carrier"]))
        arguments = [*carrier, *words] if box == "fakesmsc" else [str(self.folder / "kannel.conf")]
        with (self.folder / f"{box}.out").open("ab") as log:
            self._running[box] = subprocess.Popen(
                [str(path), *arguments],
                cwd=self.folder,
                env=environment_of(path),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready(box):
            if self._running[box].poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"{box}: {(self.folder / f'{box}.out').read_text('utf-8', 'replace')[-1500:]}")
            time.sleep(0.02)

    def _is_ready(self, box: Box) -> bool:
        match box:
            case "bearerbox":
                # Nobody knocks at the carrier's own port: bearerbox would hand messages to whoever did.
                return "carrier[carrier]" in self._status()
            case "smsbox":
                return "smsbox:" in self._status() and _listens(self._ports["sendsms"])
            case "fakesmsc":
                return "carrier" in self._status() and "(online" in self._status()

    def _status(self) -> str:
        """What bearerbox tells of itself; nothing while it does not answer."""
        try:
            address = f"http://127.0.0.1:{self._ports['admin']}/status.txt"
            return httpx.get(address, params={"password": _ADMIN}, timeout=5, trust_env=False).text
        except httpx.HTTPError:
            return ""


class _Carried(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the carrier's log: a message, or the part of one that `udh` numbers."""

    sender: str
    number: str
    kind: str
    body: bytes
    udh: bytes | None


def _carried(line: str) -> _Carried | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    kind = match["kind"]
    body = match["body"].encode() if kind == "text" else _unquoted(match["body"])
    udh = None if match["udh"] is None else _unquoted(match["udh"])
    return _Carried(sender=match["sender"], number=match["number"], kind=kind, body=body, udh=udh)


def _unquoted(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " "))


def _whole(parts: Sequence[_Carried]) -> CarriedSms:
    """The parts put together; their alphabet is not told, but Chinese in UCS-2 is never all printable ASCII."""
    body = b"".join(part.body for part in parts)
    is_plain = parts[0].kind == "text" or (parts[0].kind == "data" and body.isascii() and body.decode().isprintable())
    return CarriedSms(
        sender=parts[0].sender,
        number=parts[0].number,
        text=body.decode() if is_plain else body.decode("utf-16-be"),
        parts=len(parts),
        encoding="gsm7" if is_plain else "ucs2",
    )


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running_kannel(*, incoming_url: str | None = None, queue_limit: int | None = None) -> Generator[RunningKannel]:
    """A gateway of one's own with a carrier behind it, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="yima-kannel-") as folder:
        started: list[RunningKannel] = []
        try:
            started.append(RunningKannel(Path(folder), incoming_url=incoming_url, queue_limit=queue_limit))
            yield started[0]
        finally:
            for gateway in started:
                gateway.kill()
