"""The OpenAPI document: Litestar tells the paths, msgspec the shapes, `OPERATIONS` what is refused.

Shapes come from msgspec because msgspec reads and writes what goes over the wire; Litestar's own reading of the same
types drops descriptions and lets a parameter's default leak into a shared schema.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from api.auth import permitted
from api.contract.headers import HEADERS, OF_CITIZENS, PARAMETERS, Node
from api.contract.operations import OPERATIONS
from api.contract.told import LINKSET, SIGNED_IN, Told
from api.problems import KINDS, MEDIA_TYPE, RETRY_AFTER, Kind, Problem, all_kinds

_SCHEMAS = "#/components/schemas/{name}"
_JSON = "application/json"
_STATUSES = {
    200: "成功 What was asked for.",
    201: "已受理 Stored; the answer holds the receipt.",
    202: "已收到部分 This part is here; more is to come.",
    204: "已完成 Done; there is nothing to say.",
    503: "Not ready; what is missing is false.",
}
_NO_SCHEMAS = frozenset({"properties", "enum", "const", "default", "required", "example", "examples"})
_TEXT: Node = {"type": "string"}
_LINK_TARGETS: Node = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["href"],
        "properties": {
            "href": {"type": "string", "format": "uri"},
            "type": _TEXT,
            "title": _TEXT,
            "hreflang": {"type": "array", "items": _TEXT},
        },
    },
}
_LINKSET_SCHEMA: Node = {
    "title": "Linkset",
    "description": "RFC 9264: what hangs on the code, exactly one of it by default (GS1 Digital Link).",
    "type": "object",
    "required": ["linkset"],
    "properties": {
        "linkset": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["anchor", "https://ref.gs1.org/voc/defaultLink"],
                "properties": {"anchor": {"type": "string", "format": "uri"}},
                "additionalProperties": _LINK_TARGETS,
            },
        }
    },
}
_TOLD_AS_PAGE = frozenset({404, 410})
"""What a browser at an operation that answers pages is told as a page, too."""
_TEXT_EXAMPLES = {
    "text/html": "<!doctype html><html lang=zh-CN><title>南宁邕江鲜面馆 · 一码</title>…</html>",
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 41 41">…</svg>',
}


class MissingExample(Exception):
    """An operation without its example file, or not told of in `OPERATIONS`; the message names it."""


def openapi_document(app: Litestar, examples: Mapping[str, Any]) -> Node:
    """The document of `app`, with `examples` by name (`checkIn.request`). Raises `MissingExample`."""
    plain: Node = app.openapi_schema.to_schema()
    shapes = _Shapes(app)
    paths: dict[str, Node] = {}
    for path, item in plain["paths"].items():
        for method, told_by_litestar in item.items():
            operation = _Operation(shapes, examples, told_by_litestar["operationId"])
            paths.setdefault(path, {})[method] = operation.describe(told_by_litestar)
    return {
        "openapi": "3.1.0",
        "info": {**plain["info"], "description": _DESCRIPTION},
        "servers": [{"url": "/", "description": "The installation that is asked."}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": shapes.components,
            "parameters": dict(PARAMETERS),
            "headers": dict(HEADERS),
            "examples": {kind.slug: {"summary": kind.title, "value": _plain_problem(kind)} for kind in all_kinds()},
        },
    }


_DESCRIPTION = (
    "One code, many readers: who is signed in decides what a scan shows. Every write is an ordinary request that may "
    "arrive twice, late, or after days offline; it carries an Idempotency-Key and is answered with a receipt. Every "
    "refusal is an RFC 9457 problem whose `type` is listed in problems.json. Times are RFC 3339 with offset, days "
    "`YYYY-MM-DD`, coordinates degrees with their datum. The live channel stands in asyncapi.json."
)


def handlers_by_operation(app: Litestar) -> dict[str, HTTPRouteHandler]:
    """The HTTP handlers that the contract shows, by operation id."""
    found: dict[str, HTTPRouteHandler] = {}
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                name = handler.operation_id
                if isinstance(name, str) and handler.resolve_include_in_schema():
                    found[name] = handler
    return found


class _Shapes:
    """The schemas of everything that goes in and out, and which operation has which."""

    def __init__(self, app: Litestar) -> None:
        self.handlers = handlers_by_operation(app)
        types: dict[str, Any] = {"problem": Problem}
        for name, handler in self.handlers.items():
            told = _told(name)
            body = handler.parsed_data_field
            if body is not None:
                types[f"{name}.request"] = body.annotation
            result = told.result or _answered(handler)
            if result is not None:
                types[f"{name}.response"] = result
            types.update({f"{name}.{status}": shape for status, shape in told.otherwise.items()})
            types.update({f"{name}?{choice.__name__}": choice for choice in _choices(handler)})
        schemas, components = msgspec.json.schema_components(types.values(), ref_template=_SCHEMAS)
        self.by_use: Mapping[str, Node] = dict(zip(types, schemas, strict=True))
        self.components: Node = dict(sorted({**components, "Linkset": _LINKSET_SCHEMA}.items()))
        add_formats(self.components)


def add_formats(schema: Any, name: str = "") -> None:
    """Complete `schema` in place: msgspec gives integers, floats and instants no format, and sets no order.

    An instant is known by its `name`, which the house ends in `_at`.
    """
    if isinstance(schema, list):
        for part in schema:
            add_formats(part, name)
    if not isinstance(schema, dict):
        return
    formats = {"integer": "int64", "number": "double"}
    if name == "at" or name.endswith("_at"):
        formats["string"] = "date-time"
    if schema.get("uniqueItems") and "default" in schema:
        schema["default"].sort()
    if schema.get("type") in formats and "enum" not in schema:
        schema.setdefault("format", formats[schema["type"]])
    for property_name, shape in schema.get("properties", {}).items():
        add_formats(shape, property_name)
    for key in schema.keys() - _NO_SCHEMAS:
        add_formats(schema[key], name)


def _told(name: str) -> Told:
    if name not in OPERATIONS:
        raise MissingExample(f"api/contract/operations.py says nothing of {name}")
    return OPERATIONS[name]


def _answered(handler: HTTPRouteHandler) -> Any:
    """What the signature says of a success; None when it answers without a body."""
    declared = handler.parsed_fn_signature.return_type
    if declared.annotation in {None, type(None)}:
        return None
    return declared.inner_types[0].annotation if declared.is_subclass_of(Response) else declared.annotation


def _choices(handler: HTTPRouteHandler) -> Iterator[type[enum.Enum]]:
    """The enums among the handler's parameters: Litestar refers to them as components of the document."""
    for field in handler.parsed_fn_signature.parameters.values():
        for shape in (field, *field.inner_types):
            if isinstance(shape.annotation, type) and issubclass(shape.annotation, enum.Enum):
                yield shape.annotation


