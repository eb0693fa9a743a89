"""投诉 and 举报 by plain forms, as a browser without JavaScript sends them: nothing typed is ever lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx
import msgspec
import pytest

from domain.complaint.model import CONSENT_VERSION
from tests.support.citizens import PHONE, code_of, solve
from tests.support.client import Api
from tests.support.complaining import COMPLAINT, NAME, TEXT, TIP_OFF, complain, detail, handled, listed, tip_off
from tests.support.factories import World
from tests.support.inspecting import photo
from tests.support.visits import rows

_INPUT = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
FOLLOW_UP = "/complaints/follow-up"


def hidden(page: str) -> dict[str, Any]:
    """The hidden fields of a page's (last) form, values of one name together."""
    found: dict[str, Any] = {}
    for name, value in _INPUT.findall(page.rpartition("<form")[2]):
        kept = found.setdefault(name, [])
        kept.append(unescape(value))
    return found


async def send(
    api: Api, path: str, page: str, typed: Mapping[str, Any], *photos: bytes, act: str = "submit"
) -> httpx.Response:
    """Fill `typed` into the page's form and press a button."""
    files = [("photos", (f"../../{place}.jpg", content, "image/jpeg")) for place, content in enumerate(photos)]
    empty = [("photos", ("", b"", "application/octet-stream"))]
    response = await api.http.post(path, data={**hidden(page), **typed, "act": act}, files=files or empty)
    assert response.headers["content-type"].startswith("text/html"), response.text
    assert response.status_code < 500, response.text
    assert "script-src" not in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    return response


def told(**changes: str) -> dict[str, str]:
    """What a citizen types, or what `changes` make of it."""
    return {
        "type": "food_safety",
        "description": TEXT,
        "happened_on": "2026-08-03",
        "place": "大厅靠窗",
        "wish": "退款<并>道歉",
        "name": NAME,
        "phone": PHONE,
        "consent_version": CONSENT_VERSION,
        **changes,
    }


async def open_form(api: Api, path: str) -> str:
    """The empty form."""
    response = await api.http.get(path)
    assert response.status_code == 200, response.text
    assert "<script" not in response.text
    assert len(response.content) < 15_000
    return response.text


async def newest_code(api: Api) -> str:
    """The code that was sent last."""
    sent = (await rows(api, "phone_verification"))[-1]
    return await code_of(api, str(sent["id"]))


def query_code(page: str) -> str:
    """Off the receipt."""
    found = re.search(r'<p class="code">([^<]+)</p>', page)
    assert found is not None, page
    return found[1].replace(" ", "")


async def test_a_complaint_by_form_with_a_code_and_a_photo(api: Api, world: World) -> None:
    path = f"/c/{world.code}/complaint"
    page = await open_form(api, path)
    assert "南宁市老友餐饮有限公司" in page
    sent = await send(api, path, page, told(), photo(5), act="send_code")
    assert sent.status_code == 200
    for kept in ("验证码已发送", TEXT, NAME, PHONE, "大厅靠窗", "退款&lt;并&gt;道歉", "已上传1个"):
        assert kept in sent.text
    wrong = await send(api, path, sent.text, told(code="000000" if await newest_code(api) != "000000" else "1"))
    assert (wrong.status_code, "验证码不正确" in wrong.text) == (422, True)
    typed = told(code=await newest_code(api), description="短")
    short = await send(api, path, wrong.text, typed)
    assert short.status_code == 422
    assert 'href="#description"' in short.text
    assert 'aria-describedby="description-error"' in short.text
    assert "手机号已验证" in short.text
    assert all("全国12315平台" in each for each in (page, sent.text, wrong.text, short.text))
    done = await send(api, path, short.text, told())
    assert done.status_code == 201, done.text
    assert "SJ01-2026-TS-000001" in done.text
    assert "https://www.12315.cn/" in done.text
    (line,) = await listed(api, world.lead, COMPLAINT)
    shown = await detail(api, world.lead, COMPLAINT, line["id"])
    assert (len(shown["attachments"]), shown["narrative"]["wish"]) == (1, "退款<并>道歉")
    again = await send(api, path, short.text, told())
    assert query_code(again.text) == query_code(done.text)
    assert len(await rows(api, "complaint")) == 1


async def test_likely_duplicates_are_told_before_it_is_sent(api: Api, world: World) -> None:
    await complain(api, world, "13877155556")
    path = f"/c/{world.code}/complaint"
    sent = await send(api, path, await open_form(api, path), told(), act="send_code")
    assert "有1件投诉可能与您说的是同一件事" in sent.text


async def test_a_tip_off_by_form_is_anonymous_and_followed_by_its_code(api: Api, world: World) -> None:
    path = f"/c/{world.code}/tip-off"
    page = await open_form(api, path)
    done = await send(api, path, page, told(name="", phone=""), photo(6))
    assert done.status_code == 201, done.text
    assert "12315" not in done.text
    code = query_code(done.text)
    seen = await send(api, FOLLOW_UP, await open_form(api, FOLLOW_UP), {"query_code": code.lower()}, act="read")
    assert seen.status_code == 200
    assert "已收到" in seen.text
    added = await api.http.post(FOLLOW_UP, data={**hidden(seen.text), "act": "supplement", "text": "补充：还有蟑螂。"})
    assert "补充材料已收到" in added.text
    assert "还有蟑螂" in added.text
    gone = await api.http.post(FOLLOW_UP, data={**hidden(added.text), "act": "withdraw"})
    assert "已撤回" in gone.text
    assert (await listed(api, world.lead, TIP_OFF, state="withdrawn"))[0]["state"] == "withdrawn"


