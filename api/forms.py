"""Forms as browsers send them without JavaScript: read as a stream, within limits, files sealed as they come.

A page's route takes `request_max_body_size=FORM_BYTES` and reads its form by `async with read_form(request) as form`.
There is nothing to guard against forged requests: what permits a write is a pass in the form itself, never a cookie.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from api.wiring import Parts
from domain.evidence.draft import Draft
from domain.evidence.rules import parse_digest, require_size
from domain.shared.errors import DomainError, InvalidField

FORM_BYTES: Final = 96 * 1024 * 1024
"""Of a whole form with its files."""
_MOST_FILES: Final = 9
_MOST_FIELDS: Final = 80
_MOST_FIELD_BYTES: Final = 32 * 1024
_MOST_TEXT_BYTES: Final = 256 * 1024
_PIECE: Final = 64 * 1024
_BOUNDARY: Final = re.compile(r"""[A-Za-z0-9'()+_,./:=?\- ]{0,69}[A-Za-z0-9'()+_,./:=?\-]""")


class FormUnreadable(DomainError):
    """The body is no form, or is cut, or has no usable boundary."""


class FormFile(msgspec.Struct, frozen=True):
    """A file of a form, sealed while the form is read; its name in the form, never the one it had on the phone."""

    field: str
    draft: Draft


class Form:
    """What a form says: texts by field, and files that wait to be taken in."""

    def __init__(self) -> None:
        """An empty form."""
        self.fields: dict[str, list[str]] = {}
        self.files: list[FormFile] = []

    def text(self, name: str, default: str = "") -> str:
        """The field's first value, without blanks around it."""
        values = self.fields.get(name)
        return values[0].strip() if values else default

    def texts(self, name: str) -> list[str]:
        """Every value of the field."""
        return self.fields.get(name, [])

    def files_of(self, name: str) -> list[FormFile]:
        """The files that were chosen for the field."""
        return [file for file in self.files if file.field == name]

    def digests(self, name: str) -> list[bytes]:
        """Files that were taken in with an earlier sending of this form, as hidden fields. Raises `InvalidField`."""
        return [parse_digest(text) for text in self.texts(name) if text]

    def close(self) -> None:
        """Let go of the files that nobody took in."""
        for file in self.files:
            file.draft.close()


@asynccontextmanager
async def read_form(request: Request[Any, Any, Any]) -> AsyncGenerator[Form]:
    """The request's form, urlencoded or multipart; its files are gone when the context ends, unless taken in.

    Raises `FormUnreadable`, `InvalidField` for too many fields or files, or `EvidenceTooLarge`.
    """
    parts: Parts = request.app.state.parts
    form = Form()
    try:
        content_type = request.headers.get("content-type", "")
        kind, _, rest = content_type.partition(";")
        match kind.strip().lower():
            case "application/x-www-form-urlencoded":
                await _read_urlencoded(request.stream(), form)
            case "multipart/form-data":
                await _Multipart(parts, form, _boundary(rest)).read(request.stream())
            case _:
                raise FormUnreadable("应为表单提交。", field="Content-Type")
        yield form
    finally:
        form.close()


def _boundary(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        bare = value.strip().strip('"')
        if name.lower() == "boundary" and _BOUNDARY.fullmatch(bare):
            return bare
    raise FormUnreadable("表单缺少可用的分隔标记。", field="Content-Type")


async def _read_urlencoded(body: AsyncIterator[bytes], form: Form) -> None:
    held = bytearray()
    async for piece in body:
        held += piece
        if len(held) > _MOST_TEXT_BYTES:
            raise InvalidField("填写的内容过长。")
    try:
        pairs = parse_qsl(held.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as broken:
        raise FormUnreadable("表单无法读取。") from broken
    for name, value in pairs:
        _add(form, name, value)


def _add(form: Form, name: str, value: str) -> None:
    if "\x00" in name or "\x00" in value:
        raise FormUnreadable("表单中有无法保存的字符。")
    # Browsers end lines by CR LF, everybody else by LF.
    form.fields.setdefault(name, []).append(value.replace("\r\n", "\n"))


class _Multipart:
    """One multipart body on its way: a text is collected, a file goes into a draft piece by piece."""

    def __init__(self, parts: Parts, form: Form, boundary: str) -> None:
        self._parts = parts
        self._form = form
        # Not strict: that takes the line end after the last boundary for an error when it comes in a packet of its own.
        self._parser = PushMultipartParser(boundary, max_segment_count=_MOST_FIELDS)
        self._name = ""
        self._text = bytearray()
        self._text_bytes = 0
        self._draft: Draft | None = None

    async def read(self, body: AsyncIterator[bytes]) -> None:
        """Take it all. Raises `FormUnreadable`, `InvalidField` or `EvidenceTooLarge`."""
        try:
            async for chunk in body:
                for at in range(0, len(chunk), _PIECE):
                    for event in self._parser.parse(chunk[at : at + _PIECE]):
                        await self._take(event)
            self._parser.close()
        except ParserLimitReached as limit:
            raise InvalidField("表单的项目过多。") from limit
        except (MultipartError, UnicodeError, ValueError) as broken:
            raise FormUnreadable("表单不完整或无法读取，请重新提交。") from broken
        finally:
            if self._draft is not None:
                self._draft.close()

    async def _take(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._draft is not None:
            require_size(self._draft.size + len(event))
            await self._draft.take(bytes(event))
        else:
            self._text += event
            self._text_bytes += len(event)
            if len(self._text) > _MOST_FIELD_BYTES or self._text_bytes > _MOST_TEXT_BYTES:
                raise InvalidField("填写的内容过长。")

    def _begin(self, segment: MultipartSegment) -> None:
        if not segment.name:
            raise FormUnreadable("表单中有项目没有名称。")
        self._name = segment.name
        self._text.clear()
        if segment.filename is not None:
            # A key of its own: what the file will be called, its digest tells only at its end.
            self._draft = self._parts.blobs.draft(f"forms/{self._parts.random(16).hex()}")

    def _end(self) -> None:
        draft, self._draft = self._draft, None
        if draft is None:
            _add(self._form, self._name, self._text.decode())
            return
        if draft.size == 0:  # a field in which no file was chosen
            draft.close()
            return
        self._form.files.append(FormFile(self._name, draft))
        if len(self._form.files) > _MOST_FILES:
            raise InvalidField(f"一次最多上传{_MOST_FILES}个文件。", field=self._name)
