"""What an installation without a provider has: a file instead of a phone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final
from uuid import UUID

from notifications.outbox import StoredMessage

_LOOKED_AT: Final = 4 * 1024 * 1024


class Console:
    """Writes messages to a file, one JSON line each, the recipient by id."""

    name: Final = "console"

    def __init__(self, path: Path) -> None:
        """Append to `path`."""
        self.path = path

    async def write(self, message: StoredMessage, text: str) -> None:
        """Append the message's line. Raises OSError."""
        line = {
            "id": str(message.id),
            "channel": message.channel,
            "recipient": f"{message.recipient}/{message.recipient_id}",
            "text": text,
        }
        await asyncio.to_thread(self._append, json.dumps(line, ensure_ascii=False) + "\n")

    async def holds(self, message_id: UUID) -> bool:
        """Whether the message stands near the file's end: asked after a crash, before it is written again."""
        return await asyncio.to_thread(self._is_written, f'{{"id": "{message_id}"'.encode())

    def _append(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)

    def _is_written(self, begin: bytes) -> bool:
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _LOOKED_AT))
            return begin in file.read()