@pytest.mark.parametrize("what", ["complaint", "tip-off"])
async def test_a_site_found_by_search_is_complained_of_by_form_too(api: Api, world: World, what: str) -> None:
    found = await api.http.get(f"/e/{world.enterprise.uscc}")
    path = f"/s/{world.site.id}/{what}"
    assert f'href="{path}"' in found.text
    page = await open_form(api, path)
    assert f'action="{path}"' in page
    if what == "tip-off":
        done = await send(api, path, page, told(name="", phone=""))
        assert done.status_code == 201, done.text
        (row,) = await rows(api, "tip_off")
        assert row["site_id"] == world.site.id
    else:
        sent = await send(api, path, page, told(), act="send_code")
        assert "验证码已发送" in sent.text
    assert (await api.http.get(f"/s/{world.enterprise.id}/{what}")).status_code == 404


async def test_a_form_with_something_wrong_comes_back_as_it_was(api: Api, world: World) -> None:
    path = f"/c/{world.code}/tip-off"
    page = await open_form(api, path)
    anonymous = {"name": "", "phone": ""}
    for field, value in (
        ("type", "unheard"),
        ("happened_on", "gestern"),
        ("happened_on", "2027-01-01"),
        ("consent_version", ""),
        ("name", NAME),
    ):
        refused = await send(api, path, page, told(**{**anonymous, field: value}))
        assert refused.status_code in {403, 422}, field
        assert f"#{'phone' if field == 'name' else field}" in refused.text
        assert TEXT in refused.text
    huge = await send(api, path, page, told(**anonymous), b"not a picture at all")
    assert huge.status_code == 415
    assert TEXT in huge.text
    assert await rows(api, "tip_off") == []


async def test_a_form_that_must_wait_loses_nothing(api: Api, world: World) -> None:
    for _ in range(6):
        await tip_off(api, world)
    path = f"/c/{world.code}/tip-off"
    form = {**hidden(await open_form(api, path)), **told(name="", phone=""), "act": "submit"}
    files = [("photos", ("a.jpg", photo(7), "image/jpeg"))]
    waiting = await api.http.post(path, data=form, files=files)
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 0
    kept = hidden(waiting.text)
    assert kept["description"] == [TEXT]
    assert len(kept["photos_digest"]) == 1
    posed = re.search(r'data-challenge="([^"]+)"', waiting.text)
    assert posed is not None
    proof = solve(msgspec.json.decode(unescape(posed[1])))
    done = await api.http.post(path, data={**kept, "proof": proof})
    assert done.status_code == 201, done.text
    assert len(await rows(api, "tip_off")) == 7


async def test_a_lost_or_unreadable_form_is_told_kindly(api: Api, world: World) -> None:
    path = f"/c/{world.code}/tip-off"
    broken = await api.http.post(path, content=b"x", headers={"Content-Type": "multipart/form-data; boundary="})
    assert (broken.status_code, broken.headers["content-type"]) == (400, "text/html; charset=utf-8")
    bare = await api.http.post(path, data={"act": "submit"})
    assert bare.status_code == 422
    for unknown in ("/c/nonsense/complaint", f"/c/{'0' * 31}/tip-off"):
        assert (await api.http.get(unknown)).status_code == 404
        assert (await api.http.post(unknown, data={})).status_code == 404
    lost = await api.http.post(FOLLOW_UP, data={"query_code": "0" * 12})
    assert lost.status_code == 404
    assert "没有查到" in lost.text


async def test_a_complaint_is_followed_and_reopened_by_form(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    await handled(api, world, COMPLAINT, receipt["id"])
    form = await open_form(api, FOLLOW_UP)
    code = {"query_code": receipt["query_code"]}
    refused = await send(api, FOLLOW_UP, form, code, act="read")
    assert (refused.status_code, "后4位" in refused.text) == (403, True)
    seen = await send(api, FOLLOW_UP, form, {**code, "phone_tail": PHONE[-4:]}, act="read")
    assert "已责令商家退款" in seen.text
    assert "2026-08-20前" in seen.text
    fields = {**hidden(seen.text), "act": "reopen", "reason": "钱没有退"}
    reopened = await api.http.post(FOLLOW_UP, data=fields)
    assert "已申请重新办理" in reopened.text
    again = await api.http.post(FOLLOW_UP, data={**fields, "key": "another-key-1"})
    assert (again.status_code, "已申请过一次" in again.text) == (409, True)


async def test_the_public_page_counts_what_is_concluded_and_only_that(api: Api, world: World) -> None:
    first = await complain(api, world)
    await handled(api, world, COMPLAINT, first["id"])
    url = f"/api/v1/codes/{world.code}"
    before = (await api.http.get(url)).text
    lead = api.as_(world.lead)
    where = f"/api/v1/grievances/complaint/{first['id']}"
    assert (await lead.post(f"{where}/steps", {"step": "close"})).status_code == 201
    api.forget()
    after = (await api.http.get(url)).text
    assert before != after
    assert TEXT not in after
    assert (await lead.post(f"{where}/abuse-marks", {"is_suspected": True, "reason": "恶意"})).status_code == 201
    api.forget()
    assert (await api.http.get(url)).text == before
