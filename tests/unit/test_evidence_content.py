"""What a file is, told by its content: accepted, refused, broken; and copies that hold nothing but pixels."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from domain.evidence.images import examine, make_copies
from domain.evidence.model import MediaType, Shown
from domain.evidence.rules import EvidenceTypeRefused, EvidenceUnreadable
from tests.support.files import PLACE, box, film, located, noisy_photo, paper, picture

ACCEPTED = {
    MediaType.JPEG: picture("JPEG"),
    MediaType.PNG: picture("PNG"),
    MediaType.WEBP: picture("WEBP"),
    MediaType.HEIC: picture("HEIF"),
    MediaType.PDF: paper(),
    MediaType.MP4: film(),
}
PICTURES = [media_type for media_type in ACCEPTED if media_type.is_picture]


def claimed_png(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes of zeros unpack to: a bomb."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(2**20)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("media_type", ACCEPTED)
def test_each_accepted_type_is_known_by_its_content(media_type: MediaType) -> None:
    facts = examine(ACCEPTED[media_type])
    assert facts.media_type is media_type
    assert (facts.width, facts.height) == ((64, 48) if media_type.is_picture else (None, None))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain words",
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"GIF89a" + bytes(64),
        b"PK\x03\x04" + bytes(64),
        b"MZ" + bytes(64),
        b"junk before " + paper(),
        b"<script>" + picture(),
        box(b"moov", bytes(16)) + film(),
        film(b"qt  "),
        film(b"avif"),
        b"RIFF\x40\x00\x00\x00WAVE" + bytes(64),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_anything_else_is_refused_whatever_it_pretends(content: bytes) -> None:
    with pytest.raises(EvidenceTypeRefused):
        examine(content)


@pytest.mark.parametrize("media_type", PICTURES)
def test_a_picture_cut_short_is_refused(media_type: MediaType) -> None:
    whole = noisy_photo(20_000) if media_type is MediaType.JPEG else picture(media_type.name.replace("HEIC", "HEIF"))
    for end in (len(whole) // 4, len(whole) // 2, len(whole) - len(whole) // 8):
        with pytest.raises((EvidenceUnreadable, EvidenceTypeRefused)):
            examine(whole[:end])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(ACCEPTED)), st.data())
def test_damage_is_refused_or_harmless_and_never_a_defect(media_type: MediaType, data: st.DataObject) -> None:
    content = bytearray(ACCEPTED[media_type])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        facts = examine(bytes(content))
        if facts.media_type.is_picture:
            make_copies(bytes(content))
    except (EvidenceTypeRefused, EvidenceUnreadable):
        pass


@pytest.mark.parametrize(("width", "height"), [(8000, 7000), (9000, 10_000), (20_000, 20_000), (60_000, 60_000)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(EvidenceUnreadable):
        examine(claimed_png(width, height))


def test_a_film_must_be_boxes_to_its_end() -> None:
    for broken in (
        film()[:-1],
        film() + b"junk",
        box(b"ftyp", b"isom" + bytes(4)) + box(b"mdat", bytes(8)),
        film()[:20],
    ):
        with pytest.raises(EvidenceUnreadable):
            examine(broken)


def test_the_last_box_of_a_film_may_reach_to_the_end_and_one_may_be_long() -> None:
    open_end = box(b"ftyp", b"mp42" + bytes(4)) + box(b"moov", bytes(8)) + struct.pack(">I", 0) + b"mdat" + bytes(40)
    assert examine(open_end).media_type is MediaType.MP4
    long = box(b"ftyp", b"mp42" + bytes(4)) + box(b"moov", b"") + struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8)
    assert examine(long).media_type is MediaType.MP4


@pytest.mark.parametrize(
    "inside",
    [
        b"/OpenAction << /S /JavaScript /JS (app.alert) >>",
        b"/S /Launch /F (cmd.exe)",
        b"/S /Java#53cript",
        b"/#4caunch",
    ],
)
def test_a_pdf_that_would_act_by_itself_is_refused(inside: bytes) -> None:
    with pytest.raises(EvidenceTypeRefused):
        examine(paper(inside))


def test_a_pdf_without_an_end_is_refused() -> None:
    with pytest.raises(EvidenceUnreadable):
        examine(paper()[:-8])


@pytest.mark.parametrize("media_type", PICTURES)
def test_copies_are_jpegs_that_hold_pixels_and_nothing_else(media_type: MediaType) -> None:
    original = ACCEPTED[media_type]
    assert PLACE in original or media_type is MediaType.PNG
    for copy in make_copies(original + b"<script>alert(1)</script>" * (media_type is MediaType.JPEG)).values():
        with Image.open(io.BytesIO(copy)) as image:
            assert image.format == "JPEG"
            assert dict(image.getexif()) == {}
            assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert PLACE not in copy
        assert b"<script>" not in copy


@pytest.mark.parametrize("carrier", ["comment", "icc_profile", "xmp"])
def test_no_other_metadata_reaches_a_copy(carrier: str) -> None:
    metadata: dict[str, Any] = {carrier: PLACE * 4}
    original = picture("JPEG", **metadata)
    assert PLACE in original
    assert all(PLACE not in copy for copy in make_copies(original).values())


def test_copies_have_their_sizes_and_never_grow() -> None:
    copies = make_copies(picture("JPEG", (3000, 2000)))
    assert [Image.open(io.BytesIO(copies[each])).size for each in (Shown.LARGE, Shown.THUMBNAIL)] == [
        (1600, 1067),
        (320, 213),
    ]
    small = make_copies(picture("JPEG", (100, 40)))
    assert {Image.open(io.BytesIO(copy)).size for copy in small.values()} == {(100, 40)}


def test_a_photo_taken_upright_is_shown_upright() -> None:
    copies = make_copies(picture("JPEG", (640, 480), exif=located(orientation=6)))
    assert Image.open(io.BytesIO(copies[Shown.LARGE])).size == (480, 640)


def test_what_is_transparent_becomes_white() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(written, "PNG")
    copy = Image.open(io.BytesIO(make_copies(written.getvalue())[Shown.LARGE]))
    assert copy.getpixel((8, 8)) == (255, 255, 255)
