"""What a message says of a paper and could not know when it was written: the 文号 comes last in its transaction."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domain.document.operations import find_document
from domain.shared.sql import Connection
from notifications.outbox import StoredMessage

_PAPER = "document_id"


async def known_of(connection: Connection, message: StoredMessage, public_url: str) -> Mapping[str, str]:
    """Number and link of the paper that the message names by `document_id`; nothing for any other message."""
    named = message.parameters.get(_PAPER)
    if named is None:
        return {}
    document = await find_document(connection, UUID(named))
    return paper_words(document.number, document.number_sequence, f"{public_url}/v/{document.verification_code}")


def paper_words(number: str | None, sequence: int | None, link: str) -> dict[str, str]:
    """文号 whole and short, and the link with and without its scheme."""
    return {
        "number": number or "",
        "sequence": "" if sequence is None else str(sequence),
        "link": link,
        "bare_link": link.partition("://")[2] or link,
    }
