"""信息维护: an enterprise's own words, sealed where they name people, each change traced."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from domain.enterprise.profile import rules, store
from domain.enterprise.profile.events import EnterpriseProfileChanged, SiteProfileChanged, WordsFacts
from domain.enterprise.profile.model import (
    EnterpriseWords,
    ProfileStands,
    RegisteredSite,
    SiteWords,
    StoredProfile,
)
from domain.shared.errors import NotFound
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault

_LABEL: Final = "enterprise_profile."
_SITE_LABEL: Final = "site_profile."
LIAISON_PHONE_LABEL: Final = f"{_LABEL}liaison_phone"
EMAIL_LABEL: Final = f"{_LABEL}email"


async def change_profile(
    tx: Transaction, account_id: UUID, enterprise_id: UUID, said: EnterpriseWords, version: int
) -> Outcome[ProfileStands]:
    """企业信息维护 over `version`. Raises `InvalidField`, `NotFound` or `ProfileConflict`."""
    words = rules.enterprise_words(said)
    if await store.LOCK_ENTERPRISE.first(tx.connection, enterprise_id=enterprise_id) is None:
        raise NotFound("没有该监管对象。")
    stored = await store.PROFILE.first(tx.connection, enterprise_id=enterprise_id)
    stands = 0 if stored is None else stored.version
    rules.require_version(stands, version)
    before = words_of(tx.vault, stored)
    phone = words.liaison_phone
    await store.SAVE_PROFILE.run(
        tx.connection,
        enterprise_id=enterprise_id,
        version=stands + 1,
        liaison_name_sealed=_seal(tx.vault, f"{_LABEL}liaison_name", words.liaison_name),
        liaison_phone_sealed=_seal(tx.vault, LIAISON_PHONE_LABEL, phone),
        liaison_phone_index=None if phone is None else tx.vault.blind_index(LIAISON_PHONE_LABEL, phone),
        email_sealed=_seal(tx.vault, EMAIL_LABEL, words.email),
        brand_name=words.brand_name,
        updated_by=account_id,
        updated_at=tx.now,
    )
    event = EnterpriseProfileChanged(
        subject_id=enterprise_id,
        enterprise_id=enterprise_id,
        before=_enterprise_facts(tx.vault, before, stands),
        after=_enterprise_facts(tx.vault, words, stands + 1, rules.changed_fields(before, words)),
    )
    answer = ProfileStands(id=enterprise_id, version=stands + 1, updated_at=tx.now)
    return Outcome(answer=answer, events=(event,))


async def change_site_profile(
    tx: Transaction, account_id: UUID, enterprise_id: UUID | None, site_id: UUID, said: SiteWords, version: int
) -> Outcome[ProfileStands]:
    """场所信息维护 over `version`. Raises `InvalidField`, `NotFound` or `ProfileConflict`."""
    words = rules.site_words(said)
    stored = await store.LOCK_SITE.first(tx.connection, site_id=site_id, enterprise_id=enterprise_id)
    if stored is None or enterprise_id is None:
        raise NotFound("没有该经营场所。")
    rules.require_version(stored.version, version)
    before = site_words_of(tx.vault, stored)
    await store.SAVE_SITE_PROFILE.run(
        tx.connection,
        site_id=site_id,
        version=version + 1,
        opening_hours=words.opening_hours,
        business_phone_sealed=_seal(tx.vault, f"{_SITE_LABEL}business_phone", words.business_phone),
        public_phone=words.business_phone if words.is_phone_public else None,
        contact_name_sealed=_seal(tx.vault, f"{_SITE_LABEL}contact_name", words.contact_name),
        contact_phone_sealed=_seal(tx.vault, f"{_SITE_LABEL}contact_phone", words.contact_phone),
        updated_by=account_id,
        updated_at=tx.now,
    )
    event = SiteProfileChanged(
        subject_id=site_id,
        site_id=site_id,
        enterprise_id=enterprise_id,
        before=_site_facts(tx.vault, before, version),
        after=_site_facts(tx.vault, words, version + 1, rules.changed_fields(before, words)),
    )
    answer = ProfileStands(id=site_id, version=version + 1, updated_at=tx.now)
    return Outcome(answer=answer, events=(event,))


def words_of(vault: Vault, stored: StoredProfile | None) -> EnterpriseWords:
    """What the enterprise said; nothing where it said nothing yet."""
    if stored is None:
        return EnterpriseWords()
    return EnterpriseWords(
        liaison_name=_open(vault, f"{_LABEL}liaison_name", stored.liaison_name_sealed),
        liaison_phone=_open(vault, LIAISON_PHONE_LABEL, stored.liaison_phone_sealed),
        email=_open(vault, EMAIL_LABEL, stored.email_sealed),
        brand_name=stored.brand_name,
    )


def site_words_of(vault: Vault, stored: RegisteredSite) -> SiteWords:
    """What was said of the site."""
    return SiteWords(
        opening_hours=stored.opening_hours,
        business_phone=_open(vault, f"{_SITE_LABEL}business_phone", stored.business_phone_sealed),
        is_phone_public=stored.public_phone is not None,
        contact_name=_open(vault, f"{_SITE_LABEL}contact_name", stored.contact_name_sealed),
        contact_phone=_open(vault, f"{_SITE_LABEL}contact_phone", stored.contact_phone_sealed),
    )


def _seal(vault: Vault, label: str, text: str | None) -> bytes | None:
    return None if text is None else vault.seal(label, text)


def _open(vault: Vault, label: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else vault.open(label, sealed)


def _digest(vault: Vault, label: str, text: str | None) -> str | None:
    return None if text is None else vault.blind_index(label, text).hex()


def _enterprise_facts(
    vault: Vault, words: EnterpriseWords, version: int, fields: list[str] | None = None
) -> WordsFacts:
    personal = ("liaison_name", "liaison_phone", "email")
    return WordsFacts(
        version=version,
        fields=fields or [],
        plain={"brand_name": words.brand_name},
        digests={name: _digest(vault, f"{_LABEL}{name}", getattr(words, name)) for name in personal},
    )


def _site_facts(vault: Vault, words: SiteWords, version: int, fields: list[str] | None = None) -> WordsFacts:
    personal = ("business_phone", "contact_name", "contact_phone")
    return WordsFacts(
        version=version,
        fields=fields or [],
        plain={"opening_hours": words.opening_hours, "is_phone_public": "是" if words.is_phone_public else "否"},
        digests={name: _digest(vault, f"{_SITE_LABEL}{name}", getattr(words, name)) for name in personal},
    )
