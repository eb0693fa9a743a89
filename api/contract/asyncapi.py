"""The AsyncAPI document of the live channel: what a lead's screen receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.contract.openapi import Node, add_formats
from api.routes.live import EventFrame, Heartbeat, Ready

FRAMES: Final = {"ready": Ready, "event": EventFrame, "heartbeat": Heartbeat}
"""Every frame that the server sends, by its `type`."""

_CHANNEL = """
现场动态: check-ins and what follows them, in order of position, within the caller's region (lead) or department
(department manager).

1. Connect to `/api/v1/live` with an access token: as `Authorization: Bearer <token>`, or, since a browser cannot set
   that header on a WebSocket, as the subprotocol `bearer.<token>`, which the server then echoes.
2. The first frame is `ready` with the position from which the feed goes on.
3. Each `event` bears a position. Keep the last one: after any break, connect again with `?after=<position>` and what
   was missed comes first, without gap and without repetition.
4. After 20 s in which nothing happened a `heartbeat` comes. A client that hears nothing for 45 s should connect anew.

What a client says is not listened to. A caller without the right is refused before the upgrade, as a problem
(`not-signed-in`, `forbidden`, `token-invalid`, `token-expired`).
""".strip()
_CLOSE_CODES: Final = [
    {"code": 4400, "meaning": "`after` is not a whole number. Come again without it, or with a position."},
    {"code": 4401, "meaning": "The access token's time is over. Refresh it, and resume with the last position."},
    {"code": 4408, "meaning": "The client read too slowly. Resume with the last position."},
    {"code": 1011, "meaning": "A defect of ours, or the database is away. Resume after a moment."},
]


def asyncapi_document(version: str, examples: Mapping[str, Any]) -> Node:
    """The document, with `examples` by name (`live.event`)."""
    schemas, components = msgspec.json.schema_components(FRAMES.values(), ref_template="#/components/schemas/{name}")
    add_formats(components)
    messages: Node = {
        name: {
            "name": name,
            "summary": (frame.__doc__ or "").strip(),
            "contentType": "application/json",
            "payload": schema,
            "examples": [{"name": name, "payload": examples[f"live.{name}"]}],
        }
        for (name, frame), schema in zip(FRAMES.items(), schemas, strict=True)
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
        "channels": {"live": _channel()},
        "operations": {"watchLive": _watch()},
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "messages": messages,
            "schemas": components,
        },
    }


def _channel() -> Node:
    return {
        "address": "/api/v1/live",
        "title": "现场动态",
        "description": _CHANNEL,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in FRAMES},
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
                        }
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


def _watch() -> Node:
    return {
        "action": "send",
        "channel": {"$ref": "#/channels/live"},
        "summary": "The server sends; the client listens.",
        "messages": [{"$ref": f"#/channels/live/messages/{name}"} for name in FRAMES],
        "x-yima-roles": ["department_manager", "lead"],
    }
