"""What each operation answers and refuses, where its signature cannot tell: one line of the contract each.

An operation that is missing here is not in the contract, and `tests/contract` says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.inspection_operations import INSPECTION_OPERATIONS
from api.contract.paper_operations import PAPER_OPERATIONS
from api.contract.register_operations import REGISTER_OPERATIONS
from api.contract.told import Told

OPERATIONS: Mapping[str, Told] = {**REGISTER_OPERATIONS, **INSPECTION_OPERATIONS, **PAPER_OPERATIONS}
