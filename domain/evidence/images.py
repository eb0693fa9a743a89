"""Pictures: decoded under limits to see that they are whole, and copied without anything but their pixels."""

from __future__ import annotations

import io
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pillow_heif
from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from domain.evidence.model import COPIES, MAX_DECODED_BYTES, MAX_PIXELS, FileFacts, MediaType, Shown
from domain.evidence.rules import EvidenceUnreadable
from domain.evidence.sniffing import media_type_of

pillow_heif.register_heif_opener()
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024 * 1024  # of compressed texts in a PNG, which nobody here reads

# MPO is how phones write a JPEG with a second picture behind it.
_FORMATS: Final = {
    MediaType.JPEG: ("JPEG", "MPO"),
    MediaType.PNG: ("PNG",),
    MediaType.WEBP: ("WEBP",),
    MediaType.HEIC: ("HEIF",),
}
_QUALITY: Final = {Shown.LARGE: 82, Shown.THUMBNAIL: 75}
_WHITE: Final = (255, 255, 255)
_BYTES_A_PIXEL: Final[Mapping[MediaType, float]] = {
    MediaType.JPEG: 0.1,
    MediaType.PNG: 4,
    MediaType.WEBP: 16,
    MediaType.HEIC: 4.7,
}
_BYTES_A_PROGRESSIVE_PIXEL: Final = 6
_LARGE: Final = 24 * 1024 * 1024
_ONE_LARGE: Final = threading.Lock()
_ROWS: Final = 512
# What Pillow and its decoders raise at content made to break them; none of it tells the uploader more than "broken".
_BROKEN: Final = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    RuntimeError,
    MemoryError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def examine(content: bytes) -> FileFacts:
    """Type and size of `content`; a picture is decoded to its last byte.

    A JPEG is decoded at an eighth of its scale: every coded byte is read all the same, in half the time and a
    sixty-fourth of the memory. Raises `EvidenceTypeRefused` or `EvidenceUnreadable`.
    """
    media_type = media_type_of(content)
    if not media_type.is_picture:
        return FileFacts(media_type=media_type)
    with _opened(content, media_type) as picture, _room_for(picture, media_type):
        width, height = picture.size
        try:
            if media_type is MediaType.HEIC:
                _heic_pixels(content)
            else:
                picture.draft("L", (1, 1))
                picture.load()
        except _BROKEN as broken:
            raise EvidenceUnreadable("图片损坏或不完整，请重新拍摄或上传。") from broken
        return FileFacts(media_type=media_type, width=width, height=height)


def make_copies(content: bytes) -> dict[Shown, bytes]:
    """The JPEG copies of a picture: upright, at most so many pixels, without EXIF or any other metadata.

    Raises `EvidenceUnreadable`.
    """
    media_type = media_type_of(content)
    with _opened(content, media_type) as picture, _room_for(picture, media_type):
        try:
            # Twice the size asked for leaves enough for a good reduction; a JPEG is then decoded at a fraction.
            picture.draft("RGB", (2 * COPIES[Shown.LARGE], 2 * COPIES[Shown.LARGE]))
            large = _upright(_reduced(_shrunk(picture, content, media_type), COPIES[Shown.LARGE]), picture, media_type)
            small = _reduced(large, COPIES[Shown.THUMBNAIL])
            return {
                Shown.LARGE: _written(large, _QUALITY[Shown.LARGE]),
                Shown.THUMBNAIL: _written(small, _QUALITY[Shown.THUMBNAIL]),
            }
        except _BROKEN as broken:
            raise EvidenceUnreadable("图片损坏或不完整，请重新拍摄或上传。") from broken


def _opened(content: bytes, media_type: MediaType) -> Image.Image:
    """The picture with its header read and nothing decoded. Raises `EvidenceUnreadable`."""
    try:
        picture = Image.open(io.BytesIO(content), formats=_FORMATS[media_type])
    except _BROKEN as broken:
        raise EvidenceUnreadable("图片损坏，无法识别。") from broken
    pixels = picture.width * picture.height
    if pixels > MAX_PIXELS or _cost(picture, media_type) > MAX_DECODED_BYTES:
        picture.close()
        raise EvidenceUnreadable("图片像素过大，请缩小后再上传。", limit=MAX_PIXELS)
    return picture


