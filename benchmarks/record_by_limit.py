"""The limit of a paper: typst compiles what it is given, pictures made small before, in this very process."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

from benchmarks.apart import Figures, peak_mb


async def measure(folder: Path) -> Figures:
    """Seconds and peak memory of opening the fonts and compiling."""
    root = folder / "set"
    source = (root / "paper.typ").read_bytes()
    began = time.perf_counter()
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[pylopdf_fonts_zh_cn.serif_path().parent],
    )
    compiler = typst.Compiler(
        source, root=str(root), font_paths=fonts, ignore_system_fonts=True, package_path=str(root)
    )
    pdf: Any = compiler.compile(format="pdf", timestamp=datetime(2026, 8, 5, tzinfo=UTC))
    return {
        "seconds": time.perf_counter() - began,
        "peak_mb": peak_mb(),
        "kilobytes": len(pdf) // 1000,
    }
