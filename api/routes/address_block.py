"""退订 and 黑名单 (addresses to which not everything is sent), and what phones answer to messages."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api import address_blocks
from api.auth import permit, permit_anyone, principal_of
from api.guesses import Guesses
from api.register import INSTALLATION
from api.schemas.address_block import BlockLookup, BlockOrder, BlockPage, to_block_line
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Role
from domain.shared.errors import NotFound
from notifications.blocks import BlockKind
from notifications.sms.kannel import incoming_text

_ANSWER_BYTES: Final = 16 * 1024
_READ_BYTES: Final = 1000
"""Words that end messages are short."""
_OFFICE = (Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ADMINISTRATOR)


@get("/address-blocks", opt=permit(Role.ADMINISTRATOR), operation_id="listAddressBlocks")
async def list_address_blocks(
    parts: NamedDependency[Parts],
    kind: FromQuery[BlockKind | None] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> BlockPage:
    """退订, 黑名单 and mail that came back: what stands, the newest first."""
    page = {"before_id": read_cursor(cursor, LAST_ID), "limit": limit + 1}
    async with parts.work.reading() as connection:
        if kind is None:
            rows = await address_blocks.ALL_STANDING.all(connection, **page)
        else:
            rows = await address_blocks.STANDING_OF_KIND.all(connection, kind=kind, **page)
    shown, more = cut(rows, limit, lambda row: row.id)
    return BlockPage(items=[to_block_line(row) for row in shown], next_cursor=more)


@post("/address-blocks/lookups", status_code=HTTP_200_OK, opt=permit(*_OFFICE), operation_id="findAddressBlocks")
async def find_address_blocks(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[BlockLookup]
) -> BlockPage:
    """What stands against one address, for whoever knows it; nothing is changed.

    Who keeps asking about addresses against which nothing stands is trying numbers out: 429 for a while.
    """
    guesses: Guesses = request.app.state.guesses
    asker = principal_of(request).account_id.bytes
    guesses.require_room(asker, parts.clock())
    async with parts.work.reading() as connection:
        found = await address_blocks.find_standing(connection, parts.vault, data.channel, data.address)
    if not found:
        guesses.note_wrong(asker, parts.clock())
    return BlockPage(items=[to_block_line(each) for each in found], next_cursor=None)


@post("/address-blocks", status_code=HTTP_201_CREATED, opt=permit(*_OFFICE), operation_id="blockAddress")
async def block_address(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[BlockOrder]
) -> Response[bytes]:
    """退订 as somebody asks the office for it; 列入黑名单 is the administrator's."""
    answer = await parts.work.submit(
        submission,
        lambda tx: address_blocks.block_address(
            tx, submission.principal, data.channel, data.address, data.kind, data.note
        ),
    )
    return respond(answer)


@post(
    "/address-blocks/{block_id:uuid}/lifting",
    status_code=HTTP_201_CREATED,
    opt=permit(*_OFFICE),
    operation_id="liftAddressBlock",
)
async def lift_block(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], block_id: FromPath[UUID]
) -> Response[bytes]:
    """解除."""
    answer = await parts.work.submit(
        submission, lambda tx: address_blocks.lift_block(tx, submission.principal, block_id)
    )
    return respond(answer)


@post(
    "/message-receipts/kannel/incoming/{secret:str}",
    status_code=HTTP_200_OK,
    opt=permit_anyone(),
    media_type=MediaType.TEXT,
    request_max_body_size=_ANSWER_BYTES,
    include_in_schema=False,
)
async def take_incoming(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    secret: FromPath[str],
    sender: Annotated[str, QueryParameter(name="from", max_length=40)] = "",
) -> str:
    """What a phone sent back, handed on by Kannel's `post-url` as a text in a body; TD or 退订 opts it out.

    The answer is empty: anything else would go to the phone as an SMS.
    """
    if not address_blocks.is_incoming_secret(parts.keys, secret):
        raise NotFound("没有该地址。")
    text = incoming_text(request.headers.get("content-type", ""), (await request.body())[:_READ_BYTES])
    await parts.work.run(INSTALLATION, lambda tx: address_blocks.take_answer(tx, sender, text))
    return ""


address_block_router = Router(
    "/",
    route_handlers=[list_address_blocks, find_address_blocks, block_address, lift_block, take_incoming],
    tags=["messages"],
)
