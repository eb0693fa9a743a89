"""What the register and what the enterprise say of it, on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from domain.enterprise.model import LicenceCard
from domain.enterprise.profile.model import EnterpriseWords, Registered, RegisteredSite, SiteWords, StoredProfile
from domain.enterprise.profile.operations import site_words_of, words_of
from domain.shared.vault import Vault


class SiteProfileCard(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所: what the register says (read-only), and `said` of it under `version`; 0: nothing yet."""

    id: UUID
    name: str
    is_main: bool
    address: str | None
    business_types: list[str]
    version: int
    said: SiteWords


class EnterpriseProfile(msgspec.Struct, frozen=True, kw_only=True):
    """企业信息: `registered` and `licences` are read-only; `said` is the enterprise's own, under `version`."""

    registered: Registered
    licences: list[LicenceCard]
    version: int
    updated_at: datetime | None
    said: EnterpriseWords
    sites: list[SiteProfileCard]


def to_site(stored: RegisteredSite, vault: Vault) -> SiteProfileCard:
    """A site with what was said of it."""
    return SiteProfileCard(
        id=stored.id,
        name=stored.name,
        is_main=stored.is_main,
        address=stored.address,
        business_types=stored.business_types,
        version=stored.version,
        said=site_words_of(vault, stored),
    )


def to_profile(
    registered: Registered,
    licences: list[LicenceCard],
    stored: StoredProfile | None,
    sites: list[RegisteredSite],
    vault: Vault,
) -> EnterpriseProfile:
    """The whole of it, for the enterprise's own people."""
    return EnterpriseProfile(
        registered=registered,
        licences=licences,
        version=0 if stored is None else stored.version,
        updated_at=None if stored is None else stored.updated_at,
        said=words_of(vault, stored),
        sites=[to_site(each, vault) for each in sites],
    )
