"""Evidence over HTTP: handed in whole or in parts, looked at and referred to; and what that leaves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from domain.evidence import operations
from domain.identity.model import Principal
from domain.shared.transaction import Outcome, Transaction
from tests.support.client import Api
from tests.support.factories import INSTALLATION, World
from tests.support.files import digest_of
from tests.support.visits import rows


async def put_file(
    api: Api,
    world: World,
    content: bytes,
    who: Principal | None = None,
    *,
    digest: str | None = None,
    headers: dict[str, str] | None = None,
    inspection: object = None,
) -> httpx.Response:
    """The inspector, or `who`, hands `content` in for the world's inspection."""
    actor = api.as_(who or world.inspector)
    return await api.http.put(
        f"/api/v1/evidence/{digest or digest_of(content)}",
        params={"inspection_id": str(inspection or world.inspection)},
        content=content,
        headers={**actor.bearer(), **(headers or {})},
    )


async def put_part(
    api: Api, world: World, whole: bytes, start: int, end: int, who: Principal | None = None
) -> httpx.Response:
    """One part of `whole`."""
    place = {"Content-Range": f"bytes {start}-{end - 1}/{len(whole)}"}
    return await put_file(api, world, whole[start:end], who, digest=digest_of(whole), headers=place)


async def read_file(
    api: Api, world: World, content: bytes, who: Principal | None = None, size: str | None = None
) -> httpx.Response:
    """The inspector, or `who`, looks at what was handed in."""
    path = f"/api/v1/evidence/{digest_of(content)}"
    return await api.as_(who or world.inspector).get(path, inspection_id=world.inspection, size=size)


async def evidence_traces(api: Api) -> list[dict[str, Any]]:
    """What the trace tells of evidence, oldest first."""
    return [row for row in await rows(api, "trace") if row["action"].startswith("evidence.")]


async def kept(api: Api) -> tuple[int, int, int]:
    """How many files, uses of them and traces there are."""
    counts = [len(await rows(api, table)) for table in ("evidence_file", "evidence")]
    return counts[0], counts[1], len(await evidence_traces(api))


async def has_blob(api: Api, key: str) -> bool:
    """Whether the store holds `key`."""
    return await api.parts.blobs.find(key) is not None


async def refer(api: Api, inspection: UUID, *contents: bytes, by_enterprise: bool = False) -> None:
    """An answer, say, names these files."""

    async def operation(tx: Transaction) -> Outcome[None]:
        digests = [bytes.fromhex(digest_of(content)) for content in contents]
        await operations.require_evidence(tx, inspection, digests, field="photos", by_enterprise=by_enterprise)
        return Outcome(answer=None)

    await api.parts.work.run(INSTALLATION, operation)
