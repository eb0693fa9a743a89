"""Where a message goes: the phone or mailbox of whom it names, opened only now that it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.wiring import Parts
from codes.phone import PhoneKind, normalise_mobile, parse_phone
from domain.complaint.grievance_store import STORES
from domain.complaint.keeping import open_person
from domain.complaint.model import GrievanceKind
from domain.complaint.tables import complaint, tip_off
from domain.enterprise.intake import LIAISON_PHONE_LABEL as REGISTERED_PHONE_LABEL
from domain.enterprise.profile.operations import EMAIL_LABEL, LIAISON_PHONE_LABEL
from domain.enterprise.tables import enterprise, enterprise_profile
from domain.identity.tables import account
from domain.membership.people import PHONE_LABEL as MEMBER_PHONE_LABEL
from domain.membership.tables import membership
from domain.officer.intake import PHONE_LABEL as OFFICER_PHONE_LABEL
from domain.officer.tables import officer
from domain.rectification.service_rules import Addresses
from domain.rectification.serving import ADDRESSES_LABEL
from domain.rectification.tables import service_consent
from domain.shared.sql import Connection, Query
from domain.subscription.operations import address_of
from domain.visitor.operations import PHONE_LABEL as VISITOR_PHONE_LABEL
from domain.visitor.tables import phone_verification
from notifications.blocks import ADDRESS_LABELS, comparable_mail, mask_mail
from notifications.mail.letter import mailbox
from notifications.message import Channel, Purpose, Recipient
from notifications.outbox import StoredMessage
from notifications.outcome import Reason, Refused


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message goes: the address itself, what finds it again without telling it, and what may be shown of it."""

    text: str
    index: bytes
    masked: str

    def __repr__(self) -> str:
        """Masked: it must not come into a log."""
        return f"Address({self.masked})"


class _Sealed(msgspec.Struct, frozen=True):
    sealed: bytes | None


class _Contacts(msgspec.Struct, frozen=True, kw_only=True):
    registered_phone: bytes | None
    liaison_phone: bytes | None
    email: bytes | None
    consented: bytes | None


def _sealed_of(column: sa.Column[bytes], key: sa.Column[UUID]) -> Query[_Sealed]:
    return Query(sa.select(column.label("sealed")).where(key == sa.bindparam("id")), _Sealed)


_CONTACTS = Query(
    sa.select(
        enterprise.c.liaison_phone_sealed.label("registered_phone"),
        enterprise_profile.c.liaison_phone_sealed.label("liaison_phone"),
        enterprise_profile.c.email_sealed.label("email"),
        service_consent.c.addresses_sealed.label("consented"),
    )
    .select_from(
        enterprise.outerjoin(enterprise_profile, enterprise_profile.c.enterprise_id == enterprise.c.id).outerjoin(
            service_consent,
            sa.and_(
                service_consent.c.enterprise_id == enterprise.c.id,
                service_consent.c.withdrawn_at.is_(None),
                service_consent.c.means.any_() == sa.bindparam("channel", type_=sa.Text),
            ),
        )
    )
    .where(enterprise.c.id == sa.bindparam("id")),
    _Contacts,
)
_OFFICER = _sealed_of(officer.c.phone_sealed, officer.c.id)
_ACCOUNT = Query(
    sa.select(officer.c.phone_sealed.label("sealed"))
    .select_from(account.join(officer, officer.c.id == account.c.officer_id))
    .where(account.c.id == sa.bindparam("id"), account.c.disabled_at.is_(None)),
    _Sealed,
)
_MEMBER = _sealed_of(membership.c.phone_sealed, membership.c.id)
_VISITOR = _sealed_of(phone_verification.c.phone_sealed, phone_verification.c.id)
_GRIEVANCES = {
    GrievanceKind.COMPLAINT: _sealed_of(complaint.c.person_sealed, complaint.c.id),
    GrievanceKind.TIP_OFF: _sealed_of(tip_off.c.person_sealed, tip_off.c.id),
}

Opening = Callable[[Parts, Connection, StoredMessage], Awaitable[str | None]]


