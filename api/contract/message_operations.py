"""Operations of messages: the inbox, the desk, and addresses to which not everything is sent."""

from __future__ import annotations

from collections.abc import Mapping

from api.address_blocks import BlockAlreadyLifted, BlockLifted, BlockStands
from api.contract.told import KEYED, Refusals, Told
from api.inbox import InboxRead, MessageRead, ToDoClosesWithItsSubject, ToDoDone
from api.message_desk import PutBack
from api.work import Accepted, DatabaseAway
from domain.shared.errors import Forbidden, InvalidField, NotFound
from domain.visitor.rules import TooManyWrites

_READING: Refusals = (InvalidField, DatabaseAway)

MESSAGE_OPERATIONS: Mapping[str, Told] = {
    "listMessages": Told(refuses=_READING),
    "countMessages": Told(refuses=(DatabaseAway,)),
    "listToDos": Told(refuses=_READING),
    "markMessageRead": Told(result=Accepted[MessageRead], refuses=(NotFound, *KEYED, DatabaseAway)),
    "markMessagesRead": Told(result=Accepted[InboxRead], refuses=(NotFound, *KEYED, DatabaseAway)),
    "closeToDo": Told(result=Accepted[ToDoDone], refuses=(NotFound, ToDoClosesWithItsSubject, *KEYED, DatabaseAway)),
    "listMessageLog": Told(refuses=_READING),
    "readMessageStatistics": Told(refuses=_READING),
    "readMessageLogEntry": Told(refuses=(NotFound, DatabaseAway)),
    "retryMessages": Told(result=Accepted[PutBack], refuses=(NotFound, *KEYED, DatabaseAway)),
    "listMessageProviders": Told(refuses=(DatabaseAway,)),
    "listAddressBlocks": Told(refuses=_READING),
    "findAddressBlocks": Told(refuses=(TooManyWrites, *_READING)),
    "blockAddress": Told(result=Accepted[BlockStands], refuses=(Forbidden, *KEYED, DatabaseAway)),
    "liftAddressBlock": Told(
        result=Accepted[BlockLifted], refuses=(NotFound, Forbidden, BlockAlreadyLifted, *KEYED, DatabaseAway)
    ),
}
