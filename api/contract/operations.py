"""What each operation answers and refuses, where its signature cannot tell: one line of the contract each.

An operation that is missing here is not in the contract, and `tests/contract` says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.complaint_operations import COMPLAINT_OPERATIONS
from api.contract.deadline_operations import DEADLINE_OPERATIONS
from api.contract.door_operations import DOOR_OPERATIONS
from api.contract.inspection_operations import INSPECTION_OPERATIONS
from api.contract.live_operations import LIVE_OPERATIONS
from api.contract.manual_operations import MANUAL_OPERATIONS
from api.contract.membership_operations import MEMBERSHIP_OPERATIONS
from api.contract.message_operations import MESSAGE_OPERATIONS
from api.contract.notice_operations import NOTICE_OPERATIONS
from api.contract.paper_operations import PAPER_OPERATIONS
from api.contract.public_operations import PUBLIC_OPERATIONS
from api.contract.register_operations import REGISTER_OPERATIONS
from api.contract.self_inspection_operations import SELF_INSPECTION_OPERATIONS
from api.contract.space_operations import SPACE_OPERATIONS
from api.contract.subscription_operations import SUBSCRIPTION_OPERATIONS
from api.contract.template_operations import TEMPLATE_OPERATIONS
from api.contract.told import Told
from api.contract.visitor_operations import VISITOR_OPERATIONS

OPERATIONS: Mapping[str, Told] = {
    **REGISTER_OPERATIONS,
    **INSPECTION_OPERATIONS,
    **COMPLAINT_OPERATIONS,
    **PAPER_OPERATIONS,
    **MESSAGE_OPERATIONS,
    **NOTICE_OPERATIONS,
    **DEADLINE_OPERATIONS,
    **DOOR_OPERATIONS,
    **PUBLIC_OPERATIONS,
    **SELF_INSPECTION_OPERATIONS,
    **MEMBERSHIP_OPERATIONS,
    **MANUAL_OPERATIONS,
    **SPACE_OPERATIONS,
    **SUBSCRIPTION_OPERATIONS,
    **VISITOR_OPERATIONS,
    **LIVE_OPERATIONS,
    **TEMPLATE_OPERATIONS,
}
