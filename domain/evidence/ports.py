"""The scanner for malicious content (D28): what it finds is set aside, kept sealed and shown to nobody."""

from __future__ import annotations

import socket
from typing import Final, Protocol

from domain.shared.errors import DomainError


class ScannerAway(DomainError):
    """The scanner does not answer; nothing is taken in unseen, so the upload is to be sent again."""


class Scanner(Protocol):
    """Looks at a file's content before it is stored; called off the event loop."""

    def scan(self, content: bytes) -> str | None:
        """Why the file is to be set aside, or None. Raises `ScannerAway`."""
        ...


class NoScanner:
    """The default: nothing is set aside."""

    def scan(self, content: bytes) -> str | None:
        """Nothing is found in any content."""
        del content


class ClamScanner:
    """ClamAV's daemon over TCP, by its INSTREAM command: chunks with their lengths, an empty one at the end."""

    _PIECE: Final = 64 * 1024
    _SECONDS: Final = 20.0

    def __init__(self, host: str, port: int) -> None:
        """Use the daemon at that address; it is first asked at the first file."""
        self._address = (host, port)

    def scan(self, content: bytes) -> str | None:
        """The signature's name when one matches."""
        try:
            verdict = self._ask(content)
        except OSError as away:
            raise ScannerAway("文件检查服务暂时不可用，请稍后重试。") from away
        if verdict.endswith("FOUND"):
            return verdict.removesuffix("FOUND").removeprefix("stream:").strip()
        if verdict.endswith("OK"):
            return None
        raise ScannerAway("文件检查服务暂时不可用，请稍后重试。", answer=verdict[:200])

    def _ask(self, content: bytes) -> str:
        with socket.create_connection(self._address, timeout=self._SECONDS) as line:
            line.sendall(b"zINSTREAM\0")
            for at in range(0, len(content), self._PIECE):
                piece = content[at : at + self._PIECE]
                line.sendall(len(piece).to_bytes(4, "big") + piece)
            line.sendall(bytes(4))
            answer = bytearray()
            while piece := line.recv(4096):
                answer += piece
            return answer.rstrip(b"\0\n ").decode("utf-8", "replace")
