"""二维码 QR pictures of the one code: PNG for stickers, SVG for pages, half blocks for a terminal.

Error correction Q survives a scratched sticker. The mask is fixed: the same text always gives the same
picture, and the search for the best of eight masks, most of the cost of a code, is left out.
"""

import io
from html import escape
from itertools import groupby
from typing import Final

from PIL import Image
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.main import QRCode

QUIET_ZONE: Final = 4  # modules of white around a code that ISO/IEC 18004 asks for

_MASK: Final = 0  # by the penalty rules the best on average for our URLs (810 points; the worst has 1057)
# Black on white from the fixed part of the 256 colours: a terminal's theme cannot turn them round.
_BLACK_ON_WHITE: Final = "\x1b[38;5;16;48;5;231m"
_RESET: Final = "\x1b[0m"
_INK: Final = b"\xff\x00" + bytes(254)  # a light module's brightness, a dark one's; there are no others
_HALF_BLOCKS: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_modules(text: str, *, border: int = QUIET_ZONE) -> list[list[bool]]:
    """The code as rows of modules, True is dark, with `border` light modules around it.

    Upper-case URLs take the alphanumeric mode and a coarser code; anything else is stored as UTF-8 bytes.
    Raises ValueError for a text that is empty or fits no code.
    """
    if not text:
        raise ValueError("a QR code of nothing")
    code = QRCode(error_correction=ERROR_CORRECT_Q, border=border, mask_pattern=_MASK)
    code.add_data(text, optimize=0)  # one segment, in the densest mode that holds all of it
    code.make()
    return code.get_matrix()


def qr_png(url: str, *, box: int = 10, border: int = QUIET_ZONE) -> bytes:
    """A black and white PNG, `box` pixels a module. Raises as `qr_modules`."""
    modules = qr_modules(url, border=border)
    side = len(modules)
    # One byte a pixel, drawn small and enlarged: far quicker than a rectangle for each module.
    pixels = b"".join(map(bytes, modules)).translate(_INK)
    picture = Image.frombytes("L", (side, side), pixels).convert("1", dither=Image.Dither.NONE)
    target = io.BytesIO()
    picture.resize((side * box, side * box), Image.Resampling.NEAREST).save(target, "PNG")
    return target.getvalue()


def qr_svg(url: str, *, title: str | None = None, border: int = QUIET_ZONE) -> str:
    """An SVG of one path, one unit a module; `title` is read out by screen readers (the URL when not given).

    Raises as `qr_modules`.
    """
    return modules_svg(qr_modules(url, border=border), title or url)


def modules_svg(modules: list[list[bool]], title: str) -> str:
    """The SVG of rows of modules, border and all."""
    side = len(modules)
    path = "".join(_row_path(row, y) for y, row in enumerate(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img"'
        ' shape-rendering="crispEdges">'
        f"<title>{escape(title)}</title>"
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>'
    )


def qr_terminal(url: str) -> str:
    """Lines of half blocks, two modules a character, that a phone can scan off a dark or a light terminal.

    Raises as `qr_modules`.
    """
    modules = qr_modules(url)
    light = [False] * len(modules)
    lower_rows = [*modules[1::2], light]  # an odd number of rows ends in a light one
    lines = (
        "".join(_HALF_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(modules[::2], lower_rows, strict=False)
    )
    return "".join(f"{_BLACK_ON_WHITE}{line}{_RESET}\n" for line in lines)


def _row_path(row: list[bool], y: int) -> str:
    """One rectangle for each run of dark modules."""
    parts: list[str] = []
    x = 0
    for dark, run in groupby(row):
        width = sum(1 for _ in run)
        if dark:
            parts.append(f"M{x} {y}h{width}v1h-{width}z")
        x += width
    return "".join(parts)
