"""文本模板 over HTTP and from the command line: read, filled, and refused when values do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from api.message_commands import messages_group
from notifications.templates import names
from tests.support.client import Api, refused
from tests.support.factories import World

PATH = "/api/v1/message-templates"


async def test_the_office_reads_all_templates(api: Api, world: World) -> None:
    for who in (world.lead, world.administrator):
        answer = await api.as_(who).get(PATH)
        assert answer.status_code == 200
        items = answer.json()["items"]
        assert [item["name"] for item in items] == list(names())
    (order,) = [item for item in items if item["name"] == "order_issued"]
    assert (order["purpose"], order["purpose_label"], order["channels"]) == (
        "legal_notice", "法定告知", ["sms", "email"]
    )  # fmt: skip
    assert (await api.as_(world.inspector).get(PATH)).status_code == 403


async def test_every_template_is_shown_with_its_examples_and_cost(api: Api, world: World) -> None:
    for name in names():
        answer = await api.as_(world.lead).get(f"{PATH}/{name}")
        assert answer.status_code == 200
        versions = answer.json()["versions"]
        newest = versions[0]
        assert [each["version"] for each in versions] == list(range(newest["version"], 0, -1))
        for text in newest["composed"]:
            assert text["text"]
            if text["channel"] == "sms":
                assert text["segments"] <= newest["segments"]
                assert text["encoding"] == "ucs2"


async def test_a_preview_takes_ones_own_values(api: Api, world: World) -> None:
    order = {"channel": "sms", "values": {"minutes": "3", "code": "000000"}}
    answer = await api.as_(world.lead).post(f"{PATH}/phone_code/preview", order, key="")
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["text"].startswith("【一码】验证码000000，3分钟内有效")
    assert (shown["units"], shown["segments"]) == (len(shown["text"]), 1)


@pytest.mark.parametrize(
    ("name", "order", "status", "problem", "field"),
    [
        ("no_such", {"channel": "sms"}, 404, "not-found", None),
        ("phone_code", {"channel": "sms", "version": 99}, 404, "not-found", None),
        ("phone_code", {"channel": "email"}, 422, "invalid-field", "channel"),
        ("phone_code", {"channel": "sms", "values": {"minute": "3"}}, 422, "template-values-unfit", "values"),
        ("phone_code", {"channel": "sms", "values": {"minutes": ""}}, 422, "template-values-unfit", "values"),
        ("phone_code", {"channel": "sms", "values": {"minutes": "x" * 500}}, 422, "template-values-unfit", "values"),
        ("phone_code", {"channel": "pigeon"}, 422, "invalid-field", "channel"),
        ("phone_code", {"channel": "sms", "values": {"minutes": 3}}, 422, "invalid-field", "values[...]"),
    ],
)
async def test_what_does_not_fit_is_named(
    api: Api, world: World, name: str, order: dict[str, object], status: int, problem: str, field: str | None
) -> None:
    answer = await api.as_(world.lead).post(f"{PATH}/{name}/preview", order, key="")
    refused(answer, status, problem, field)


def test_the_command_line_shows_text_cost_and_lengths(tmp_path: Path) -> None:
    page = tmp_path / "mail.html"
    shown = CliRunner().invoke(messages_group, ["preview", "order_issued", "--html", str(page)])
    assert shown.exit_code == 0, shown.output
    assert "[短信]  ucs2，" in shown.output
    assert "1条" in shown.output
    assert "department  4/12字" in shown.output
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_the_command_line_lists_and_refuses() -> None:
    listed = CliRunner().invoke(messages_group, ["preview"])
    assert [line.split()[0] for line in listed.output.splitlines()] == list(names())
    for wrong in (["no_such"], ["phone_code", "--set", "minute=3"], ["phone_code", "--set", "x"]):
        told = CliRunner().invoke(messages_group, ["preview", *wrong])
        assert told.exit_code != 0
        assert "Traceback" not in told.output
    unset = CliRunner().invoke(messages_group, ["preview", "phone_code", "--set", "minute=3"])
    assert "没有该变量：minute" in unset.output
