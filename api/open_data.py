"""开放数据 in its files: a page as CSV, and the night's dump of everything."""

from __future__ import annotations

import csv
import io
import logging
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from api.register import INSTALLATION
from api.wiring import Parts
from domain.evidence.blobs import BlobsAway
from domain.evidence.draft import Draft
from domain.publication.model import PublicReply
from domain.search.open_data import operations, rules, store
from domain.search.open_data.model import Dump, OpenResult
from domain.shared.clock import local_date
from domain.shared.errors import Conflict
from domain.shared.ids import new_id

_AT_ONCE: Final = 1000
_GZIP: Final = 31
"""The window of zlib that writes gzip's header and checksum around the data."""
_STRAYS_AFTER: Final = timedelta(days=1)
_BOM: Final = "\ufeff"
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_HEADERS: Final[Mapping[str, str]] = {
    "id": "公示编号",
    "is_withdrawn": "是否已撤下",
    "uscc": "统一社会信用代码",
    "enterprise_name": "企业名称",
    "site_name": "经营场所",
    "region_code": "区划编码",
    "region_name": "所在地区",
    "authorities": "检查机关",
    "kind_label": "检查类型",
    "completed_on": "检查完成日期",
    "outcome_label": "检查结果",
    "unchecked_items": "未检查项数",
    "correction_label": "整改情况",
    "is_contested": "异议处理中",
    "reply": "企业回应",
    "published_on": "公示日期",
    "ends_on": "公示截止日期",
    "withdrawn_on": "撤下日期",
}
_logger = logging.getLogger(__name__)


def to_csv(results: Sequence[OpenResult]) -> bytes:
    """A table that spreadsheets open as it is: UTF-8 with its mark, one line a result, and no cell a formula."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(_HEADERS.values())
    for result in results:
        writer.writerow([_harmless(_written(getattr(result, name))) for name in _HEADERS])
    return (_BOM + lines.getvalue()).encode()


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, PublicReply):
        return value.text
    return "、".join(value) if isinstance(value, list) else str(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) or text.lstrip().startswith(_STARTS_A_FORMULA) else text


async def dump_results(parts: Parts) -> None:
    """全量数据 of today, once the night's hour has come; a store that is away is waited for."""
    async with parts.work.reading() as connection:
        newest = await store.NEWEST_DUMP.first(connection)
    day = rules.dump_due(parts.clock(), None if newest is None else newest.made_on)
    if day is None:
        return
    try:
        await _make(parts, day)
    except BlobsAway:
        _logger.warning("the object store is away; the dump waits")


async def _make(parts: Parts, day: date) -> None:
    """Whole in the store before its row is written: what was interrupted is seen by nobody and begun anew."""
    begun_at = parts.clock()
    dump_id = new_id(begun_at, parts.random)
    key = rules.dump_key(dump_id)
    draft = parts.blobs.draft(key)
    try:
        results, withdrawn = await _write(parts, draft)
        await parts.blobs.keep(draft)
    finally:
        draft.close()
    dump = Dump(
        id=dump_id,
        made_on=day,
        results=results,
        withdrawn=withdrawn,
        size=draft.size,
        digest=draft.digest(),
        made_at=parts.clock(),
    )
    try:
        known = await parts.work.run(INSTALLATION, lambda tx: operations.register_dump(tx, dump, begun_at))
    except Conflict:  # another worker made today's at the same time, or a result in it was withdrawn meanwhile
        await parts.blobs.delete(key)
        return
    await _remove_strays(parts, {each.id for each in known if each.made_on > day - rules.DUMPS_KEPT})


async def _write(parts: Parts, draft: Draft) -> tuple[int, int]:
    """Every result, a thousand at a time, each page a statement of its own; gives how many, and how many tombstones."""
    packing = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    encoder = msgspec.json.Encoder()
    after = (parts.clock(), UUID(int=2**128 - 1))
    today = local_date(parts.clock())
    results = withdrawn = 0
    while True:
        async with parts.work.reading() as connection:
            page = await operations.read_all(connection, after, _AT_ONCE, today)
        results += sum(not each.is_withdrawn for each in page.items)
        withdrawn += sum(each.is_withdrawn for each in page.items)
        await draft.take(packing.compress(encoder.encode_lines(page.items)))
        if page.next_at is None:
            await draft.take(packing.flush())
            return results, withdrawn
        after = page.next_at


async def _remove_strays(parts: Parts, kept: set[UUID]) -> None:
    """What has outlived its week, and what an interrupted night left."""
    keys = {rules.dump_key(each) for each in kept}
    before = parts.clock() - _STRAYS_AFTER
    with suppress(BlobsAway):
        strays = [blob.key async for blob in parts.blobs.list("dumps") if blob.key not in keys and blob.put_at < before]
        for key in strays:
            await parts.blobs.delete(key)
