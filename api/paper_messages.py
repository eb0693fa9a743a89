"""What a message says and could not hold when it was written: the 文号 of a paper comes last in its transaction, and a
code for a phone stands in no outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from api.wiring import Parts
from domain.document.operations import find_document
from domain.shared.sql import Connection
from domain.visitor.operations import code_to_send
from notifications.message import Recipient
from notifications.outbox import StoredMessage

_PAPER = "document_id"


async def known_of(parts: Parts, connection: Connection, message: StoredMessage) -> Mapping[str, str] | None:
    """Number and link of the paper that the message names by `document_id`, the code for a phone, else nothing.

    None: what it was to say is of no use any more, so it need not be sent.
    """
    if message.recipient == Recipient.PHONE_VERIFICATION:
        code = await code_to_send(connection, parts.vault, message.recipient_id, parts.clock())
        return None if code is None else {"code": code}
    named = message.parameters.get(_PAPER)
    if named is None:
        return {}
    document = await find_document(connection, UUID(named))
    return paper_words(document.number, document.number_sequence, f"{parts.public_url}/v/{document.verification_code}")


def paper_words(number: str | None, sequence: int | None, link: str) -> dict[str, str]:
    """文号 whole and short, and the link with and without its scheme."""
    return {
        "number": number or "",
        "sequence": "" if sequence is None else str(sequence),
        "link": link,
        "bare_link": link.partition("://")[2] or link,
    }
