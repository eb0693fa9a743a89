"""Operations on notice links."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Told
from api.schemas.notice_link import NoticeView
from api.work import Accepted, DatabaseAway, InProgress
from domain.document.link import rules as links
from domain.document.link.model import RevokedLink
from domain.enterprise.rules import ReasonMissing
from domain.shared.errors import InvalidField, NotFound
from domain.visitor.rules import TooManyWrites

NOTICE_OPERATIONS: Mapping[str, Told] = {
    "openNoticeLink": Told(
        result=NoticeView,
        refuses=(
            links.NoticeLinkUnknown,
            links.NoticeLinkOver,
            TooManyWrites,
            InvalidField,
            InProgress,
            DatabaseAway,
        ),
        headers=("YimaDevice",),
    ),
    "listNoticeLinks": Told(refuses=(NotFound, DatabaseAway)),
    "revokeNoticeLink": Told(
        result=Accepted[RevokedLink],
        refuses=(NotFound, ReasonMissing, links.LinkAlreadyRevoked, *KEYED, DatabaseAway),
    ),
}