class _Operation:
    """One operation on its way into the document."""

    def __init__(self, shapes: _Shapes, examples: Mapping[str, Any], name: str) -> None:
        self.name = name
        self.handler = shapes.handlers[name]
        self.told = _told(name)
        self._shapes = shapes
        self._examples = examples
        dependencies = self.handler.parsed_fn_signature.parameters
        self.is_of_citizen = "citizen_write" in dependencies
        self.is_keyed = "submission" in dependencies or self.is_of_citizen
        self.is_versioned = "if_match" in dependencies

    def describe(self, plain: Node) -> Node:
        """The whole of it, with `plain` as Litestar tells it."""
        words = inspect.cleandoc(self.handler.fn.__doc__ or "")
        operation: Node = {
            "tags": plain["tags"],
            "operationId": self.name,
            "summary": words.split(". ")[0].split("\n")[0].rstrip("."),
            "description": words,
            **self._security(),
        }
        parameters = self._parameters(plain.get("parameters", []))
        if parameters:
            operation["parameters"] = parameters
        if f"{self.name}.request" in self._shapes.by_use:
            operation["requestBody"] = {"required": True, "content": {_JSON: self._content("request")}}
        if self.told.body:
            content = {media: _file(media) for media in self.told.body}
            operation["requestBody"] = {"required": True, "content": content}
        operation["responses"] = self._responses()
        return operation

    def _security(self) -> Node:
        roles = permitted(self.handler.opt)
        if roles is not None:
            return {"security": [{"bearer": []}], "x-yima-roles": sorted(role.value for role in roles)}
        return {"security": [{}, {"bearer": []}] if self.told.knows_caller else []}

    def _parameters(self, plain: Sequence[Node]) -> list[Node]:
        """Litestar's, but for headers, which `PARAMETERS` has."""
        kept = [self._parameter(each) for each in plain if each["in"] != "header"]
        named = ["IdempotencyKey", "YimaAfter", "YimaDoneAt"] if self.is_keyed else []
        if self.is_of_citizen:
            named = ["IdempotencyKey", "YimaDoneAt", *OF_CITIZENS]
        named += ["IfMatch"] if self.is_versioned else []
        named += self.told.headers
        named += ["IfNoneMatch"] if self.told.is_conditional else []
        return [*kept, *({"$ref": f"#/components/parameters/{name}"} for name in named)]

    def _parameter(self, plain: Node) -> Node:
        """One of the path or query: never null, and with the default that Litestar puts elsewhere."""
        name: str = plain["name"]
        schema: Node = plain["schema"]
        choices = [shape for shape in schema.get("oneOf", schema.get("allOf", ())) if shape != {"type": "null"}]
        shape = {key: value for key, value in schema.items() if key not in {"oneOf", "allOf", "description"}}
        shape |= choices[0] if choices else {}
        default = next(
            (
                field.default
                for field in self.handler.parsed_fn_signature.parameters.values()
                if name in {field.name, getattr(field.kwarg_definition, "name", None)}
            ),
            None,
        )
        if isinstance(default, (str, int)):
            shape["default"] = default
        add_formats(shape, name)
        kept: Node = {key: plain[key] for key in ("name", "in", "required", "description") if key in plain}
        return {**kept, "schema": shape}

    def _example(self, use: str) -> Any:
        name = f"{self.name}.{use}"
        if name not in self._examples:
            raise MissingExample(f"mobile_contract/examples/{name}.json is missing")
        return self._examples[name]

    def _content(self, use: str) -> Node:
        return {"schema": self._shapes.by_use[f"{self.name}.{use}"], "example": self._example(use)}

    def _success(self) -> Node:
        status = int(self.handler.status_code)
        answer: Node = {"description": _STATUSES[status]}
        names = ["Idempotency-Replayed"] if self.is_keyed else []
        names += ["ETag"] if self.told.is_conditional else []
        headers = {name: name.replace("-", "") for name in (*names, *self.told.tells)}
        if headers:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{part}"} for name, part in headers.items()}
        if f"{self.name}.response" in self._shapes.by_use:
            answer["content"] = {media: self._represented(media) for media in self.told.media}
        return {str(status): answer}

    def _represented(self, media: str) -> Node:
        if media == _JSON:
            return self._content("response")
        if media == LINKSET:
            return {"schema": {"$ref": _SCHEMAS.format(name="Linkset")}, "example": self._example("linkset")}
        if media in _TEXT_EXAMPLES:
            return {"schema": _TEXT, "example": _TEXT_EXAMPLES[media]}
        return _file(media)

    def _responses(self) -> Node:
        responses = self._success()
        if self.told.is_conditional:
            responses["304"] = {"description": "未变更 What the caller has is still good."}
        for status in self.told.otherwise:
            responses[str(status)] = {"description": _STATUSES[status], "content": {_JSON: self._content(str(status))}}
        kinds = sorted(set(self._kinds()), key=lambda kind: (kind.status, kind.slug))
        for status, of_status in groupby(kinds, key=lambda kind: kind.status):
            responses[str(status)] = self._problem(list(of_status))
        responses["default"] = {
            "description": "Any other refusal, a defect of ours (`internal-error`) among them.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS.format(name="Problem")}}},
        }
        return responses

    def _kinds(self) -> Iterator[Kind]:
        yield from (KINDS[refusal] for refusal in self.told.refuses)
        slugs: set[str] = set()
        if permitted(self.handler.opt) is not None:
            yield from (KINDS[refusal] for refusal in SIGNED_IN)
            slugs |= {"not-signed-in", "forbidden"}
        if f"{self.name}.request" in self._shapes.by_use or self.told.body:
            slugs |= {"too-large"}
        yield from (kind for kind in all_kinds() if kind.slug in slugs)

    def _problem(self, kinds: Sequence[Kind]) -> Node:
        """One status: which types it may have, an example of each, and the hand-written one in full."""
        shown: Node = {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in kinds}
        written = self._example("problem")
        slug = written["type"].rpartition(":")[2]
        if slug in shown:
            shown[slug] = {"summary": written["title"], "value": written}
        types = {"properties": {"type": {"enum": [_plain_problem(kind)["type"] for kind in kinds]}}}
        answer: Node = {
            "description": " / ".join(dict.fromkeys(kind.title for kind in kinds)),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"allOf": [{"$ref": _SCHEMAS.format(name="Problem")}, types]},
                    "examples": shown,
                }
            },
        }
        if "text/html" in self.told.media and kinds[0].status in _TOLD_AS_PAGE:
            answer["content"]["text/html"] = self._represented("text/html")
        if RETRY_AFTER.keys() & shown.keys():
            answer["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
        return answer


def _file(media: str) -> Node:
    """Bytes that are no text; a validator cannot look into them."""
    return {"schema": {"type": "string", "contentMediaType": media}}


def _plain_problem(kind: Kind) -> Node:
    return {"type": f"urn:yima:problem:{kind.slug}", "title": kind.title, "status": kind.status}
