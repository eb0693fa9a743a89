"""What happens to the register of officers."""

from __future__ import annotations

from typing import ClassVar

from domain.enterprise.events import BatchCounts
from domain.shared.events import Event


class OfficersImported(Event, frozen=True, kw_only=True):
    """批量导入执法人员: one trace row per committed batch, with the file's digest."""

    business: ClassVar[str] = "执法人员管理"
    power: ClassVar[str] = "执法人员维护"
    duty: ClassVar[str] = "数据导入"
    action: ClassVar[str] = "officer.imported"
    subject: ClassVar[str] = "import_batch"

    before: None = None
    after: BatchCounts