async def open_address(parts: Parts, connection: Connection, message: StoredMessage) -> Address:
    """The address of whom `message` names, as it is now. Raises `Refused` where there is none that it can go to."""
    opening = _OPENINGS.get(message.recipient)
    typed = None if opening is None else await opening(parts, connection, message)
    if typed is None or not typed.strip():
        raise Refused(Reason.NO_ADDRESS)
    text, masked = _mailbox(typed) if message.channel is Channel.EMAIL else _mobile(typed)
    label = ADDRESS_LABELS[message.channel]
    compared = comparable_mail(text) if message.channel is Channel.EMAIL else text
    return Address(text=text, index=parts.vault.blind_index(label, compared), masked=masked)


def _mobile(typed: str) -> tuple[str, str]:
    phone = parse_phone(typed)
    if phone is None:
        raise Refused(Reason.BAD_ADDRESS)
    if phone.kind is PhoneKind.LANDLINE:
        raise Refused(Reason.LANDLINE)
    return phone.number, phone.masked


def _mailbox(typed: str) -> tuple[str, str]:
    """As blocks know it and the wire wants it. Whether there is such a mailbox, its server tells."""
    text = mailbox(typed)
    return text, mask_mail(text)


async def _of_enterprise(parts: Parts, connection: Connection, message: StoredMessage) -> str | None:
    """A legal notice goes to the 送达地址 that the enterprise confirmed; all else, and without one, to its contact."""
    found = await _CONTACTS.first(connection, id=message.recipient_id, channel=message.channel)
    if found is None:
        return None
    is_mail = message.channel is Channel.EMAIL
    if found.consented is not None and message.purpose is Purpose.LEGAL_NOTICE:
        agreed = msgspec.json.decode(parts.vault.open(ADDRESSES_LABEL, found.consented), type=Addresses)
        confirmed = agreed.email if is_mail else agreed.phone
        if confirmed:
            return confirmed
    if is_mail:
        return _opened(parts, EMAIL_LABEL, found.email)
    own = _opened(parts, LIAISON_PHONE_LABEL, found.liaison_phone)
    registered = _opened(parts, REGISTERED_PHONE_LABEL, found.registered_phone)
    return first_mobile(own, registered)


def first_mobile(*phones: str | None) -> str | None:
    """The first that receives SMS; where none does, the first that is named, so that it is told why nothing goes."""
    named = [phone for phone in phones if phone]
    return next((phone for phone in named if normalise_mobile(phone)), named[0] if named else None)


def _of_phone(query: Query[_Sealed], label: str) -> Opening:
    async def opening(parts: Parts, connection: Connection, message: StoredMessage) -> str | None:
        found = await query.first(connection, id=message.recipient_id)
        return None if found is None else _opened(parts, label, found.sealed)

    return opening


def _of_citizen(kind: GrievanceKind) -> Opening:
    async def opening(parts: Parts, connection: Connection, message: StoredMessage) -> str | None:
        found = await _GRIEVANCES[kind].first(connection, id=message.recipient_id)
        person = None if found is None else open_person(parts.vault, STORES[kind], found.sealed)
        return None if person is None else person.phone

    return opening


async def _of_subscriber(parts: Parts, connection: Connection, message: StoredMessage) -> str | None:
    return await address_of(connection, parts.vault, message.recipient_id)


def _opened(parts: Parts, label: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else parts.vault.open(label, sealed)


_OPENINGS: Mapping[Recipient, Opening] = {
    Recipient.ENTERPRISE: _of_enterprise,
    Recipient.OFFICER: _of_phone(_OFFICER, OFFICER_PHONE_LABEL),
    Recipient.ACCOUNT: _of_phone(_ACCOUNT, OFFICER_PHONE_LABEL),
    Recipient.ENTERPRISE_MEMBER: _of_phone(_MEMBER, MEMBER_PHONE_LABEL),
    Recipient.PHONE_VERIFICATION: _of_phone(_VISITOR, VISITOR_PHONE_LABEL),
    Recipient.COMPLAINANT: _of_citizen(GrievanceKind.COMPLAINT),
    Recipient.INFORMANT: _of_citizen(GrievanceKind.TIP_OFF),
    Recipient.SUBSCRIPTION: _of_subscriber,
}
"""Who is not named here, such as all leads of a department, is reached in the app alone."""
