"""错误行清单 The list of rows that could not be imported, or only in doubt: a CSV file that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from domain.shared.cells import FaultLevel, RowFault
from domain.shared.rows import FileUnreadable

_HEADERS: Final = ("行号", "级别", "字段", "原因", "原值")
_BOM: Final = "\ufeff".encode()
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class BadRows:
    """Writes the list as the import goes; without a fault there is no file.

    The faults of a batch are written before it commits, so that none is lost, and `rewind` takes back those of a
    batch that did not.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is touched yet."""
        self.path = path
        self.warnings = 0
        """How many warnings the list holds."""
        self._kept = 0
        self._kept_warnings = 0

    def begin(self, through_line: int) -> None:
        """Keep what an interrupted import said of the lines up to `through_line`; of anything else, start anew."""
        kept = _read(self.path, through_line) if through_line else []
        self.path.unlink(missing_ok=True)
        self.write(kept)
        self.commit()

    def write(self, faults: Iterable[RowFault]) -> None:
        """Add `faults` to those that are settled; what was written since the last `commit` is replaced."""
        self.warnings = self._kept_warnings
        lines = io.StringIO(newline="")
        writer = csv.writer(lines)
        for fault in faults:
            writer.writerow((fault.line, fault.level.label, fault.field, fault.reason, _harmless(fault.value)))
            self.warnings += fault.level is FaultLevel.WARNING
        body = lines.getvalue().encode()
        if not body and not self.path.exists():
            return
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            if not self._kept:
                header = _BOM + (",".join(_HEADERS) + "\r\n").encode()
                file.write(header)
                self._kept = len(header)
            file.truncate(self._kept)
            file.seek(self._kept)
            file.write(body)

    def commit(self) -> None:
        """What was written stays."""
        self._kept = self.path.stat().st_size if self.path.exists() else 0
        self._kept_warnings = self.warnings

    @property
    def written(self) -> Path | None:
        """The file, if there was anything to say."""
        return self.path if self.path.exists() and self._kept else None


def list_of_bad_rows(file: Path, path: Path | None) -> BadRows:
    """The list for the import of `file`: at `path`, else beside it as `FILE.bad.csv`.

    Raises `FileUnreadable` when `path` is the imported file itself.
    """
    place = path or file.with_name(f"{file.name}.bad.csv")
    if place.resolve() == file.resolve():
        raise FileUnreadable("错误行清单不能写到被导入的文件上。")
    return BadRows(place)


def _read(path: Path, through_line: int) -> list[RowFault]:
    levels = {level.label: level for level in FaultLevel}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            said = [row for row in csv.reader(file) if len(row) == len(_HEADERS) and row[0].isdigit()]
    except (FileNotFoundError, UnicodeDecodeError, csv.Error):
        return []
    return [
        RowFault(int(line), field, reason, value, levels.get(level, FaultLevel.ERROR))
        for line, level, field, reason, value in said
        if int(line) <= through_line
    ]


def _harmless(value: str) -> str:
    """A spreadsheet takes no value of the list for a formula."""
    return f"'{value}" if value.startswith(_STARTS_A_FORMULA) else value
