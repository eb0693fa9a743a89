"""The tokens that a session is carried by, as every way to log in answers them."""

from __future__ import annotations

from api.schemas.identity import SessionTokensAnswer, WhoAmI
from api.wiring import Parts
from domain.identity.operations import SessionGrant
from domain.identity.rules import ACCESS_LIFETIME


def answer_session(parts: Parts, grant: SessionGrant) -> SessionTokensAnswer:
    """Access and refresh token of the grant, and whose they are."""
    who = grant.principal
    return SessionTokensAnswer(
        access_token=parts.session_tokens.issue_access(who, parts.clock()),
        refresh_token=parts.session_tokens.issue_refresh(who.session_id, grant.refresh_generation),
        token_type="Bearer",  # noqa: S106 - the scheme's name, no secret
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
        account=WhoAmI(
            account_id=who.account_id,
            name=who.name,
            role=who.role,
            role_label=who.role.label,
            post=who.post,
            department_id=who.department_id,
            officer_id=who.officer_id,
            enterprise_id=who.enterprise_id,
            enterprise_post=who.enterprise_post,
            site_ids=who.site_ids,
        ),
    )
