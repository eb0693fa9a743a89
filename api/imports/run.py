"""One import: batches of 1,000 rows, each judged whole and committed whole.

While one batch is being stored, a thread reads and judges the next. An import that was interrupted goes on after the
last batch that was committed; a file that was imported to its end is not imported again unless it is asked for.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from api.imports.bad_rows import BadRows, list_of_bad_rows
from api.wiring import Parts
from api.work import InProgress
from domain.enterprise.batches import ImportBatch, advance_import, begin_import, finish_import
from domain.enterprise.events import BatchCounts
from domain.enterprise.intake import EnterpriseRow
from domain.officer.intake import OfficerRow
from domain.shared.cells import Cell, Column, FaultLevel, RowFault, fault_in
from domain.shared.events import Event, Operator
from domain.shared.rows import FileRow, RowFile, digest_file, open_rows
from domain.shared.transaction import Outcome, Transaction

OPERATOR: Final = Operator(id=UUID(int=0), name="命令行", post="系统维护")
"""Who acts when a command is run on the server itself."""
BATCH_ROWS: Final = 1000
_ATTEMPTS: Final = 5
_PAUSE_SECONDS: Final = 1.0


class ImportProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an import is: rows stored and judged, and the share of the file that was read, where known."""

    rows: int
    bad: int
    fraction: float | None


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import. `resumed_after` rows of the file were done by an earlier, interrupted run."""

    file: Path
    digest: str
    rows: int
    good: int
    bad: int
    warnings: int = 0
    resumed_after: int = 0
    finished_before: bool = False
    unknown_columns: tuple[str, ...] = ()
    bad_rows: Path | None = None
    seconds: float = 0.0

    @property
    def rows_per_second(self) -> float:
        """Rows of this run by its time."""
        return (self.rows - self.resumed_after) / self.seconds if self.seconds else 0.0


R = TypeVar("R", EnterpriseRow, OfficerRow)


class ImportKind(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """What differs between enterprises and officers. `key_header` names what makes two rows the same subject;
    `follow` does in other rooms what a stored batch leads to.
    """

    name: str
    columns: Sequence[Column]
    key_header: str
    key: Callable[[R], str]
    judge: Callable[[int, Mapping[str, Cell]], R | list[RowFault]]
    save: Callable[[Transaction, Sequence[R]], Awaitable[list[RowFault]]]
    event: Callable[[UUID, BatchCounts], Event]
    follow: Callable[[Transaction, Sequence[R]], Awaitable[Sequence[Event]]] | None = None


class Judged(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A batch ready to store; `read` counts its rows, good and bad."""

    read: int
    first_line: int
    last_line: int
    rows: list[R]
    faults: list[RowFault]
    bad: int
    fraction: float | None


class BatchJudge(Generic[R]):
    """Reads a file batch by batch and judges its rows."""

    def __init__(self, kind: ImportKind[R], file: RowFile) -> None:
        """Stand before the first row of `file`."""
        self._kind = kind
        self._file = file
        self._rows: Iterator[FileRow] = iter(file)

    def skip(self, rows: int) -> int:
        """Pass over `rows` rows; gives the line of the last."""
        line = 0
        for row in itertools.islice(self._rows, rows):
            line = row.line
        return line

    def next_batch(self) -> Judged[R]:
        """The next batch; at the end of the file it has no rows."""
        taken: dict[str, R] = {}
        faults: list[RowFault] = []
        lines: list[int] = []
        bad = 0
        for row in itertools.islice(self._rows, BATCH_ROWS):
            lines.append(row.line)
            judged = [RowFault(row.line, "整行", row.fault)] if row.fault else self._kind.judge(row.line, row.cells)
            if isinstance(judged, list):
                bad += 1
                faults.extend(judged)
                continue
            faults.extend(judged.warnings)
            former = taken.pop(self._kind.key(judged), None)
            if former is not None:
                faults.append(self._overtaken(former.line, row.line))
            taken[self._kind.key(judged)] = judged
        return Judged(
            read=len(lines),
            first_line=lines[0] if lines else 0,
            last_line=lines[-1] if lines else 0,
            rows=list(taken.values()),
            faults=faults,
            bad=bad,
            fraction=self._file.fraction,
        )

    def _overtaken(self, line: int, by_line: int) -> RowFault:
        column = next(column for column in self._kind.columns if column.header == self._kind.key_header)
        return fault_in(line, column, f"与第{by_line}行重复，以第{by_line}行为准", level=FaultLevel.WARNING)


