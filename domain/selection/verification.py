"""验证 Re-running a published draw: what differs is said in words, one line a difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from domain.selection.encoding import commit_nonce, commit_secret, sm3
from domain.selection.model import RECORD_FORMAT, DrawPlan, DrawRecord, FrameEntry, StratumRule, Winner
from domain.selection.rules import Choosing, FrameFault, Freezing, Frozen, allot, seed_for, strata_of


class RecordUnreadable(Exception):
    """The bytes are no record of a draw; the message says why."""


def record_text(record: DrawRecord) -> str:
    """The very text that is stored and handed out."""
    return msgspec.json.encode(record).decode()


def digest_of(text: str) -> bytes:
    """SM3 of a record's text."""
    return sm3(text.encode())


def read_record(text: bytes) -> DrawRecord:
    """A record as `record_text` wrote it. Raises `RecordUnreadable`."""
    try:
        return msgspec.json.decode(text, type=DrawRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise RecordUnreadable(str(broken)) from broken


def verify(record: DrawRecord, frame: Iterable[FrameEntry] | None = None) -> list[str]:
    """Re-run the draw: what differs from `record`, nothing where it holds.

    `frame` is the one published beside a record that holds none; it is walked twice.
    """
    if record.format != RECORD_FORMAT:
        return [f"不认识的记录格式：{record.format}"]
    entries = record.frame if frame is None else frame
    if entries is None:
        return ["记录中没有名录，请同时提供名录文件"]
    plan = plan_of(record)
    differences = list(_commitments(record))
    freezing = Freezing(plan)
    try:
        for entry in entries:
            freezing.add(entry)
    except FrameFault as fault:
        return [*differences, f"名录有误：{fault}"]
    return [*differences, *_outcome(record, plan, freezing.finish(), entries)]


def plan_of(record: DrawRecord) -> DrawPlan:
    """What was fixed before the draw."""
    return DrawPlan(
        draw_id=record.draw_id,
        purpose=record.purpose,
        subject_id=record.subject_id,
        strata=tuple(StratumRule(name=each.name, ratio=each.ratio, count=each.count) for each in record.strata),
        cap=record.cap,
    )


def _commitments(record: DrawRecord) -> Iterator[str]:
    if commit_secret(record.draw_id, bytes.fromhex(record.secret)).hex() != record.secret_commitment:
        yield "密值与事先公布的承诺不符"
    for each in record.departments:
        if commit_nonce(record.draw_id, each.department_id, bytes.fromhex(each.nonce)).hex() != each.commitment:
            yield f"部门{each.department_id}公开的随机数与其承诺不符"


def _outcome(record: DrawRecord, plan: DrawPlan, frozen: Frozen, entries: Iterable[FrameEntry]) -> Iterator[str]:
    if frozen.digest.hex() != record.frame_digest:
        yield f"名录摘要不符：重算为{frozen.digest.hex()}"
    if (frozen.size, frozen.excluded) != (record.frame_size, record.excluded):
        yield f"名录条数不符：重算为{frozen.size}条，其中排除{frozen.excluded}条"
    seed = seed_for(plan, frozen.digest, bytes.fromhex(record.secret), record.departments, record.public_value)
    if seed.hex() != record.seed:
        yield f"种子不符：重算为{seed.hex()}"
    wins = allot(plan.strata, frozen.sizes, plan.cap)
    if strata_of(plan, frozen.sizes, wins) != record.strata:
        yield "各层数量不符：重算为" + "，".join(f"{name} {count}" for name, count in sorted(wins.items()))
    choosing = Choosing(plan, seed, wins)
    for entry in entries:
        choosing.add(entry)
    yield from _winners(record.winners, choosing.finish())


def _winners(said: list[Winner], drawn: list[Winner]) -> Iterator[str]:
    if said == drawn:
        return
    before, now = {each.id: each for each in said}, {each.id: each for each in drawn}
    yield from (f"不应中选：{id_}" for id_ in before if id_ not in now)
    yield from (f"应当中选而未列：{id_}" for id_ in now if id_ not in before)
    yield from (f"中选记录不符：{id_}" for id_ in now if id_ in before and before[id_] != now[id_])
    if before == now:
        yield "中选名单的次序不符或有重复"
