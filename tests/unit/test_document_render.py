"""文书生成: the same bytes for the same paper, nothing that people wrote cut off or read as markup, within limits."""

from __future__ import annotations

import hashlib
import io
import re
import time
from collections.abc import Sequence
from datetime import date

import pypdfium2
import pytest
from PIL import Image

from domain.document import render as rendering
from domain.document.automatic import samples_of
from domain.document.model import (
    Block,
    DocumentKind,
    Facts,
    Finding,
    Findings,
    Heading,
    Note,
    Paper,
    Paragraph,
    Photo,
    Photos,
    Seal,
    SignatureBox,
    Signatures,
    Stamp,
)
from domain.document.render import MOST_PHOTOS, Imprint, Press, TypesettingFailed, images_of, render
from domain.document.template_operations import builtin_body
from domain.document.templates import fill
from domain.document.typesetting import PICTURE_SIDE, printable, shrink

CODE = "7K2MQ0XW9T3HB5ZD"
URL = f"HTTPS://YIMA.TEST/V/{CODE}"
HOSTILE = '#import "x": * #eval("1") ] $x^2$ \\ \\u{41} <l> @r *b* _i_ `c` // /* */ = h - i #{ } " \' & 《》“”……——'
INVISIBLE = "\u200b\u202e\u2066\u2069\u00ad\ufeff\x00\x07"


def paper(*blocks: Block, watermark: str | None = None, secrecy_mark: str | None = None) -> Paper:
    """A paper of these blocks."""
    return Paper(
        kind=DocumentKind.RECTIFICATION_ORDER,
        title="责令改正通知书",
        authority="南宁市市场监督管理局",
        issued_on=date(2026, 8, 5),
        blocks=list(blocks),
        watermark=watermark,
        secrecy_mark=secrecy_mark,
    )