def _cost(picture: Image.Image, media_type: MediaType) -> int:
    """About how many bytes decoding takes, as measured."""
    per_pixel = _BYTES_A_PIXEL[media_type]
    if media_type is MediaType.JPEG:
        # Sequential scans are decoded line by line; progressive ones keep every coefficient until the last has come.
        per_pixel = _BYTES_A_PROGRESSIVE_PIXEL if "progressive" in picture.info else per_pixel
    elif media_type is MediaType.HEIC and picture.mode == "RGBA":
        per_pixel += 2
    return int(picture.width * picture.height * per_pixel)


@contextmanager
def _room_for(picture: Image.Image, media_type: MediaType) -> Generator[None]:
    """One large picture at a time in this process: what decoding takes at most is then known."""
    if _cost(picture, media_type) < _LARGE:
        yield
        return
    with _ONE_LARGE:
        yield


def _heic_pixels(content: bytes) -> tuple[Any, memoryview]:
    """A HEIC's main picture and its decoded rows: two thirds of the bytes that Pillow would make of them."""
    decoded = pillow_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=True)
    rows = decoded.data
    if rows is None:
        raise ValueError(decoded)
    return decoded, rows


def _strips(picture: Image.Image, content: bytes, media_type: MediaType, rows: int) -> Iterator[Image.Image]:
    """The picture from top to bottom, so many rows at a time: nothing is ever held twice in full."""
    width, height = picture.size
    if media_type is MediaType.HEIC:
        decoded, pixels = _heic_pixels(content)
        for top in range(0, height, rows):
            end = min(top + rows, height)
            strip = pixels[top * decoded.stride : end * decoded.stride]
            yield Image.frombytes(decoded.mode, (width, end - top), bytes(strip), "raw", decoded.mode, decoded.stride)
        return
    picture.load()
    width, height = picture.size  # a draft is smaller than what the header said
    for top in range(0, height, rows):
        yield picture.crop((0, top, width, min(top + rows, height)))


def _shrunk(picture: Image.Image, content: bytes, media_type: MediaType) -> Image.Image:
    """RGB on white, with its longer side between once and twice what a good reduction to the large copy needs."""
    if media_type is not MediaType.HEIC:
        picture.load()
    factor = max(1, max(picture.size) * 4 // (COPIES[Shown.LARGE] * 5))
    small = Image.new("RGB", (-(-picture.width // factor), -(-picture.height // factor)), _WHITE)
    top = 0
    for strip in _strips(picture, content, media_type, factor * max(1, _ROWS // factor)):
        reduced = _on_white(strip).reduce(factor)
        small.paste(reduced, (0, top))
        top += reduced.height
    return small


def _upright(copy: Image.Image, picture: Image.Image, media_type: MediaType) -> Image.Image:
    """Turned as the camera was held; of a HEIC the decoder has done so already."""
    if media_type is not MediaType.HEIC:
        copy.getexif()[ExifTags.Base.Orientation] = picture.getexif().get(ExifTags.Base.Orientation, 1)
        ImageOps.exif_transpose(copy, in_place=True)
    bare = Image.new("RGB", copy.size)
    bare.paste(copy)
    return bare


def _on_white(picture: Image.Image) -> Image.Image:
    """RGB; what was transparent is white."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    flat = Image.new("RGB", layered.size, _WHITE)
    flat.paste(layered, mask=layered.getchannel("A"))
    return flat


def _reduced(picture: Image.Image, longer_side: int) -> Image.Image:
    """A picture that holds pixels and nothing else."""
    scale = min(1.0, longer_side / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    pixels = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
    bare = Image.new("RGB", size)
    bare.paste(pixels)
    return bare


def _written(picture: Image.Image, quality: int) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality, optimize=True, exif=b"", icc_profile=None)
    return written.getvalue()
