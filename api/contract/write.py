"""`mobile_contract/`: what a phone may rely on, written from the code and compared with it.

`examples/` and `CHANGELOG.md` are written by hand and are sources; the three documents are written from the code and
those examples, the same bytes every time. The phone's side reads nothing else of this repository.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Litestar

from api.app import create_app
from api.contract.asyncapi import asyncapi_document
from api.contract.openapi import openapi_document
from api.problems import all_kinds
from api.settings import Settings

CONTRACT: Final = Path(__file__).parents[2] / "mobile_contract"


def contract_app() -> Litestar:
    """The application as the contract describes it; it opens neither database nor keys."""
    nowhere = Path("/nonexistent")
    return create_app(Settings(var=nowhere, keys=nowhere), "postgresql://nowhere/yima")


def read_examples() -> dict[str, Any]:
    """The hand-written examples, by file name without `.json`."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((CONTRACT / "examples").glob("*.json"))}


def contract_documents() -> dict[str, str]:
    """The generated documents as they must stand in `mobile_contract/`, by file name. Raises `MissingExample`."""
    app, examples = contract_app(), read_examples()
    openapi = openapi_document(app, examples)
    documents: Mapping[str, Any] = {
        "openapi.json": openapi,
        "asyncapi.json": asyncapi_document(openapi["info"]["version"], examples),
        "problems.json": [
            {
                "slug": kind.slug,
                "type": f"urn:yima:problem:{kind.slug}",
                "status": kind.status,
                "title": kind.title,
                "keep": kind.keep,
            }
            for kind in all_kinds()
        ],
    }
    return {name: _write_out(document) for name, document in documents.items()}


def _write_out(document: Any) -> str:
    return json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n"


def write_contract() -> None:
    """Write the generated documents; the examples and the change log stay the hand's."""
    for name, text in contract_documents().items():
        (CONTRACT / name).write_text(text, "utf-8")


def contract_differs() -> list[str]:
    """The documents, as paths from the repository's root, that are not what the code says; empty when all are."""
    return [
        f"{CONTRACT.name}/{name}"
        for name, text in contract_documents().items()
        if not (CONTRACT / name).exists() or (CONTRACT / name).read_text("utf-8") != text
    ]
