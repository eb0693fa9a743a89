"""Citizens without an account: a pass, a device, a phone that was verified by its code, files handed in."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import altcha
import httpx
import msgspec

from domain.shared.sql import borrow
from domain.visitor.operations import code_to_send
from tests.support.client import Api, accepted
from tests.support.files import digest_of

PHONE = "13877155555"


class Citizen:
    """Somebody with a pass; a fresh Idempotency-Key goes with every write."""

    def __init__(self, api: Api, token: str, *, device: str | None = None, address: str | None = None) -> None:
        """Write by `token`, on `device`, from `address` as a proxy tells it, where they are given."""
        self._api = api
        self.token = token
        self._device = device
        self._address = address

    def headers(self, key: str | None = None, proof: str | None = None) -> dict[str, str]:
        """What goes with a write."""
        return {
            "Yima-Pass": self.token,
            "Idempotency-Key": key or str(uuid4()),
            **({} if self._device is None else {"Yima-Device": self._device}),
            **({} if self._address is None else {"X-Forwarded-For": self._address}),
            **({} if proof is None else {"Yima-Proof": proof}),
        }

    async def post(
        self, path: str, body: object = None, *, key: str | None = None, proof: str | None = None
    ) -> httpx.Response:
        """Write to `path`."""
        headers = self.headers(key, proof) | {"Content-Type": "application/json"}
        return await self._api.http.post(
            path, content=b"" if body is None else msgspec.json.encode(body), headers=headers
        )

    async def put_file(self, content: bytes, *, digest: str | None = None, proof: str | None = None) -> httpx.Response:
        """Hand `content` in."""
        path = f"/api/v1/attachments/{digest or digest_of(content)}"
        return await self._api.http.put(path, content=content, headers=self.headers(proof=proof))

    async def has_handed_in(self, *contents: bytes) -> list[str]:
        """The digests of files that were accepted just now."""
        return [accepted(await self.put_file(content))["digest"] for content in contents]


async def anonymous(api: Api, *, device: str | None = None, address: str | None = None) -> Citizen:
    """A citizen whom nobody knows."""
    response = await api.http.post("/api/v1/public/passes")
    assert response.status_code == 201, response.text
    return Citizen(api, response.json()["pass"], device=device, address=address)


async def send_code(api: Api, phone: str = PHONE, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Ask for a code."""
    return await api.http.post("/api/v1/public/phone-verifications", json={"phone": phone}, headers=dict(headers or {}))


async def code_of(api: Api, verification_id: str) -> str:
    """What the message will say."""
    async with borrow(api.parts.pool) as connection:
        code = await code_to_send(connection, api.parts.vault, UUID(verification_id), api.clock())
    assert code is not None
    return code


async def verified(api: Api, phone: str = PHONE, *, device: str | None = None, address: str | None = None) -> Citizen:
    """A citizen whose phone was verified just now."""
    headers = {} if address is None else {"X-Forwarded-For": address}
    sent = await send_code(api, phone, headers)
    assert sent.status_code == 201, sent.text
    verification_id = sent.json()["id"]
    proven = await api.http.post(
        f"/api/v1/public/phone-verifications/{verification_id}/proof",
        json={"code": await code_of(api, verification_id)},
        headers=headers,
    )
    assert proven.status_code == 201, proven.text
    return Citizen(api, proven.json()["pass"], device=device, address=address)


def solve(challenge: Mapping[str, Any]) -> str:
    """The solved challenge, as it goes into `Yima-Proof`."""
    posed = altcha.Challenge.from_dict(dict(challenge))
    solution = altcha.solve_challenge(posed)
    assert solution is not None
    return altcha.Payload(posed, solution).to_base64()


def forged(challenge: Mapping[str, Any], **changes: object) -> str:
    """A payload whose solution is made up."""
    solution = {"counter": 1, "derivedKey": "00" * 32, **changes}
    return b64encode(msgspec.json.encode({"challenge": challenge, "solution": solution})).decode()