def texts(pdf: bytes) -> list[str]:
    """What each page says, without blanks."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    finally:
        document.close()
    return [re.sub(r"[\s\u200b\ufffe\ufffd]", "", each) for each in pages]


def text(pdf: bytes) -> str:
    """What all of it says."""
    return "".join(texts(pdf))


def digest(number: int) -> str:
    """Some photo's."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def photo(seed: int, width: int = 1600, height: int = 1200) -> bytes:
    """A JPEG with about as much detail as a kitchen."""
    picture = Image.effect_noise((width // 5, height // 5), 40).resize((width, height))
    picture.paste(seed % 256, (0, 0, width // 2, height // 2))
    target = io.BytesIO()
    picture.convert("RGB").save(target, "JPEG", quality=82)
    return target.getvalue()


def ink_beyond(pdf: bytes) -> list[int]:
    """The pages with ink right of the right margin, left of the left one, or at the lower edge."""
    document = pypdfium2.PdfDocument(pdf)
    marred: list[int] = []
    for number in range(len(document)):
        picture = document[number].render(scale=1).to_pil().convert("L")
        width, height = picture.size
        unit = width / 21
        edges = [
            (int(width - 2.4 * unit), 0, width, height),
            (0, 0, int(2.6 * unit), height),
            (0, int(height - 0.9 * unit), width, height),
            (0, 0, width, int(0.9 * unit)),
        ]
        if any(picture.crop(edge).getextrema()[0] < 200 for edge in edges):  # type: ignore[operator] - of one band
            marred.append(number + 1)
    document.close()
    return marred


def printed(*blocks: Block) -> bytes:
    """The PDF of these blocks."""
    return render(paper(*blocks), "南市监责改〔2026〕12号", URL, {}, verification_code=CODE)


@pytest.mark.parametrize("kind", DocumentKind)
def test_each_kind_shows_number_pages_code_and_authority(kind: DocumentKind) -> None:
    made = paper(*fill(builtin_body(kind), samples_of(kind), {}))

    pages = texts(render(made, "南市监责改〔2026〕12号", URL, {}, verification_code=CODE, record_digest=bytes(32)))

    assert "南宁市市场监督管理局责令改正通知书南市监责改〔2026〕12号" in pages[0]
    for number, page in enumerate(pages, start=1):
        assert f"第{number}页共{len(pages)}页" in page
        assert "00" * 32 in page
    assert "7K2M-Q0XW-9T3H-B5ZD" in pages[-1]
    assert URL in pages[-1]


def test_the_same_paper_gives_the_same_bytes() -> None:
    made = paper(Paragraph("甲"), Photos([Photo(digest(1), "厨房")]))
    images = {digest(1): photo(1)}

    first = render(made, "1号", URL, images, verification_code=CODE)
    time.sleep(1.1)

    assert render(made, "1号", URL, images, verification_code=CODE) == first
    assert render(made, "2号", URL, images, verification_code=CODE) != first


async def test_a_process_of_its_own_gives_the_same_bytes() -> None:
    made = paper(Paragraph("甲"), Photos([Photo(digest(1), "厨房")]))
    images = {digest(1): photo(1)}

    there = await Press().render(made, Imprint(number="1号", verification_code=CODE, verification_url=URL), images)

    assert there.pdf == render(made, "1号", URL, images, verification_code=CODE)
    assert there.page_count == len(texts(there.pdf)) == 1


def test_the_seal_is_missing_until_the_paper_is_sealed() -> None:
    made = paper(Stamp("南宁市市场监督管理局", date(2026, 8, 5)))

    assert "未盖章" in text(render(made, None, None, {}))
    assert "未盖章" not in text(render(made, None, None, {}, seal=Seal.PAPER))


def test_marks_are_printed() -> None:
    made = text(render(paper(Paragraph("甲"), watermark="样张", secrecy_mark="商业秘密"), None, None, {}))

    assert "样张" in made
    assert "商业秘密" in made


WHOLE: Sequence[Block] = (
    Heading(HOSTILE),
    Paragraph(HOSTILE),
    Facts([(HOSTILE, HOSTILE)]),
    Findings([Finding(1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, [digest(1)])]),
    Photos([Photo(digest(2), HOSTILE)]),
    Signatures([SignatureBox(HOSTILE, HOSTILE, HOSTILE, None, HOSTILE, HOSTILE)]),
    Stamp(HOSTILE, date(2026, 8, 5)),
    Note(HOSTILE),
)


def test_what_people_wrote_is_never_markup() -> None:
    said = text(printed(*WHOLE))

    wanted = re.sub(r"\s", "", HOSTILE)
    # Narrow columns break between any two letters; what the page says is the same.
    assert said.count(wanted[:20]) >= 10
    assert "#eval" in said


@pytest.mark.parametrize("block", WHOLE, ids=lambda block: type(block).__name__)
def test_hostile_text_stays_on_the_page(block: Block) -> None:
    assert ink_beyond(printed(block)) == []


@pytest.mark.parametrize(
    "long",
    ["长" * 10_000, "W" * 3_000, "m" * 3_000, "。" * 600, "（" * 600, "字\u2060" * 1_500, "字\u00a0" * 1_500],
    ids=["ideographs", "capitals", "letters", "stops", "brackets", "joined", "unbroken blanks"],
)
def test_nothing_long_is_cut_off(long: str) -> None:
    blocks: list[Block] = [
        Heading(long[:300]),
        Paragraph(long),
        Facts([(long[:200], long)]),
        Findings([Finding(1, long[:500], long, long[:300], long[:300], long[:300])]),
        Photos([Photo(digest(1), long[:1500])]),
        Signatures([SignatureBox(long[:100], long[:1500]), SignatureBox("甲", note=long[:900])]),
        Note(long),
    ]

    made = printed(*blocks)

    sign = long[0]
    others = text(printed()).count(sign)
    here = sum(each.count(sign) for each in _strings(blocks))
    running_heads = text(made).count("第") * 10  # numbers and titles said again at the head of a page
    assert here + others <= text(made).count(sign) <= here + others + running_heads
    assert ink_beyond(made) == []


def _strings(blocks: Sequence[Block]) -> list[str]:
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list | tuple):
            for each in value:  # pyright: ignore[reportUnknownVariableType]
                walk(each)  # pyright: ignore[reportUnknownArgumentType]
        elif hasattr(value, "__struct_fields__"):
            for name in value.__struct_fields__:  # type: ignore[attr-defined]
                if name != "headings":
                    walk(getattr(value, name))

    for block in blocks:
        walk(block)
    return found


def test_invisible_characters_are_left_out() -> None:
    assert printable(f"甲{INVISIBLE}乙\r\n丙\u2028丁", 64) == "甲乙\n丙\n丁"
    assert "甲乙" in text(printed(Paragraph(f"甲{INVISIBLE}乙")))


def test_a_word_that_fits_its_line_is_not_broken() -> None:
    assert printable("统一社会信用代码92450103MA5NX7K42P。", 64) == "统一社会信用代码92450103MA5NX7K42P。"


def test_photos_are_embedded_small_and_without_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side
    exif[0x010E] = "机密位置"
    target = io.BytesIO()
    Image.new("RGB", (1600, 1200), "red").save(target, "JPEG", exif=exif)

    small = shrink(target.getvalue())

    assert small is not None
    with Image.open(io.BytesIO(small[1])) as copy:
        assert copy.size == (PICTURE_SIDE * 3 // 4, PICTURE_SIDE)
        assert not copy.getexif()


@pytest.mark.parametrize("picture", [b"", b"no picture", b"\xff\xd8\xff\xe0", photo(1)[:2000]])
def test_what_is_no_picture_does_not_stop_the_paper(picture: bytes) -> None:
    made = paper(Photos([Photo(digest(1), "厨房")]), Signatures([SignatureBox("甲", image=digest(1))]))

    assert text(render(made, None, None, {digest(1): picture})).count("图片无法显示") == 2


def test_at_most_sixty_photos_are_shown_and_the_rest_is_told() -> None:
    made = paper(
        Photos([Photo(digest(number), f"照片{number}。") for number in range(50)]),
        Photos([Photo(digest(number), f"照片{number}。") for number in range(50, 75)]),
    )

    said = text(render(made, None, None, {}))

    assert len(images_of(made)) == MOST_PHOTOS
    assert "照片59。" in said
    assert "照片60。" not in said
    assert "另有15张照片存档" in said


async def test_a_paper_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TypesettingFailed, match="not set within"):
        await Press(time_limit=0.05).render(paper(Paragraph("甲")), Imprint(), {})


async def test_a_paper_that_cannot_be_set_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_url: str, *, border: int) -> str:
        return f"no drawing {border}"

    monkeypatch.setattr(rendering, "qr_svg", broken)

    with pytest.raises(TypesettingFailed, match=r"(?i)svg"):
        await Press().render(paper(), Imprint(verification_code=CODE, verification_url=URL), {})


@pytest.mark.slow
async def test_sixty_items_and_forty_photos_take_three_seconds_and_six_megabytes() -> None:
    rows = [
        Finding(number, "食品原料的进货查验记录是否完整", "现场未能提供进货票据。" * 3, "发现问题", "限期改正", "", [])
        for number in range(1, 61)
    ]
    photos = [Photo(digest(number), f"2026年8月5日10时{number}分，后厨") for number in range(40)]
    images = {digest(number): photo(number) for number in range(40)}

    began = time.monotonic()
    made = await Press().render(paper(Findings(rows), Photos(photos)), Imprint(number="1号"), images)

    assert time.monotonic() - began <= 3
    assert len(made.pdf) <= 6_000_000
    pages = texts(made.pdf)
    assert all("序号检查内容检查情况结果" in page for page in pages if "发现问题" in page)
