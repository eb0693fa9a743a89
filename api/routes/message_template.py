"""文本模板: what messages say, for the office to read and to try out (UTL-03)."""

from __future__ import annotations

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from api.auth import permit
from api.schemas.message_template import (
    MessageTemplateDetail,
    MessageTemplateList,
    TemplatePreviewOrder,
    to_detail,
    to_list,
)
from api.template_previews import ComposedText, compose, examples, find_template
from domain.identity.model import Role

_READERS = (Role.LEAD, Role.ADMINISTRATOR)


@get("/message-templates", opt=permit(*_READERS), operation_id="listMessageTemplates")
async def list_message_templates() -> MessageTemplateList:
    """文本模板列表: each with its current version, what it is for, and by which channels it goes."""
    return to_list()


@get("/message-templates/{name:str}", opt=permit(*_READERS), operation_id="readMessageTemplate")
async def read_message_template(name: FromPath[str]) -> MessageTemplateDetail:
    """文本模板: all versions, the current one first, with variables, texts and what comes of them with the examples."""
    return to_detail(find_template(name).name)


@post(
    "/message-templates/{name:str}/preview",
    status_code=HTTP_200_OK,
    opt=permit(*_READERS),
    operation_id="previewMessageTemplate",
)
async def preview_message_template(name: FromPath[str], data: JSONBody[TemplatePreviewOrder]) -> ComposedText:
    """模板预览: the text that these values make, with encoding and segments. Nothing is stored, nothing is sent."""
    template = find_template(name, data.version)
    return compose(template, data.channel, {**examples(template), **data.values})


message_template_router = Router(
    "/", route_handlers=[list_message_templates, read_message_template, preview_message_template], tags=["message"]
)
