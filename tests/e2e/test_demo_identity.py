"""智桂通 in the demonstration: the tokens of `var/demo.json` open its doors, over real HTTP on this machine."""

from __future__ import annotations

from pathlib import Path

import msgspec

from api.demo.facts import DemoFacts, prepare_demo
from api.settings import Settings
from domain.shared.clock import local_date
from tests.support.client import Api, api_client, refused
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import NOW

CLAIMS, LOG_IN, MEMBERS = "/api/v1/enterprise-claims", "/api/v1/sessions/zhiguitong", "/api/v1/enterprise-members"


async def claimed(api: Api, facts: DemoFacts) -> dict[str, str]:
    """The header of a 法定代表人 who has just claimed their enterprise."""
    legal = facts.zhiguitong["legal1"]
    answer = await api.anyone.post(CLAIMS, {"token": legal.token, "uscc": legal.uscc}, key="")
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['session']['access_token']}"}


async def test_a_representative_claims_and_invites_and_the_assistant_joins(
    database: Database, tmp_path: Path, keys_folder: Path
) -> None:
    settings = Settings(var=tmp_path, keys=keys_folder, public_url="http://yima.test", demo=True)
    path = tmp_path / "demo.json"
    async with api_client(settings, database.dsn, FixedClock(NOW)) as api:
        facts = await prepare_demo(
            api.parts, path, base_url="http://yima.test", public_url="http://yima.test", today=local_date(NOW)
        )
        # A service that started before the demonstration was made knows nobody.
        refused(
            await api.anyone.post(LOG_IN, {"token": facts.zhiguitong["legal1"].token}, key=""),
            401,
            "identity-token-invalid",
            "token",
        )
    assert msgspec.json.decode(path.read_bytes(), type=DemoFacts).zhiguitong == facts.zhiguitong
    assert len(facts.zhiguitong) == 4

    async with api_client(settings, database.dsn, FixedClock(NOW)) as api:
        manager = await claimed(api, facts)
        body = {"name": "韦小助", "phone": "13900000001", "post": "clerk"}
        answer = await api.http.post(MEMBERS, json=body, headers={**manager, "Idempotency-Key": "invite-the-assistant"})
        assert answer.status_code == 201, answer.text
        joined = await api.anyone.post(LOG_IN, {"token": facts.zhiguitong["assistant"].token}, key="")
        assert joined.json()["session"]["account"]["enterprise_post"] == "clerk"
