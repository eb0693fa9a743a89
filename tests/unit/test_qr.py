"""QR pictures, read back with an independent reader."""

import io
import re
from itertools import product

import pytest
import zxingcpp
from PIL import Image

from codes.qr import qr_modules, qr_png, qr_svg, qr_terminal

URL = "HTTPS://YM.GXZF.GOV.CN/C/26B51TEFKQW5QYJVD83920QQ9CQ4KZG"


def read(picture: Image.Image) -> zxingcpp.Barcode:
    (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    return found


def picture_of(modules: list[list[bool]], scale: int = 4) -> Image.Image:
    side = len(modules)
    pixels = bytes(0 if dark else 255 for row in modules for dark in row)
    return Image.frombytes("L", (len(modules[0]), side), pixels).resize((len(modules[0]) * scale, side * scale), 0)


def test_a_56_character_url_is_version_4_with_33_modules_a_side() -> None:
    assert len(URL) == 56
    modules = qr_modules(URL, border=0)
    assert [len(row) for row in modules] == [33] * 33


def test_a_png_reads_back_with_error_correction_q() -> None:
    found = read(Image.open(io.BytesIO(qr_png(URL))))
    assert (found.text, found.ec_level) == (URL, "Q")


def test_a_png_has_one_bit_and_the_asked_size() -> None:
    picture = Image.open(io.BytesIO(qr_png(URL, box=7, border=2)))
    assert (picture.mode, picture.size) == ("1", (7 * 37, 7 * 37))
    quiet = picture.crop((0, 0, picture.width, 14))
    assert quiet.getextrema() == (255, 255)


def test_the_mask_is_fixed_so_that_a_reprint_is_the_same_picture() -> None:
    assert qr_png(URL) == qr_png(URL)
    # Beside the upper left corner stand level Q (11) and the mask (000), themselves masked by 10101.
    format_bits = qr_modules(URL, border=0)[8][:5]
    other = qr_modules(URL[:-1] + "0", border=0)[8][:5]
    assert format_bits == other == [False, True, True, False, True]


def test_a_url_in_lower_case_falls_back_to_bytes() -> None:
    url = "https://ym.gxzf.gov.cn/c/一码"
    assert read(Image.open(io.BytesIO(qr_png(url)))).text == url
    assert len(qr_modules(URL.lower(), border=0)) > len(qr_modules(URL, border=0))


@pytest.mark.parametrize("text", ["", "A" * 5000])
def test_a_text_that_no_code_holds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"nothing|version"):
        qr_modules(text)


def test_an_svg_draws_the_same_modules_in_one_path() -> None:
    svg = qr_svg(URL)
    expected = qr_modules(URL)
    drawn = [[False] * len(expected) for _ in expected]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        for step in range(int(width)):
            drawn[int(y)][int(x) + step] = True
    assert drawn == expected
    assert 'viewBox="0 0 41 41"' in svg
    assert 'shape-rendering="crispEdges"' in svg


def test_an_svg_has_a_title_that_cannot_break_out() -> None:
    assert f"<title>{URL}</title>" in qr_svg(URL)
    assert "<title>一码 &lt;b&gt; &amp; &quot;</title>" in qr_svg(URL, title='一码 <b> & "')


def test_a_phone_can_read_the_terminal() -> None:
    lines = qr_terminal(URL).splitlines()
    assert len(lines) == 21  # 41 rows of modules and a light one
    rows: list[list[bool]] = []
    for line in lines:
        # Explicit black on white, and nothing left over for the next line.
        body = line.removeprefix("\x1b[38;5;16;48;5;231m").removesuffix("\x1b[0m")
        assert len(line) - len(body) == len("\x1b[38;5;16;48;5;231m\x1b[0m")
        rows += [[half in "▀█" for half in body], [half in "▄█" for half in body]]
    assert read(picture_of(rows)).text == URL
    assert not any(rows[y][x] for y, x in product(range(4), range(41)))
