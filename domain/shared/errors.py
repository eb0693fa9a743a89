"""The root of every refusal.

A room derives its own errors and names the state in them (`OrderAlreadyClosed`); `api/problems.py` holds the one
table that turns each into an RFC 9457 problem.
"""

from __future__ import annotations


class DomainError(Exception):
    """A refusal that the caller can understand and mend; nothing was changed.

    `field` names the part of the request at fault; `facts` are shown to the caller as they are, so they hold no
    personal data.
    """

    def __init__(self, detail: str = "", *, field: str | None = None, **facts: object) -> None:
        """Keep `detail` (Chinese, for people), the `field` at fault and the `facts` for programs."""
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.facts = facts


class NotFound(DomainError):
    """Nothing of that id within the caller's scope; existence elsewhere is not told."""


class Forbidden(DomainError):
    """The caller's role or department may not do this."""


class Conflict(DomainError):
    """The stored state forbids it: a uniqueness or integrity rule of the database."""


class InvalidField(DomainError):
    """A field of the request has a value that cannot be used."""
