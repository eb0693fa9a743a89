"""Who may read an order, and all that is known of one: service, feedback, extension, re-inspections, transfer."""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.identity.model import Principal, Role
from domain.inspection import access
from domain.inspection.access import STANDING, Standing
from domain.membership.rules import acts_for
from domain.rectification import service_store, store, transfer_store
from domain.rectification.model import (
    Consent,
    Extension,
    Feedback,
    Order,
    OrderedItem,
    OrderSummary,
    ReInspection,
    ServiceRecord,
    Transfer,
)
from domain.rectification.service_rules import Addresses, ServedPeople
from domain.rectification.serving import ADDRESSES_LABEL, PEOPLE_LABEL
from domain.shared.errors import NotFound
from domain.shared.sql import Connection
from domain.shared.vault import Vault


def may_read(principal: Principal, standing: Standing, department_id: UUID, enterprise_id: UUID) -> bool:
    """As the inspection, and more: the addressee always, and every officer of the department that ordered.

    Whoever re-inspects need not have been there the first time.
    """
    match principal.role:
        case Role.ENTERPRISE:
            return acts_for(principal, enterprise_id, standing.site_id)
        case Role.INSPECTOR if principal.department_id == department_id:
            return True
        case _:
            return access.may_read(principal, standing)


async def find_order(connection: Connection, principal: Principal, order_id: UUID) -> Order:
    """The order that `principal` may see. Raises `NotFound`: existence elsewhere is not told."""
    order = await store.ORDER_BY_ID.first(connection, order_id=order_id)
    if order is not None:
        standing = await STANDING.one(connection, inspection_id=order.inspection_id)
        if may_read(principal, standing, order.department_id, order.enterprise_id):
            return order
    raise NotFound("没有该责令改正通知书。")


async def find_transfer(connection: Connection, principal: Principal, transfer_id: UUID) -> Transfer:
    """The transfer that `principal` may see. Raises `NotFound`."""
    transfer = await transfer_store.TRANSFER_BY_ID.first(connection, transfer_id=transfer_id)
    if transfer is not None:
        standing = await STANDING.one(connection, inspection_id=transfer.inspection_id)
        if may_read(principal, standing, transfer.department_id, transfer.enterprise_id):
            return transfer
    raise NotFound("没有该移交。")


class OrderCase(msgspec.Struct, frozen=True, kw_only=True):
    """责令改正 from the paper to the closed file."""

    summary: OrderSummary
    items: list[OrderedItem]
    services: list[ServiceRecord]
    feedback: list[Feedback]
    extension: Extension | None
    re_inspections: list[ReInspection]
    transfer: Transfer | None


async def read_case(connection: Connection, order_id: UUID) -> OrderCase:
    """Everything of one order, whoever asks."""
    return OrderCase(
        summary=await store.SUMMARY_BY_ID.one(connection, order_id=order_id),
        items=await store.ITEMS_OF_ORDER.all(connection, order_id=order_id),
        services=await service_store.SERVICES_OF_ORDER.all(connection, order_id=order_id),
        feedback=await store.FEEDBACK_OF_ORDER.all(connection, order_id=order_id),
        extension=await store.EXTENSION_OF_ORDER.first(connection, order_id=order_id),
        re_inspections=await store.RE_INSPECTIONS_OF_ORDER.all(connection, order_id=order_id),
        transfer=await transfer_store.TRANSFER_OF_ORDER.first(connection, order_id=order_id),
    )


def people_of(vault: Vault, service: ServiceRecord) -> ServedPeople:
    """Who received the paper, and who witnessed it."""
    if service.people_sealed is None:
        return ServedPeople(receiver=None, witness=None)
    return msgspec.json.decode(vault.open(PEOPLE_LABEL, service.people_sealed), type=ServedPeople)


def addresses_of(vault: Vault, consent: Consent) -> Addresses:
    """送达地址 of a consent."""
    return msgspec.json.decode(vault.open(ADDRESSES_LABEL, consent.addresses_sealed), type=Addresses)
