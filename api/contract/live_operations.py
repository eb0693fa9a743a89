"""Operations of the live feed that are plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import Refusals, Told
from api.live.model import TooManyConnections
from api.live.stream import MEDIA_TYPE
from api.work import DatabaseAway
from domain.shared.errors import Forbidden, InvalidField

_REFUSALS: Refusals = (Forbidden, InvalidField, TooManyConnections, DatabaseAway)

LIVE_OPERATIONS: Mapping[str, Told] = {
    "watchLiveEvents": Told(result=bytes, refuses=_REFUSALS, media=(MEDIA_TYPE,)),
}