async def run_import(
    parts: Parts,
    kind: ImportKind[Any],
    file: Path,
    bad_rows: Path | None,
    *,
    again: bool,
    progress: Callable[[ImportProgress], None],
) -> ImportReport:
    """Import `file` from where it stands. `bad_rows` is `FILE.bad.csv` if None.

    Raises `FileUnreadable`, and `ImportMovedOn` when another process imports the same file.
    """
    started = time.perf_counter()
    listed = list_of_bad_rows(file, bad_rows)
    digest = await asyncio.to_thread(digest_file, file)
    with ExitStack() as open_files:
        rows = await asyncio.to_thread(open_files.enter_context, open_rows(file, kind.columns))

        async def begin(tx: Transaction) -> Outcome[ImportBatch]:
            return Outcome(answer=await begin_import(tx, kind.name, file.name, digest, again=again))

        batch = await parts.work.run(OPERATOR, begin)
        before = batch.rows_done
        finished_before = batch.finished_at is not None
        if not finished_before:
            batch = await _store_batches(parts, BatchJudge(kind, rows), kind, batch, listed, progress)
        return ImportReport(
            file=file,
            digest=digest.hex(),
            rows=batch.rows_done,
            good=batch.rows_done - batch.rows_bad,
            bad=batch.rows_bad,
            warnings=listed.warnings,
            resumed_after=before,
            finished_before=finished_before,
            unknown_columns=rows.unknown,
            bad_rows=listed.written,
            seconds=time.perf_counter() - started,
        )


async def _store_batches(
    parts: Parts,
    judge: BatchJudge[Any],
    kind: ImportKind[Any],
    batch: ImportBatch,
    listed: BadRows,
    progress: Callable[[ImportProgress], None],
) -> ImportBatch:
    """Store every batch that is still to come, and mark the import finished."""
    listed.begin(await asyncio.to_thread(judge.skip, batch.rows_done))
    upcoming = asyncio.create_task(asyncio.to_thread(judge.next_batch))
    try:
        while (judged := await upcoming).read:
            upcoming = asyncio.create_task(asyncio.to_thread(judge.next_batch))
            batch = await _store(parts, kind, batch, judged, listed)
            progress(ImportProgress(rows=batch.rows_done, bad=batch.rows_bad, fraction=judged.fraction))
    finally:  # the thread must have let go of the file before it is closed
        await asyncio.gather(upcoming, return_exceptions=True)

    async def finish(tx: Transaction) -> Outcome[ImportBatch]:
        return Outcome(answer=await finish_import(tx, batch))

    return await parts.work.run(OPERATOR, finish)


async def _store(
    parts: Parts, kind: ImportKind[Any], batch: ImportBatch, judged: Judged[Any], listed: BadRows
) -> ImportBatch:
    """One transaction: the rows, the trace of the batch, and how far the import has come."""

    async def store(tx: Transaction) -> Outcome[ImportBatch]:
        late = await kind.save(tx, judged.rows)
        bad = judged.bad + len(late)
        after = await advance_import(tx, batch, rows=judged.read, bad=bad)
        listed.write(sorted([*judged.faults, *late], key=lambda fault: fault.line))
        counts = BatchCounts(
            file_name=batch.file_name,
            file_digest=batch.file_digest.hex(),
            first_line=judged.first_line,
            last_line=judged.last_line,
            rows=len(judged.rows) - len(late),
            bad_rows=bad,
        )
        further = () if kind.follow is None else await kind.follow(tx, judged.rows)
        return Outcome(answer=after, events=(kind.event(batch.id, counts), *further))

    for _ in range(_ATTEMPTS - 1):
        try:
            after = await parts.work.run(OPERATOR, store)
        except InProgress:  # somebody edits one of these enterprises right now
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            break
    else:
        after = await parts.work.run(OPERATOR, store)
    listed.commit()
    return after
