"""The AsyncAPI document of the live channel: what a lead's screen receives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from api.contract.openapi import MissingExample, Node, add_formats
from api.live.actions import LIVE_EVENTS, facts_of
from api.live.model import Closing, FeedEvent, Heartbeat, Ready
from api.live.snapshot import SnapshotFrame
from domain.shared.events import Event

_FRAMES: Final = {"ready": Ready, "snapshot": SnapshotFrame, "heartbeat": Heartbeat, "closing": Closing}
"""Every frame that is no event, by its `type`."""
_ROLES: Final = ["department_manager", "inspector", "lead"]

_CHANNEL = """
现场动态: inspections and what follows from them, in order of position, within the caller's scope: a lead sees the own
region and all below it, a department manager what the own department takes part in, an inspector the own inspections.
`?region=`, `?department=` and `?scene=` narrow that; what lies outside of it is refused.

1. Connect to `/api/v1/live` with an access token: as `Authorization: Bearer <token>`, or, since a browser cannot set
   that header on a WebSocket, as the subprotocol `bearer.<token>`, which the server then echoes.
2. The first frame is `ready` with the position from which the feed goes on. Without `?after=` a `snapshot` follows, in
   pages: what is under way today as of that position, and the warnings of what is overdue that stand. What happened
   just after it may stand in it already.
3. Each `event` bears a position. Keep the last one: after any break, connect again with `?after=<position>` and what
   was missed comes first, without gap and without repetition. A position becomes good with the last page of a
   snapshot; whose connection broke before that comes again without `after`.
4. A position that is too far behind, or none of ours, is answered by a `snapshot`, which says so in `reason`.
5. After 20 s in which nothing happened a `heartbeat` comes; its position may be kept, too. A client that hears nothing
   for 45 s should connect anew.
6. After any break wait about two seconds, by chance more or less, before connecting again.

Warnings (期限预警) of yellow, orange and red come as `deadline.warned`, and those that stand are in the snapshot. A
blue one (level 4) is in-app only: it comes neither way, and is found in the inbox. A later `deadline.warned` of the
same `subject_id` takes the place of an earlier one. That a matter is done is told by the acts on the matter itself,
where those are told live; for the others a screen that shows warnings asks `listDeadlines` when it is opened, and at
the most every minute.

In-app messages have no frame of their own, and are never sent here. A screen that shows how many are unread asks
`countMessages` when it is opened, after an event that it receives (at most every few seconds), and when a heartbeat
comes: what is written for somebody without an event of theirs is counted then.

What a client says is not listened to. A caller without the right is refused before the upgrade, as a problem
(`not-signed-in`, `forbidden`, `token-invalid`, `token-expired`, `invalid-field`; `too-many-connections` beyond eight
of one account at one server process).

Where a proxy breaks WebSockets, `GET /api/v1/live/events` sends the same frames as server-sent events: the type is the
event's name, the position its id, and `Last-Event-ID` resumes. There a heartbeat is a comment, and what a WebSocket
tells by its close code is the last event, `closing`.
""".strip()
_CLOSE_CODES: Final = [
    {"code": 4400, "meaning": "`after` is not a whole number. Come again without it, or with a position."},
    {"code": 4401, "meaning": "The access token's time is over. Refresh it, and resume with the last position."},
    {"code": 4408, "meaning": "The client read too slowly. Resume with the last position."},
    {"code": 1012, "meaning": "The server restarts. Resume with the last position after a moment."},
    {"code": 1011, "meaning": "A defect of ours, or the database is away. Resume after a moment."},
]


def asyncapi_document(version: str, examples: Mapping[str, Any]) -> Node:
    """The document, with `examples` by name (`live.<action>`). Raises `MissingExample`."""
    described = [(f"live.{name}", name, frame) for name, frame in _FRAMES.items()]
    described += [(f"live.{kind.action}", kind.action, _event_frame(kind)) for kind in LIVE_EVENTS]
    schemas, components = msgspec.json.schema_components(
        [frame for _, _, frame in described], ref_template="#/components/schemas/{name}"
    )
    add_formats(components)
    messages: Node = {
        name: {
            "name": name,
            "summary": (frame.__doc__ or "").strip(),
            "contentType": "application/json",
            "payload": schema,
            "examples": [{"name": name, "payload": _example(examples, file)}],
        }
        for (file, name, frame), schema in zip(described, schemas, strict=True)
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Yima 一码, live", "version": version, "description": _CHANNEL},
        "defaultContentType": "application/json",
        "servers": {
            "installation": {
                "host": "{host}",
                "protocol": "wss",
                "description": "The installation that serves the API; `ws` where it runs without TLS.",
                "variables": {"host": {"default": "127.0.0.1:8000"}},
                "security": [{"$ref": "#/components/securitySchemes/bearer"}],
            }
        },
        "channels": {"live": _channel(messages)},
        "operations": {"watchLive": _watch(messages)},
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "messages": messages,
            "schemas": components,
        },
    }


def _event_frame(kind: type[Event]) -> type[msgspec.Struct]:
    """The frame of one act: as every event's, but that action, subject and facts are told exactly."""
    exact: dict[str, Any] = {
        "action": Literal[kind.action],  # type: ignore[valid-type] - made for its schema alone
        "subject": Literal[kind.subject],  # type: ignore[valid-type] - likewise
        "facts": facts_of(kind),
    }
    fields = [(name, exact.get(name, _FIELDS[name])) for name in FeedEvent.__struct_fields__]
    event = msgspec.defstruct(f"Live{kind.__name__}", fields, kw_only=True, frozen=True)
    event.__doc__ = FeedEvent.__doc__
    frame = msgspec.defstruct(f"Live{kind.__name__}Frame", [("event", event)], tag_field="type", tag="event")
    frame.__doc__ = (kind.__doc__ or "").strip().partition("\n")[0]
    return frame


_FIELDS: Final[Mapping[str, Any]] = {
    "position": int,
    "at": datetime,
    "subject_id": UUID,
    "inspection_id": UUID | None,
    "scene": str | None,
    "region": str | None,
    "department_id": UUID | None,
    "site_id": UUID | None,
    "operator": str,
    "action": str,
    "subject": str,
    "facts": Any,
}


def _example(examples: Mapping[str, Any], file: str) -> Any:
    if file not in examples:
        raise MissingExample(f"mobile_contract/examples/{file}.json")
    return examples[file]


def _channel(messages: Node) -> Node:
    return {
        "address": "/api/v1/live",
        "title": "现场动态",
        "description": _CHANNEL,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": {
                        "after": {
                            "type": "integer",
                            "format": "int64",
                            "minimum": 0,
                            "description": "Go on after this position.",
                        },
                        "region": {"type": "string", "pattern": "^[0-9]{6}$", "description": "行政区划代码."},
                        "department": {"type": "string", "format": "uuid", "description": "部门."},
                        "scene": {"type": "string", "pattern": "^S[0-9]{2}$", "description": "场景."},
                    },
                },
                "headers": {
                    "type": "object",
                    "properties": {
                        "Authorization": {"type": "string", "pattern": "^Bearer "},
                        "Sec-WebSocket-Protocol": {"type": "string", "pattern": r"^bearer\."},
                    },
                },
            }
        },
        "x-yima-close-codes": _CLOSE_CODES,
    }


def _watch(messages: Node) -> Node:
    return {
        "action": "send",
        "channel": {"$ref": "#/channels/live"},
        "summary": "The server sends; the client listens.",
        "messages": [{"$ref": f"#/channels/live/messages/{name}"} for name in messages],
        "x-yima-roles": _ROLES,
    }
