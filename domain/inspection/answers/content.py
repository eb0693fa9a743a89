"""The text of a drawn list: what is sealed in the package, and whose digest the trace keeps since dispatch."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.document.canonical import canonical
from domain.inspection.answers.model import ChecklistLine


def list_text(lines: Sequence[ChecklistLine]) -> bytes:
    """The list as canonical JSON (RFC 8785), without any answer."""
    plain = [msgspec.to_builtins(msgspec.structs.replace(line, answer=None)) for line in lines]
    for line in plain:
        del line["answer"]
    return canonical(plain)
