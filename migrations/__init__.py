"""Every change of the tables, by Alembic, over the list of metadata."""

from __future__ import annotations

import domain.checklist.tables
import domain.complaint.tables
import domain.deadline.tables
import domain.document.link.tables
import domain.document.tables
import domain.enterprise.tables
import domain.evidence.tables
import domain.exposure.tables
import domain.feedback.tables
import domain.identity.tables
import domain.inspection.tables
import domain.manual.tables
import domain.material.tables
import domain.membership.tables
import domain.officer.tables
import domain.publication.objection.tables
import domain.publication.tables
import domain.rating.tables
import domain.rectification.tables
import domain.request.tables
import domain.scene.tables
import domain.search.tables
import domain.selection.tables
import domain.self_inspection.tables
import domain.subscription.tables
import domain.visitor.tables
from domain.shared.tables import metadata as domain_metadata
from notifications.tables import metadata as notifications_metadata

METADATA = (domain_metadata, notifications_metadata)
"""What the database must look like; `yima migrate --check` compares it with what the revisions make."""

__all__ = ["METADATA", "is_ours"]

_ROOMS = (
    domain.enterprise.tables,
    domain.selection.tables,
    domain.rectification.tables,
    domain.publication.tables,
    domain.publication.objection.tables,
    domain.evidence.tables,
    domain.document.link.tables,
    domain.document.tables,
    domain.checklist.tables,
    domain.identity.tables,
    domain.inspection.tables,
    domain.officer.tables,
    domain.scene.tables,
    domain.complaint.tables,
    domain.deadline.tables,
    domain.exposure.tables,
    domain.feedback.tables,
    domain.manual.tables,
    domain.material.tables,
    domain.membership.tables,
    domain.rating.tables,
    domain.request.tables,
    domain.search.tables,
    domain.self_inspection.tables,
    domain.subscription.tables,
    domain.visitor.tables,
)


def is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """PgQueuer's tables are made by its own installer, within a revision of ours, and are not compared."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))
