"""Operations of 文本模板, and of mail that comes back."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import SIGNED_IN, Told
from api.mail_bounces import MailSecretWrong, ReportNotOurs, ReportUnreadable
from api.template_previews import TemplateValuesUnfit
from api.work import DatabaseAway, InProgress
from domain.shared.errors import Forbidden, InvalidField, NotFound

_READ = (*SIGNED_IN, Forbidden)

TEMPLATE_OPERATIONS: Mapping[str, Told] = {
    "listMessageTemplates": Told(refuses=_READ),
    "readMessageTemplate": Told(refuses=(*_READ, NotFound)),
    "previewMessageTemplate": Told(refuses=(*_READ, NotFound, InvalidField, TemplateValuesUnfit)),
    "takeMailBounce": Told(
        refuses=(MailSecretWrong, NotFound, ReportUnreadable, ReportNotOurs, InProgress, DatabaseAway),
        body=("message/rfc822",),
        headers=("YimaMailSecret",),
    ),
}
