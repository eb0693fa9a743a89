"""Pictures: decoded under limits to see that they are whole, and copied without anything but their pixels."""

from __future__ import annotations

import io
from typing import Final

import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from domain.evidence.model import COPIES, MAX_PIXELS, FileFacts, MediaType, Shown
from domain.evidence.rules import EvidenceUnreadable
from domain.evidence.sniffing import media_type_of

pillow_heif.register_heif_opener()

# MPO is how phones write a JPEG with a second picture behind it.
_FORMATS: Final = {
    MediaType.JPEG: ("JPEG", "MPO"),
    MediaType.PNG: ("PNG",),
    MediaType.WEBP: ("WEBP",),
    MediaType.HEIC: ("HEIF",),
}
_QUALITY: Final = {Shown.LARGE: 82, Shown.THUMBNAIL: 75}
_WHITE: Final = (255, 255, 255)
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
    with _opened(content, media_type) as picture:
        width, height = picture.size
        try:
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
    with _opened(content, media_type) as picture:
        try:
            # Twice the size asked for leaves enough for a good reduction; a JPEG is then decoded at a fraction.
            picture.draft("RGB", (2 * COPIES[Shown.LARGE], 2 * COPIES[Shown.LARGE]))
            upright = _on_white(ImageOps.exif_transpose(picture))
            large = _reduced(upright, COPIES[Shown.LARGE])
            small = _reduced(large, COPIES[Shown.THUMBNAIL])
            return {
                Shown.LARGE: _written(large, _QUALITY[Shown.LARGE]),
                Shown.THUMBNAIL: _written(small, _QUALITY[Shown.THUMBNAIL]),
            }
        except _BROKEN as broken:
            raise EvidenceUnreadable("图片损坏或不完整，无法显示。") from broken


def _opened(content: bytes, media_type: MediaType) -> Image.Image:
    """The picture with its header read and nothing decoded. Raises `EvidenceUnreadable`."""
    try:
        picture = Image.open(io.BytesIO(content), formats=_FORMATS[media_type])
    except _BROKEN as broken:
        raise EvidenceUnreadable("图片损坏，无法识别。") from broken
    if picture.width * picture.height > MAX_PIXELS:
        picture.close()
        raise EvidenceUnreadable("图片像素过大。", limit=MAX_PIXELS)
    return picture


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
