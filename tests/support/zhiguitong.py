"""智桂通 for tests: the simulated service, which can also fail, and the people it knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from api.demo.zhiguitong import SimulatedZhiguitong, simulated_zhiguitong
from api.settings import ZhiguitongAccess
from api.zhiguitong import Circuit, Zhiguitong

ACCESS: Final = ZhiguitongAccess(
    url="http://127.0.0.1:9", app_code="yima", app_secret="a-secret", app_key="a-key", role_code="R1"
)
VALID_TOKEN: Final = "token-of-a-person"
"""A person whom every test's service knows."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as a test names them."""

    name: str
    mobile: str
    idcard: str
    code: str
    state: str = "1"
    level: str | None = "1"

    def told(self, **changes: Any) -> dict[str, Any]:
        """`data` of this person."""
        return {
            "userType": "1",
            "id": self.code,
            "userIdcode": self.code,
            "userName": self.name,
            "userMobile": self.mobile,
            "userIdcardType": "SF",
            "userIdcard": self.idcard,
            "userState": self.state,
            "userLevel": self.level,
            "isServant": "0",
            "source": "2",
            "userSex": "F",
            **changes,
        }


def legal_person(
    uscc: str, *, representative: str = "韦大山", number: str = "450103190001010010", code: str = "", **changes: Any
) -> dict[str, Any]:
    """`data` of a legal person's account."""
    corporation = {
        "idcardNum": uscc,
        "enterpriseName": "某公司",
        "legalName": representative,
        "legalIdcardNum": number,
        "legalMobile": "13977100000",
        "legalType": "C01",
        "userIdcode": code or f"legal-{uscc}",
        "linkPersion": "某人",
        "source": "2",
        **changes,
    }
    return {"userType": "2", "corporationInfo": corporation}


LU: Final = Person(name="陆小燕", mobile="13977100001", idcard="450103190001010029", code="person-lu")
QIN: Final = Person(name="覃大勇", mobile="13977100002", idcard="450103190001010037", code="person-qin")


class FailingZhiguitong(SimulatedZhiguitong):
    """The service with a temper: `troubles` come first, one a request; `asked` counts requests."""

    def __init__(self) -> None:
        """Know one person."""
        super().__init__({VALID_TOKEN: LU.told()}, ACCESS)
        self.troubles: list[int | float | dict[str, Any]] = []
        self.asked = 0

    async def answer(self, scope: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        """A trouble is a status, seconds of silence, or an answer; after them the truth."""
        self.asked += 1
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, dict):
            return 200, trouble
        if isinstance(trouble, int):
            return trouble, {"trouble": True}
        if trouble is not None:
            await asyncio.sleep(trouble)
        return await super().answer(scope, body)


class Identity(msgspec.Struct, frozen=True):
    """The service and our client of it."""

    service: FailingZhiguitong
    client: Zhiguitong
    access: ZhiguitongAccess

    def know(self, token: str, told: dict[str, Any]) -> str:
        """Let the service know somebody by `token`; gives it back."""
        self.service.people[token] = told
        return token


@asynccontextmanager
async def identity_service(circuit: Circuit | None = None) -> AsyncGenerator[Identity]:
    """A service of its own and a client of it."""
    service = FailingZhiguitong()
    async with simulated_zhiguitong(service) as url:
        access = msgspec.structs.replace(ACCESS, url=url)
        client = Zhiguitong(access, circuit=circuit)
        try:
            yield Identity(service, client, access)
        finally:
            await client.close()
