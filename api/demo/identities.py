"""智桂通 users of the demonstration: the 法定代表人 of enterprises that nobody claimed, and somebody to invite."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from api.wiring import Parts
from domain.enterprise.tables import enterprise
from domain.identity.tables import account
from domain.membership.accounts import LOGIN_PREFIX
from domain.shared.sql import Query

_ASSISTANT: Final = "assistant"
_ASSISTANT_PHONE: Final = "13900000001"
_CLAIMANTS: Final = 3


class IdentityFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom the simulated 智桂通 knows: `token` is typed to log in, `told` is what it tells of them (8.1)."""

    name: str
    uscc: str | None
    token: str
    told: dict[str, Any]


class _Unclaimed(msgspec.Struct, frozen=True, kw_only=True):
    uscc: str
    name: str
    legal_representative: str


_UNCLAIMED = Query(
    sa.select(enterprise.c.uscc, enterprise.c.name, enterprise.c.legal_representative)
    .where(
        enterprise.c.legal_representative.is_not(None),
        ~sa.exists().where(account.c.enterprise_id == enterprise.c.id, ~account.c.login.startswith(LOGIN_PREFIX)),
    )
    .order_by(enterprise.c.uscc)
    .limit(_CLAIMANTS),
    _Unclaimed,
)


async def demo_identities(parts: Parts) -> dict[str, IdentityFacts]:
    """Who may log in by the simulated 智桂通; the tokens stay the same for as long as the database does."""
    async with parts.work.reading() as connection:
        found = await _UNCLAIMED.all(connection)
    known = {f"legal{number}": _legal_person(parts, number, each) for number, each in enumerate(found, start=1)}
    return {**known, _ASSISTANT: _assistant(parts)}


def _token(parts: Parts, of: str) -> str:
    return parts.vault.blind_index("demo.zhiguitong", of).hex()[:32]


def _legal_person(parts: Parts, number: int, of: _Unclaimed) -> IdentityFacts:
    corporation = {
        "idcardNum": of.uscc,
        "enterpriseName": of.name,
        "legalName": of.legal_representative,
        "legalIdcardNum": f"DEMO-L{number:05}",
        "legalMobile": f"1390000010{number}",
        "legalType": "C01",
        "userIdcode": f"demo-legal-{number}",
        "loginName1": f"demo-legal-{number}",
        "source": "2",
    }
    return IdentityFacts(
        name=of.legal_representative,
        uscc=of.uscc,
        token=_token(parts, of.uscc),
        told={"userType": "2", "corporationInfo": corporation},
    )


def _assistant(parts: Parts) -> IdentityFacts:
    told = {
        "userType": "1",
        "id": "demo-person-1",
        "userIdcode": "demo-person-1",
        "userName": "韦小助",
        "userMobile": _ASSISTANT_PHONE,
        "userIdcardType": "SF",
        "userIdcard": "DEMO-P00001",
        "userState": "1",
        "userLevel": "1",
        "userSex": "F",
        "isServant": "0",
        "source": "2",
        "loginName": "demo-person-1",
    }
    return IdentityFacts(name="韦小助", uscc=None, token=_token(parts, _ASSISTANT), told=told)
