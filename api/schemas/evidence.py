"""Evidence on the wire: what an upload says of itself in headers, and how files are handed out."""

from __future__ import annotations

from typing import Annotated

from litestar.params import HeaderParameter, QueryParameter

from domain.evidence.model import MediaType, Shown

ContentRangeHeader = Annotated[
    str | None,
    HeaderParameter(
        name="Content-Range",
        required=False,
        description="`bytes first-last/total`: this is a part of a file; parts may come twice and in any order.",
    ),
]
OptionalKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        description="Optional: the digest names the write. Needed where a later write names this one in Yima-After.",
    ),
]
ShownSize = Annotated[
    Shown, QueryParameter(name="size", description="Pixels of a copy's longer side, or the original.")
]

_COPIES_KEPT_SECONDS = 7 * 24 * 3600
_GUARDED = {
    # Nothing in an uploaded file runs here, whatever a browser takes it for.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def headers_of(digest: bytes, media_type: MediaType, shown: Shown) -> dict[str, str]:
    """How one rendition is handed out: a copy of a picture inline, all else as a file to save.

    A rendition never changes, so it may be kept, by this caller alone; an original is kept nowhere.
    """
    is_copy = media_type.is_picture and shown is not Shown.ORIGINAL
    suffix = MediaType.JPEG.suffix if is_copy else media_type.suffix
    name = f"{digest.hex()[:16]}-{shown.value}.{suffix}" if is_copy else f"{digest.hex()[:16]}.{suffix}"
    keeping = f"private, max-age={_COPIES_KEPT_SECONDS}, immutable"
    return {
        **_GUARDED,
        "Cache-Control": "no-store" if shown is Shown.ORIGINAL else keeping,
        "Vary": "Authorization",
        "Content-Disposition": f'{"inline" if is_copy else "attachment"}; filename="{name}"',
    }
