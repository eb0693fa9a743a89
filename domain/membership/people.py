"""智桂通用户 as kept: found, updated or made, as the single sign-on demands (8.5, steps 5 to 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from codes.phone import parse_phone
from domain.membership import store
from domain.membership.model import StoredUser, UserType, ZhiguitongUser
from domain.membership.rules import compact_number, known_user
from domain.shared.transaction import Transaction
from domain.shared.vault import Vault

PHONE_LABEL = "membership.phone"
NAME_LABEL = "membership.name"
_NUMBER = "provider_user.number"
_NAME = "provider_user.name"


def representative_index(vault: Vault, number: str | None) -> bytes | None:
    """By which a 法定代表人 is known again who comes with the same legal person's account."""
    return None if not number else vault.blind_index("membership.representative", compact_number(number))


def phone_index(vault: Vault, phone: str | None) -> bytes | None:
    """By which an invitation is found, however the number was written."""
    if not phone:
        return None
    parsed = parse_phone(phone)
    return vault.blind_index(PHONE_LABEL, phone if parsed is None else parsed.number)


async def keep_user(tx: Transaction, user: ZhiguitongUser) -> UUID:
    """The user's row, made or brought up to date."""
    number = None if user.number is None else compact_number(user.number)
    index = None if number is None else _number_index(tx.vault, user.user_type, number)
    by_number = None if index is None else await _by_number(tx, user.user_type, index)
    by_code = None if user.user_id_code is None else await _by_code(tx, user.user_type, user.user_id_code)
    known = known_user(by_number, by_code, index)
    if by_code is not None and (known is None or known.id != by_code.id):
        await store.FORGET_USER_CODE.run(tx.connection, of_user=by_code.id)  # the id is another person's now
    values = _values(tx.vault, user, number, index)
    if known is None:
        fresh: dict[str, Any] = {
            "id": tx.new_id(),
            "user_type": user.user_type,
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        if await store.INSERT_USER.run(tx.connection, **fresh, **values):
            return fresh["id"]
        return await keep_user(tx, user)  # the same person came twice at once: the other one is there by now
    if not _says_nothing_new(known, user, index, phone_index(tx.vault, user.mobile)):
        await store.UPDATE_USER.run(tx.connection, of_user=known.id, updated_at=tx.now, **values)
    return known.id


async def _by_number(tx: Transaction, user_type: UserType, index: bytes) -> StoredUser | None:
    return await store.LOCK_USER_BY_NUMBER.first(tx.connection, user_type=user_type, number_index=index)


async def _by_code(tx: Transaction, user_type: UserType, code: str) -> StoredUser | None:
    return await store.LOCK_USER_BY_CODE.first(tx.connection, user_type=user_type, user_id_code=code)


def _number_index(vault: Vault, user_type: UserType, number: str) -> bytes:
    return vault.blind_index(f"{_NUMBER}.{user_type}", number)


def _says_nothing_new(known: StoredUser, user: ZhiguitongUser, index: bytes | None, mobile: bytes | None) -> bool:
    """The provider's own time of change decides where it tells one (8.5, step 6)."""
    return (
        user.provider_time is not None
        and known.provider_time == user.provider_time
        and known.user_id_code == user.user_id_code
        and known.number_index == index
        and known.mobile_index == mobile
    )


def _values(vault: Vault, user: ZhiguitongUser, number: str | None, index: bytes | None) -> Mapping[str, object]:
    return {
        "user_id_code": user.user_id_code,
        "number_sealed": None if number is None else vault.seal(_NUMBER, number),
        "number_index": index,
        "name_sealed": vault.seal(_NAME, user.name),
        "mobile_sealed": None if user.mobile is None else vault.seal(PHONE_LABEL, user.mobile),
        "mobile_index": phone_index(vault, user.mobile),
        "provider_time": user.provider_time,
    }
