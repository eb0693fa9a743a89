"""What happens to codes and to the register."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain.shared.events import Event


class CodeStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A site's code as the trace shows it."""

    code_id: str
    state: str
    reason: str | None = None


class _CodeEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "一码检查"
    power: ClassVar[str] = "企业码管理"
    subject: ClassVar[str] = "site"

    before: CodeStanding | None = None
    after: CodeStanding | None = None


class CodeIssued(_CodeEvent, frozen=True, kw_only=True):
    """发码."""

    duty: ClassVar[str] = "一企一码发放"
    action: ClassVar[str] = "code.issued"


class CodeReissued(_CodeEvent, frozen=True, kw_only=True):
    """换码: the former code answers that it was replaced."""

    duty: ClassVar[str] = "企业码更换"
    action: ClassVar[str] = "code.reissued"


class CodeRevoked(_CodeEvent, frozen=True, kw_only=True):
    """停用码, with its reason."""

    duty: ClassVar[str] = "企业码停用"
    action: ClassVar[str] = "code.revoked"


class BatchCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch changed."""

    file_name: str = ""
    file_digest: str = ""
    first_line: int = 0
    last_line: int = 0
    rows: int = 0
    bad_rows: int = 0


class EnterprisesImported(Event, frozen=True, kw_only=True):
    """批量导入监管对象: one trace row per committed batch, with the file's digest."""

    business: ClassVar[str] = "监管对象管理"
    power: ClassVar[str] = "监管对象维护"
    duty: ClassVar[str] = "数据导入"
    action: ClassVar[str] = "enterprise.imported"
    subject: ClassVar[str] = "import_batch"

    before: None = None
    after: BatchCounts


class CodesIssued(Event, frozen=True, kw_only=True):
    """批量发码: one trace row per committed batch; `region` is where."""

    business: ClassVar[str] = "一码检查"
    power: ClassVar[str] = "企业码管理"
    duty: ClassVar[str] = "批量发码"
    action: ClassVar[str] = "code.batch_issued"
    subject: ClassVar[str] = "region"

    before: None = None
    after: BatchCounts


class KeyStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of the code's key makes new codes."""

    version: int


class CodeKeyRolled(Event, frozen=True, kw_only=True):
    """更换企业码密钥: codes made so far stay good."""

    business: ClassVar[str] = "一码检查"
    power: ClassVar[str] = "企业码管理"
    duty: ClassVar[str] = "密钥更新"
    action: ClassVar[str] = "code.key_rolled"
    subject: ClassVar[str] = "code_key"

    before: KeyStanding
    after: KeyStanding


def code_text(code_id: bytes) -> str:
    """A code id as the trace writes it."""
    return code_id.hex()
