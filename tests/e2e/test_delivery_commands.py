"""`yima messages`: what was given up, how one message fared, putting back; and how many workers are started."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner, Result

from api.delivery.engine import deliver
from api.delivery.receipts import take_receipts
from api.message_commands import messages_group
from api.processes import children_of
from api.settings import SettingsError, read_settings
from api.wiring import Parts
from notifications.outcome import Reason
from notifications.sms.port import ReceiptNote, ReceiptState
from tests.support.database import Database
from tests.support.sending import OFFICER_PHONE, FakeProvider, by_sms, refusal, waiting_messages

Yima = Callable[..., Awaitable[Result]]


@pytest.fixture
def yima(database: Database, keys_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yima:
    """The command, as whoever looks after this database calls it."""
    monkeypatch.setenv("DATABASE_URL", database.dsn)
    monkeypatch.setenv("YIMA_KEYS", str(keys_folder))
    monkeypatch.setenv("YIMA_VAR", str(tmp_path))

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, messages_group, list(arguments))

    return run


async def test_what_was_given_up_is_listed_shown_and_put_back(parts: Parts, yima: Yima) -> None:
    refused, sent = await waiting_messages(parts, 2)
    provider = FakeProvider(refusals=[refusal(Reason.BAD_ADDRESS)])
    for message in (refused, sent):
        await deliver(parts, by_sms(provider), message)
    told = ReceiptNote(
        attempt_id=provider.taken[0].reference,
        provider="first",
        provider_reference=None,
        state=ReceiptState.DELIVERED,
        provider_status="DELIVRD 000",
        at=parts.clock(),
    )
    await take_receipts(parts, [told])

    listed = await yima("list", "--reason", "bad_address")
    assert listed.exit_code == 0, listed.output
    assert str(refused) in listed.output
    assert str(sent) not in listed.output
    assert "号码或邮箱无效" in listed.output

    shown = await yima("show", str(sent))
    assert [word in shown.output for word in ("已送达", "DELIVRD 000", "138****0001", "已受理")] == [True] * 4
    assert OFFICER_PHONE not in shown.output
    assert "自查" not in shown.output
    assert "未受理" in (await yima("show", str(refused))).output

    retried = await yima("retry", "--template", "hazard_overdue", "--since", "2020-01-01")
    assert retried.exit_code == 0, retried.output
    assert "共放回 1 条" in retried.output
    assert "0 条" in (await yima("list")).output
    await deliver(parts, by_sms(provider), refused)
    assert len(provider.taken) == 2


@pytest.mark.usefixtures("parts")
async def test_a_command_that_cannot_be_meant_changes_nothing_and_says_why(yima: Yima) -> None:
    nothing = await yima("retry")
    assert (nothing.exit_code, "--all" in nothing.output) == (2, True)
    unknown = await yima("retry", "--reason", "bad_weather")
    assert (unknown.exit_code, "provider_away" in unknown.output) == (2, True)
    assert (await yima("retry", "--since", "yesterday")).exit_code == 2
    assert (await yima("show", str(uuid4()))).exit_code == 1
    assert "共放回 0 条" in (await yima("retry", "--all")).output


def test_as_many_workers_are_started_as_are_set(tmp_path: Path) -> None:
    settings = read_settings({"YIMA_VAR": str(tmp_path), "YIMA_WORKERS": "3"})
    complete = msgspec.structs.replace(settings, database_url="postgresql://127.0.0.1/none")
    assert read_settings(complete.environment()).workers == 3
    with socket.create_server(("127.0.0.1", 0)) as listening:
        names = [child.name for child in children_of(complete, listening.fileno())]
    assert names == ["server 1", "worker 1", "worker 2", "worker 3", "relay"]
    for broken in ("0", "17", "many"):
        with pytest.raises(SettingsError):
            read_settings({"YIMA_WORKERS": broken})
