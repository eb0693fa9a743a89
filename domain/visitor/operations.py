"""The citizen's gate: send a code, prove a phone, count a write, forget what is over."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Final
from uuid import UUID

import msgspec

from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault
from domain.visitor import rules, store
from domain.visitor.events import CodeFacts, PhoneCodeSent, PhoneProven, ProvenFacts
from domain.visitor.model import (
    CODE_LIFETIME,
    CODE_TRIES,
    COUNTS_KEPT,
    VERIFICATIONS_KEPT,
    Caller,
    CitizenPass,
    CodeTried,
    LimitKind,
    PhoneVerification,
    Proof,
    StoredVerification,
)

PHONE_LABEL: Final = "visitor.phone"
"""Under which a citizen's number is sealed and indexed."""
CODE_LABEL: Final = "visitor.phone_code"
_CODES: Final = 1_000_000


async def spend(
    tx: Transaction,
    kind: LimitKind,
    *,
    address: bytes | None = None,
    device: bytes | None = None,
    phone_index: bytes | None = None,
    proof: Proof | None = None,
) -> None:
    """Count one write of `kind`; it counts only if the transaction is committed.

    Raises `TooManyWrites`, `ProofRequired` where only a proof of work would do, or `ProofRefused` for one used before.
    """
    scopes = rules.scopes_of(address, device, phone_index)
    if not scopes:
        return
    policy = rules.POLICIES[kind]
    counts = await store.COUNT.all(
        tx.connection,
        kind=kind,
        scopes=list(scopes),
        keys=list(scopes.values()),
        numbers=[rules.window_number(tx.now, policy.of(scope).window) for scope in scopes],
        now=tx.now,
    )
    if rules.require_room(kind, counts, proof, tx.now) and proof is not None:
        spent = await store.SPEND_PROOF.run(tx.connection, id=proof.id, expires_at=proof.expires_at)
        if not spent:
            raise rules.ProofRefused("该验证已使用过，请重新验证。")


async def count(tx: Transaction, kind: LimitKind, caller: Caller, proof: Proof | None = None) -> Outcome[None]:
    """`spend` as a write of its own, for what must be counted whatever becomes of it. Raises the same."""
    await spend(tx, kind, address=caller.address, device=caller.device, phone_index=caller.phone_index, proof=proof)
    return Outcome(answer=None)


async def send_code(
    tx: Transaction, phone: str, caller: Caller, proof: Proof | None = None
) -> Outcome[PhoneVerification]:
    """验证码发送 to a mobile; an earlier code to it is void. The message opens the code only when it is sent.

    Raises `InvalidField`, `TooManyWrites`, `ProofRequired` or `ProofRefused`.
    """
    number = rules.mobile_of(phone)
    index = tx.vault.blind_index(PHONE_LABEL, number)
    await spend(tx, LimitKind.PHONE_CODE, address=caller.address, device=caller.device, phone_index=index, proof=proof)
    before = await store.NEWEST_OPEN.first(tx.connection, of_phone=index)
    if before is not None and rules.resend_after(before.requested_at) > tx.now:
        raise rules.TooManyWrites(ceil((rules.resend_after(before.requested_at) - tx.now).total_seconds()))
    await store.VOID_OPEN.run(tx.connection, of_phone=index, now=tx.now)
    made = StoredVerification(
        id=tx.new_id(),
        phone_sealed=tx.vault.seal(PHONE_LABEL, number),
        phone_index=index,
        code_sealed=tx.vault.seal(CODE_LABEL, _new_code(tx)),
        requested_at=tx.now,
        expires_at=tx.now + CODE_LIFETIME,
        tries=0,
        voided_at=None,
        proven_at=None,
    )
    await store.INSERT_VERIFICATION.run(tx.connection, **msgspec.structs.asdict(made))
    event = PhoneCodeSent(subject_id=made.id, after=CodeFacts(expires_at=made.expires_at))
    answer = PhoneVerification(
        id=made.id, expires_at=made.expires_at, resend_after=rules.resend_after(made.requested_at)
    )
    return Outcome(answer=answer, events=(event,))


async def try_code(
    tx: Transaction, verification_id: UUID, code: str, caller: Caller, proof: Proof | None = None
) -> Outcome[CodeTried]:
    """验证码核对. A wrong code is no refusal here: that it was tried must be kept.

    Raises `CodeNotUsable`, `TooManyWrites`, `ProofRequired` or `ProofRefused`.
    """
    found = await store.LOCK_VERIFICATION.first(tx.connection, verification_id=verification_id)
    sealed = rules.require_usable(found, tx.now)
    if found is None:
        raise rules.CodeNotUsable
    await spend(
        tx,
        LimitKind.PHONE_PROOF,
        address=caller.address,
        device=caller.device,
        phone_index=found.phone_index,
        proof=proof,
    )
    is_proven = rules.is_same_code(code, tx.vault.open(CODE_LABEL, sealed))
    tried = CodeTried(
        verification_id=found.id,
        phone_index=found.phone_index,
        is_proven=is_proven,
        tries_left=CODE_TRIES - found.tries - 1,
    )
    if not is_proven:
        await store.COUNT_TRY.run(tx.connection, verification_id=found.id)
        return Outcome(answer=tried)
    await store.MARK_PROVEN.run(tx.connection, verification_id=found.id, now=tx.now)
    return Outcome(answer=tried, events=(PhoneProven(subject_id=found.id, after=ProvenFacts(proven_at=tx.now)),))


async def code_to_send(connection: Connection, vault: Vault, verification_id: UUID, now: datetime) -> str | None:
    """The code for the message that is just being sent; None once it is of no use any more."""
    found = await store.CODE_TO_SEND.first(connection, verification_id=verification_id, now=now)
    return None if found is None else vault.open(CODE_LABEL, found.code_sealed)


async def verified_phone(tx: Transaction, citizen: CitizenPass) -> str:
    """The number that the pass was proven for, to be sealed again by who keeps it. Raises `PhoneNotVerified`."""
    if citizen.verification_id is not None:
        found = await store.VERIFICATION.first(tx.connection, verification_id=citizen.verification_id)
        if found is not None and found.proven_at is not None:
            return tx.vault.open(PHONE_LABEL, found.phone_sealed)
    raise rules.PhoneNotVerified("请先发送验证码，再填写短信里的6位数字。", field="phone")


async def forget_old(tx: Transaction) -> Outcome[None]:
    """Numbers after a day, counts once no window reaches back to them, proofs once they would not be taken anyway."""
    await store.DELETE_OLD_VERIFICATIONS.run(tx.connection, before=tx.now - VERIFICATIONS_KEPT)
    await store.DELETE_OLD_COUNTS.run(tx.connection, before=tx.now - COUNTS_KEPT)
    await store.DELETE_OLD_PROOFS.run(tx.connection, before=tx.now)
    return Outcome(answer=None)


def _new_code(tx: Transaction) -> str:
    """Six digits, each code as likely as any other to within a millionth of a millionth."""
    return f"{int.from_bytes(tx.random(10), 'big') % _CODES:06d}"
