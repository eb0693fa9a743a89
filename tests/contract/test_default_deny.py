"""Default deny, proved route by route: for nobody and for every role, with real tokens against the real application.

A new route is not in the table below and fails until someone has decided who may call it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import pytest_asyncio
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.routes import HTTPRoute, WebSocketRoute
from litestar.types import Message, WebSocketScope

from api.app import create_app
from api.auth import authorise, permit, permit_anyone, permitted
from api.contract.write import contract_app
from api.guesses import Guesses
from api.settings import Settings
from api.wiring import Parts
from domain.identity.model import EnterprisePost, Principal, Role
from tests.support.database import Database

Caller = Role | None
"""A role, or nobody signed in."""

EVERYBODY: frozenset[Caller] = frozenset({None, *Role})
SIGNED_IN: frozenset[Caller] = frozenset(Role)
NOBODY: frozenset[Caller] = frozenset()
STAFF: frozenset[Caller] = frozenset({Role.INSPECTOR, Role.DEPARTMENT_MANAGER, Role.LEAD})
INSPECTORS: frozenset[Caller] = frozenset({Role.INSPECTOR})
MANAGERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER})
CODE_MANAGERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR})
UPLOADERS: frozenset[Caller] = frozenset({Role.INSPECTOR, Role.ENTERPRISE})
PUBLICATION_READERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ENTERPRISE})
MATERIAL_READERS: frozenset[Caller] = frozenset({Role.ENTERPRISE, Role.INSPECTOR, Role.LEAD})
TEMPLATE_READERS: frozenset[Caller] = frozenset({Role.LEAD, Role.ADMINISTRATOR})
WATCHERS: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER, Role.LEAD})
MESSAGE_DESK: frozenset[Caller] = frozenset({Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ADMINISTRATOR})

DECIDED: Mapping[str, frozenset[Caller]] = {
    "GET /": EVERYBODY,
    "GET /c/{token:str}": EVERYBODY,
    "GET /C/{token:str}": EVERYBODY,
    "GET /c/{token:str}/elder": EVERYBODY,
    "GET /C/{token:str}/elder": EVERYBODY,
    "GET /e/{uscc:str}": EVERYBODY,
    "GET /n/{token:str}": EVERYBODY,
    "POST /n/{token:str}": EVERYBODY,
    "GET /n/{token:str}/paper.pdf": EVERYBODY,
    "POST /api/v1/notice-links/{token:str}/openings": EVERYBODY,
    "GET /api/v1/documents/{document_id:uuid}/notice-links": STAFF,
    "POST /api/v1/documents/{document_id:uuid}/notice-links/{link_id:uuid}/revocation": MANAGERS,
    "POST /api/v1/mail-bounces": EVERYBODY,
    "GET /api/v1/message-templates": TEMPLATE_READERS,
    "GET /api/v1/message-templates/{name:str}": TEMPLATE_READERS,
    "POST /api/v1/message-templates/{name:str}/preview": TEMPLATE_READERS,
    "GET /search": EVERYBODY,
    "GET /open-data": EVERYBODY,
    "GET /exposures": EVERYBODY,
    "GET /exposures/{exposure_id:uuid}": EVERYBODY,
    "GET /feedback/new": EVERYBODY,
    "POST /feedback": EVERYBODY,
    "GET /feedback/follow-up": EVERYBODY,
    "POST /feedback/follow-up": EVERYBODY,
    "GET /api/v1/public/search": EVERYBODY,
    "GET /api/v1/public/results": EVERYBODY,
    "GET /api/v1/public/results/dump": EVERYBODY,
    "GET /api/v1/public/results/dumps": EVERYBODY,
    "GET /api/v1/public/exposures": EVERYBODY,
    "GET /api/v1/public/exposures/{exposure_id:uuid}": EVERYBODY,
    "GET /api/v1/exposures": WATCHERS,
    "GET /api/v1/exposures/{exposure_id:uuid}": WATCHERS,
    "POST /api/v1/exposures": WATCHERS,
    "PUT /api/v1/exposures/{exposure_id:uuid}": WATCHERS,
    "POST /api/v1/exposures/{exposure_id:uuid}/publication": WATCHERS,
    "POST /api/v1/exposures/{exposure_id:uuid}/withdrawal": WATCHERS,
    "POST /api/v1/public/feedback": EVERYBODY,
    "POST /api/v1/public/feedback/follow-up": EVERYBODY,
    "POST /api/v1/feedback": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/feedback": WATCHERS,
    "GET /api/v1/feedback/{feedback_id:uuid}": WATCHERS,
    "POST /api/v1/feedback/{feedback_id:uuid}/answer": WATCHERS,
    "GET /health/live": EVERYBODY,
    "GET /c/{token:str}/complaint": EVERYBODY,
    "GET /s/{site_id:uuid}/complaint": EVERYBODY,
    "POST /s/{site_id:uuid}/complaint": EVERYBODY,
    "GET /s/{site_id:uuid}/tip-off": EVERYBODY,
    "POST /s/{site_id:uuid}/tip-off": EVERYBODY,
    "POST /c/{token:str}/complaint": EVERYBODY,
    "GET /c/{token:str}/tip-off": EVERYBODY,
    "POST /c/{token:str}/tip-off": EVERYBODY,
    "GET /complaints/follow-up": EVERYBODY,
    "POST /complaints/follow-up": EVERYBODY,
    "POST /api/v1/public/subscriptions": EVERYBODY,
    "GET /api/v1/public/subscriptions": EVERYBODY,
    "POST /api/v1/public/subscriptions/endings": EVERYBODY,
    "POST /api/v1/public/subscription-links/{token:str}/confirmation": EVERYBODY,
    "GET /api/v1/public/subscription-links/{token:str}": EVERYBODY,
    "POST /api/v1/public/subscription-links/{token:str}/endings": EVERYBODY,
    "GET /api/v1/public/digests/{token:str}": EVERYBODY,
    "POST /api/v1/public/digests/{token:str}/ending": EVERYBODY,
    "GET /subscriptions/new": EVERYBODY,
    "POST /subscriptions/new": EVERYBODY,
    "GET /subscriptions/own": EVERYBODY,
    "POST /subscriptions/own": EVERYBODY,
    "GET /subscriptions/confirm/{token:str}": EVERYBODY,
    "POST /subscriptions/confirm/{token:str}": EVERYBODY,
    "GET /subscriptions/{token:str}": EVERYBODY,
    "POST /subscriptions/{token:str}": EVERYBODY,
    "GET /d/{token:str}": EVERYBODY,
    "GET /d/{token:str}/end": EVERYBODY,
    "POST /d/{token:str}/end": EVERYBODY,
    "POST /api/v1/public/complaints": EVERYBODY,
    "POST /api/v1/public/tip-offs": EVERYBODY,
    "POST /api/v1/public/complaints/likely-duplicates": EVERYBODY,
    "POST /api/v1/public/follow-ups": EVERYBODY,
    "POST /api/v1/public/follow-ups/supplements": EVERYBODY,
    "POST /api/v1/public/follow-ups/withdrawal": EVERYBODY,
    "POST /api/v1/public/follow-ups/reopening": EVERYBODY,
    "GET /api/v1/grievances/{kind:str}": WATCHERS,
    "GET /api/v1/grievances/{kind:str}/{grievance_id:uuid}": WATCHERS,
    "GET /api/v1/grievances/{kind:str}/{grievance_id:uuid}/attachments/{digest:str}": WATCHERS,
    "POST /api/v1/grievances/{kind:str}/steps": frozenset({Role.LEAD}),
    "POST /api/v1/grievances/{kind:str}/inspections": frozenset({Role.LEAD}),
    "POST /api/v1/grievances/{kind:str}/{grievance_id:uuid}/steps": frozenset({Role.LEAD}),
    "POST /api/v1/grievances/{kind:str}/{grievance_id:uuid}/merges": frozenset({Role.LEAD}),
    "POST /api/v1/grievances/{kind:str}/{grievance_id:uuid}/abuse-marks": frozenset({Role.LEAD}),
    "POST /api/v1/grievances/{kind:str}/{grievance_id:uuid}/identity-views": frozenset({Role.LEAD}),
    "GET /api/v1/complaints": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/complaints/{complaint_id:uuid}": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/complaints/{complaint_id:uuid}/statements": frozenset({Role.ENTERPRISE}),
    "GET /health/ready": EVERYBODY,
    "GET /api/v1/messages": SIGNED_IN,
    "GET /api/v1/messages/counts": SIGNED_IN,
    "POST /api/v1/messages/readings": SIGNED_IN,
    "POST /api/v1/messages/{message_id:uuid}/reading": SIGNED_IN,
    "GET /api/v1/to-dos": SIGNED_IN,
    "POST /api/v1/to-dos/{message_id:uuid}/closing": SIGNED_IN,
    "GET /api/v1/message-log": MESSAGE_DESK,
    "GET /api/v1/message-log/statistics": MESSAGE_DESK,
    "GET /api/v1/message-log/{message_id:uuid}": MESSAGE_DESK,
    "POST /api/v1/message-log/retries": MESSAGE_DESK,
    "GET /api/v1/message-providers": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "GET /api/v1/address-blocks": frozenset({Role.ADMINISTRATOR}),
    "POST /api/v1/address-blocks": MESSAGE_DESK,
    "POST /api/v1/address-blocks/lookups": MESSAGE_DESK,
    "POST /api/v1/address-blocks/{block_id:uuid}/lifting": MESSAGE_DESK,
    "POST /api/v1/message-receipts/kannel/incoming/{secret:str}": EVERYBODY,
    "GET /api/v1/message-receipts/kannel": EVERYBODY,
    "POST /api/v1/message-receipts/aliyun/{secret:str}": EVERYBODY,
    "POST /api/v1/message-receipts/zhiguitong/{secret:str}": EVERYBODY,
    "GET /api/v1/codes/{token:str}": EVERYBODY,
    "GET /api/v1/public/enterprises/{uscc:str}": EVERYBODY,
    "POST /api/v1/sessions": EVERYBODY,
    "POST /api/v1/sessions/refresh": EVERYBODY,
    "POST /api/v1/sessions/zhiguitong": EVERYBODY,
    "POST /api/v1/enterprise-claims": EVERYBODY,
    "GET /api/v1/enterprise-members": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/enterprise-members": frozenset({Role.ENTERPRISE}),
    "PUT /api/v1/enterprise-members/{member_id:uuid}": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/enterprise-members/{member_id:uuid}/removal": frozenset({Role.ENTERPRISE}),
    "DELETE /api/v1/sessions/current": SIGNED_IN,
    "GET /api/v1/inspections": STAFF,
    "GET /api/v1/inspections/{inspection_id:uuid}": STAFF,
    "POST /api/v1/inspections/{inspection_id:uuid}/check-ins": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/identifications": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/departures": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/voids": INSPECTORS,
    "POST /api/v1/sites/{site_id:uuid}/codes": CODE_MANAGERS,
    "POST /api/v1/sites/{site_id:uuid}/codes/reissue": CODE_MANAGERS,
    "POST /api/v1/sites/{site_id:uuid}/codes/revoke": CODE_MANAGERS,
    "GET /api/v1/sites/{site_id:uuid}/code.png": CODE_MANAGERS | {Role.ENTERPRISE},
    "GET /api/v1/sites/{site_id:uuid}/code.svg": CODE_MANAGERS | {Role.ENTERPRISE},
    "GET /api/v1/space": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/space/papers": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/enterprises/{enterprise_id:uuid}/profile": frozenset({Role.ENTERPRISE}),
    "PUT /api/v1/enterprises/{enterprise_id:uuid}/profile": frozenset({Role.ENTERPRISE}),
    "PUT /api/v1/sites/{site_id:uuid}/profile": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/enterprises/{enterprise_id:uuid}/materials": MATERIAL_READERS,
    "POST /api/v1/enterprises/{enterprise_id:uuid}/materials": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/materials/{material_id:uuid}": MATERIAL_READERS,
    "GET /api/v1/materials/{material_id:uuid}/versions/{version:int}/files/{digest:str}": MATERIAL_READERS,
    "POST /api/v1/materials/{material_id:uuid}/removal": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/sites/{site_id:uuid}/poster": CODE_MANAGERS | {Role.ENTERPRISE},
    "POST /api/v1/poster-batches": CODE_MANAGERS,
    "GET /api/v1/poster-batches": CODE_MANAGERS,
    "GET /api/v1/poster-batches/{batch_id:uuid}": CODE_MANAGERS,
    "GET /api/v1/poster-batches/{batch_id:uuid}/parts": CODE_MANAGERS,
    "GET /api/v1/poster-batches/{batch_id:uuid}/parts/{number:int}/file.pdf": CODE_MANAGERS,
    "POST /api/v1/poster-batches/{batch_id:uuid}/cancellation": CODE_MANAGERS,
    "POST /api/v1/poster-batches/{batch_id:uuid}/resumption": CODE_MANAGERS,
    "GET /api/v1/checklists": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}/changes": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}/preview": STAFF,
    "GET /api/v1/checklists/{checklist_id:uuid}/export.xlsx": STAFF,
    "POST /api/v1/checklists": MANAGERS,
    "PUT /api/v1/checklists/{checklist_id:uuid}": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/versions": MANAGERS,
    "PUT /api/v1/checklists/{checklist_id:uuid}/draft/items": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/draft/import": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/publish": MANAGERS,
    "POST /api/v1/checklists/{checklist_id:uuid}/state": MANAGERS,
    "DELETE /api/v1/checklists/{checklist_id:uuid}": MANAGERS,
    "GET /manuals": EVERYBODY,
    "GET /manuals/{manual_id:uuid}": EVERYBODY,
    "GET /manuals/{manual_id:uuid}/elder": EVERYBODY,
    "GET /manuals/{manual_id:uuid}/file": EVERYBODY,
    "GET /checklists": EVERYBODY,
    "GET /checklists/{checklist_id:uuid}": EVERYBODY,
    "GET /checklists/{checklist_id:uuid}/elder": EVERYBODY,
    "GET /api/v1/public/manuals": EVERYBODY,
    "GET /api/v1/public/manuals/{manual_id:uuid}": EVERYBODY,
    "GET /api/v1/public/checklists": EVERYBODY,
    "GET /api/v1/public/checklists/{checklist_id:uuid}": EVERYBODY,
    "GET /api/v1/manuals": STAFF,
    "GET /api/v1/manuals/{manual_id:uuid}": STAFF,
    "GET /api/v1/manuals/{manual_id:uuid}/comparison": STAFF,
    "GET /api/v1/manuals/{manual_id:uuid}/preview": WATCHERS,
    "GET /api/v1/manuals/{manual_id:uuid}/file": STAFF,
    "POST /api/v1/manuals": WATCHERS,
    "PUT /api/v1/manuals/{manual_id:uuid}": WATCHERS,
    "POST /api/v1/manuals/{manual_id:uuid}/versions": WATCHERS,
    "PUT /api/v1/manuals/{manual_id:uuid}/draft/elements": WATCHERS,
    "PUT /api/v1/manuals/{manual_id:uuid}/draft/file": WATCHERS,
    "POST /api/v1/manuals/{manual_id:uuid}/publish": WATCHERS,
    "POST /api/v1/manuals/{manual_id:uuid}/disabling": WATCHERS,
    "GET /api/v1/packages/today": INSPECTORS,
    "POST /api/v1/number-leases": INSPECTORS,
    "GET /api/v1/inspections/{inspection_id:uuid}/checklist": STAFF,
    "GET /api/v1/inspections/{inspection_id:uuid}/draw": STAFF,
    "PUT /api/v1/inspections/{inspection_id:uuid}/answers/{item_id:uuid}": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/answers": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/list-releases": INSPECTORS,
    "GET /api/v1/inspections/{inspection_id:uuid}/record": STAFF,
    "GET /api/v1/inspections/{inspection_id:uuid}/record.pdf": STAFF | {Role.ENTERPRISE},
    "PUT /api/v1/inspections/{inspection_id:uuid}/record": INSPECTORS,
    "PUT /api/v1/inspections/{inspection_id:uuid}/signatures/{role:str}": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/record/reopenings": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/completion": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/replacements": MANAGERS,
    "PUT /api/v1/attachments/{digest:str}": EVERYBODY,
    "POST /api/v1/public/phone-verifications": EVERYBODY,
    "POST /api/v1/public/phone-verifications/{verification_id:uuid}/proof": EVERYBODY,
    "POST /api/v1/public/passes": EVERYBODY,
    "GET /api/v1/public/challenges": EVERYBODY,
    "PUT /api/v1/evidence/{digest:str}": UPLOADERS,
    "HEAD /api/v1/evidence/{digest:str}": UPLOADERS,
    "GET /api/v1/evidence/{digest:str}": STAFF | UPLOADERS,
    "GET /api/v1/deadlines": STAFF,
    "GET /api/v1/deadlines/{deadline_id:uuid}": STAFF,
    "POST /api/v1/deadlines/{deadline_id:uuid}/supervision-orders": frozenset({Role.LEAD}),
    "GET /api/v1/supervision-orders": STAFF,
    "GET /api/v1/supervision-orders/{order_id:uuid}": STAFF,
    "POST /api/v1/supervision-orders/{order_id:uuid}/answers": STAFF,
    "POST /api/v1/supervision-orders/{order_id:uuid}/judgements": frozenset({Role.LEAD}),
    "GET /api/v1/working-calendar/{year:int}": STAFF | {Role.ADMINISTRATOR},
    "POST /api/v1/working-calendar/days": frozenset({Role.ADMINISTRATOR}),
    "GET /api/v1/publications": PUBLICATION_READERS,
    "GET /api/v1/publications/{publication_id:uuid}": PUBLICATION_READERS,
    "POST /api/v1/publications/{publication_id:uuid}/withholding": MANAGERS,
    "POST /api/v1/publications/{publication_id:uuid}/release": MANAGERS,
    "POST /api/v1/publications/{publication_id:uuid}/withdrawal": MANAGERS,
    "POST /api/v1/publications/{publication_id:uuid}/replies": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/publications/{publication_id:uuid}/replies/{reply_id:uuid}/withdrawal": frozenset(
        {Role.ENTERPRISE, Role.DEPARTMENT_MANAGER}
    ),
    "POST /api/v1/self-inspections": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/self-inspections": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/self-inspections/{self_inspection_id:uuid}": frozenset({Role.ENTERPRISE}),
    "PUT /api/v1/self-inspections/{self_inspection_id:uuid}/answers/{item_id:uuid}": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/self-inspections/{self_inspection_id:uuid}/submission": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/self-inspections/{self_inspection_id:uuid}/discarding": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/self-inspections/{self_inspection_id:uuid}/attachments/{digest:str}": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/self-inspection-schedule": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/hazards": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/hazards": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/hazards/{hazard_id:uuid}": PUBLICATION_READERS,
    "PUT /api/v1/hazards/{hazard_id:uuid}/handling": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/hazards/{hazard_id:uuid}/closing": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/hazards/{hazard_id:uuid}/escalation": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/hazards/{hazard_id:uuid}/attachments/{digest:str}": PUBLICATION_READERS,
    "GET /api/v1/escalated-hazards": WATCHERS,
    "POST /api/v1/assigned-tasks": WATCHERS,
    "GET /api/v1/assigned-tasks": WATCHERS,
    "GET /api/v1/assigned-tasks/{task_id:uuid}": WATCHERS,
    "PUT /api/v1/assigned-tasks/{task_id:uuid}": WATCHERS,
    "POST /api/v1/assigned-tasks/{task_id:uuid}/rows": WATCHERS,
    "POST /api/v1/assigned-tasks/{task_id:uuid}/rows/removal": WATCHERS,
    "PUT /api/v1/assigned-tasks/{task_id:uuid}/objects": WATCHERS,
    "POST /api/v1/assigned-tasks/{task_id:uuid}/confirmation": WATCHERS,
    "POST /api/v1/assigned-tasks/{task_id:uuid}/reopening": WATCHERS,
    "POST /api/v1/assigned-tasks/{task_id:uuid}/dispatch": WATCHERS,
    "POST /api/v1/assigned-tasks/{task_id:uuid}/stop": WATCHERS,
    "GET /api/v1/assigned-tasks/{task_id:uuid}/objects": WATCHERS,
    "GET /api/v1/assigned-tasks/{task_id:uuid}/objects/{object_id:uuid}": WATCHERS,
    "GET /api/v1/assigned-tasks/{task_id:uuid}/objects/{object_id:uuid}/attachments/{digest:str}": WATCHERS,
    "GET /api/v1/received-tasks": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/received-tasks/{object_id:uuid}": frozenset({Role.ENTERPRISE}),
    "PUT /api/v1/received-tasks/{object_id:uuid}/answers/{row_id:uuid}": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/received-tasks/{object_id:uuid}/submission": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/received-tasks/{object_id:uuid}/attachments/{digest:str}": frozenset({Role.ENTERPRISE}),
    "GET /v/{code:str}": EVERYBODY,
    "GET /V/{code:str}": EVERYBODY,
    "GET /api/v1/inspections/{inspection_id:uuid}/documents": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/documents": WATCHERS,
    "GET /api/v1/documents/{document_id:uuid}": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/documents/{document_id:uuid}/file.pdf": STAFF | {Role.ENTERPRISE},
    "POST /api/v1/documents/{document_id:uuid}/sealed-copy": INSPECTORS | MANAGERS,
    "GET /api/v1/document-templates": CODE_MANAGERS | INSPECTORS,
    "GET /api/v1/document-templates/{template_id:uuid}": CODE_MANAGERS | INSPECTORS,
    "GET /api/v1/document-templates/{template_id:uuid}/preview.pdf": CODE_MANAGERS | INSPECTORS,
    "GET /api/v1/document-templates/{template_id:uuid}/body.json": CODE_MANAGERS | INSPECTORS,
    "POST /api/v1/document-templates": CODE_MANAGERS,
    "PUT /api/v1/document-templates/{template_id:uuid}": CODE_MANAGERS,
    "POST /api/v1/document-templates/{template_id:uuid}/steps": CODE_MANAGERS,
    "DELETE /api/v1/document-templates/{template_id:uuid}": CODE_MANAGERS,
    "GET /api/v1/inspections/{inspection_id:uuid}/rectification-orders/draft": INSPECTORS,
    "POST /api/v1/inspections/{inspection_id:uuid}/rectification-orders": INSPECTORS,
    "GET /api/v1/rectification-orders": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/rectification-orders/{order_id:uuid}": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/rectification-orders/{order_id:uuid}/notice.pdf": STAFF | {Role.ENTERPRISE},
    "POST /api/v1/rectification-orders/{order_id:uuid}/revocation": MANAGERS,
    "POST /api/v1/rectification-orders/{order_id:uuid}/feedback": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/rectification-orders/{order_id:uuid}/extension": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/rectification-orders/{order_id:uuid}/extension/decision": MANAGERS,
    "POST /api/v1/rectification-orders/{order_id:uuid}/re-inspections": INSPECTORS,
    "POST /api/v1/rectification-orders/{order_id:uuid}/services": INSPECTORS | MANAGERS,
    "GET /api/v1/rectification-orders/{order_id:uuid}/messages/preview": INSPECTORS | MANAGERS,
    "POST /api/v1/rectification-orders/{order_id:uuid}/messages": INSPECTORS | MANAGERS,
    "POST /api/v1/inspections/{inspection_id:uuid}/notice-services": INSPECTORS | MANAGERS,
    "GET /api/v1/enterprises/{enterprise_id:uuid}/service-consents": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/enterprises/{enterprise_id:uuid}/service-consents": INSPECTORS | {Role.ENTERPRISE},
    "POST /api/v1/enterprises/{enterprise_id:uuid}/service-consents/withdrawal": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/inspections/{inspection_id:uuid}/transfers": INSPECTORS,
    "GET /api/v1/transfers": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/transfers/{transfer_id:uuid}/file.zip": INSPECTORS | MANAGERS,
    "POST /api/v1/transfers/{transfer_id:uuid}/hand-over": INSPECTORS | MANAGERS,
    "POST /api/v1/enterprise-requests": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/enterprise-requests/{request_id:uuid}/steps": PUBLICATION_READERS,
    "GET /api/v1/enterprise-requests": WATCHERS,
    "GET /api/v1/enterprise-requests/own": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/enterprise-requests/{request_id:uuid}": PUBLICATION_READERS,
    "GET /api/v1/enterprise-requests/{request_id:uuid}/attachments/{digest:str}": PUBLICATION_READERS,
    "GET /api/v1/publications/{publication_id:uuid}/preview": PUBLICATION_READERS,
    "POST /api/v1/publications/{publication_id:uuid}/objections": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/objections": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/objections/{objection_id:uuid}": STAFF | {Role.ENTERPRISE},
    "GET /api/v1/objections/{objection_id:uuid}/attachments/{digest:str}": STAFF | {Role.ENTERPRISE},
    "POST /api/v1/objections/{objection_id:uuid}/decision": STAFF,
    "POST /api/v1/objections/{objection_id:uuid}/withdrawal": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/rating-invitations": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/rating-invitations/{invitation_id:uuid}/token": frozenset({Role.ENTERPRISE}),
    "POST /api/v1/ratings": EVERYBODY,
    "GET /api/v1/rating-batches": WATCHERS,
    "GET /api/v1/rating-batches/{batch_id:uuid}": WATCHERS,
    "GET /api/v1/rating-misconduct": frozenset({Role.LEAD}),
    "GET /api/v1/officers/me/badge": INSPECTORS,
    "POST /api/v1/badges/verification": EVERYBODY,
    "GET /b/{code:str}": EVERYBODY,
    "GET /B/{code:str}": EVERYBODY,
    "GET /api/v1/sites/{site_id:uuid}/live-code": frozenset({Role.ENTERPRISE}),
    "GET /api/v1/inspections/{inspection_id:uuid}/identification-screen": STAFF | {Role.ENTERPRISE},
    "POST /api/v1/inspections/{inspection_id:uuid}/identification-replies": frozenset({Role.ENTERPRISE}),
    "WEBSOCKET /api/v1/live": STAFF,
    "GET /api/v1/live/events": STAFF,
}
_ID = "0198f3a2-1001-7d40-9a51-2b7f4c8e1d03"
_FILLED = {
    "kind:str": "complaint",
    "grievance_id:uuid": _ID,
    "complaint_id:uuid": _ID,
    "batch_id:uuid": _ID,
    "number:int": "1",
    "version:int": "1",
    "material_id:uuid": _ID,
    "checklist_id:uuid": _ID,
    "row_id:uuid": _ID,
    "object_id:uuid": _ID,
    "task_id:uuid": _ID,
    "hazard_id:uuid": _ID,
    "self_inspection_id:uuid": _ID,
    "manual_id:uuid": _ID,
    "member_id:uuid": _ID,
    "code:str": "0" * 16,
    "digest:str": "0" * 64,
    "verification_id:uuid": _ID,
    "document_id:uuid": _ID,
    "link_id:uuid": _ID,
    "template_id:uuid": _ID,
    "transfer_id:uuid": _ID,
    "enterprise_id:uuid": _ID,
    "inspection_id:uuid": _ID,
    "request_id:uuid": _ID,
    "objection_id:uuid": _ID,
    "invitation_id:uuid": _ID,
    "item_id:uuid": _ID,
    "role:str": "officer",
    "order_id:uuid": _ID,
    "deadline_id:uuid": _ID,
    "message_id:uuid": _ID,
    "block_id:uuid": _ID,
    "year:int": "2026",
    "publication_id:uuid": _ID,
    "exposure_id:uuid": _ID,
    "feedback_id:uuid": _ID,
    "reply_id:uuid": _ID,
    "site_id:uuid": _ID,
    "token:str": "0" * 31,
    "uscc:str": "9" * 18,
    "path:str": "x",
}


def handlers_of(app: Litestar) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every method and path that the application answers, with its handler's `opt`."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                yield from ((f"{method} {route.path}", handler.opt) for method in sorted(handler.http_methods))
        else:
            assert isinstance(route, WebSocketRoute), "another kind of route needs a decision, too"
            yield f"WEBSOCKET {route.path}", route.route_handler.opt


ROUTES = dict(handlers_of(contract_app()))


def is_the_frameworks_own(route: str) -> bool:
    """Litestar answers OPTIONS and its own schema pages; nobody permitted them, so nobody gets them."""
    return route.startswith("OPTIONS ") or " /schema" in route


def may(caller: Caller, route: str) -> bool:
    """What was decided."""
    return caller in (NOBODY if is_the_frameworks_own(route) else DECIDED[route])


def a_principal(role: Role) -> Principal:
    """Someone of that role, who is in the region but whom nobody assigned to anything."""
    some = UUID(_ID)
    return Principal(
        account_id=some,
        session_id=some,
        name="某人",
        role=role,
        post="某职",
        department_id=some,
        region="r45.r4501",
        officer_id=some if role is Role.INSPECTOR else None,
        enterprise_id=some if role is Role.ENTERPRISE else None,
        enterprise_post=EnterprisePost.MANAGER if role is Role.ENTERPRISE else None,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Litestar]:
    """The real application, started."""
    var = tmp_path_factory.mktemp("var")
    built = create_app(Settings(var=var, keys=var / "keys"), database.dsn)
    ready, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        # In a task of its own: Litestar's lifespan must end in the task that began it, a fixture may not.
        async with built.lifespan():
            ready.set()
            await over.wait()

    living = asyncio.create_task(live())
    starting = asyncio.create_task(ready.wait())
    await asyncio.wait({living, starting}, return_when=asyncio.FIRST_COMPLETED)
    assert ready.is_set(), living.exception()
    built.state.guesses = Guesses(most=100_000)  # every link here is a wrong one
    yield built
    over.set()
    await living


def bearer(parts: Parts, caller: Caller) -> dict[str, str]:
    """The header with which `caller` comes."""
    if caller is None:
        return {}
    return {"authorization": f"Bearer {parts.session_tokens.issue_access(a_principal(caller), parts.clock())}"}


_UNENDING: Mapping[str, str] = {"/api/v1/live/events": "?after=none"}
"""An answer without an end is asked for with what is refused only behind the gate."""


async def ask(app: Litestar, route: str, headers: Mapping[str, str]) -> httpx.Response:
    """One request as it may come, with a key and an empty body."""
    method, _, path = route.partition(" ")
    if path in _UNENDING:
        path += _UNENDING[path]
    for name, value in _FILLED.items():
        path = path.replace(f"{{{name}}}", value)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type] - httpx types a scope as any mapping
    async with httpx.AsyncClient(transport=transport, base_url="http://yima") as client:
        keyed = {**headers, "idempotency-key": "a-key-of-this-test"}
        return await client.request(method, path, headers=keyed, content=b"{}" if method == "POST" else None)


async def is_let_in(app: Litestar, path: str, headers: Mapping[str, str]) -> bool:
    """Whether the WebSocket at `path` accepts a caller, who leaves at once."""
    said: list[Message] = []
    coming: list[Any] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    scope: Any = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": [],
        "client": ("127.0.0.1", 1),
        "server": ("yima", 80),
        "scheme": "ws",
        "root_path": "",
        "http_version": "1.1",
        "extensions": {},
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "state": {},
    }
    checked: WebSocketScope = scope
    await app(checked, receive, send)  # type: ignore[arg-type] - what a server would pass
    return any(message["type"] == "websocket.accept" for message in said)


def test_every_route_was_decided_upon() -> None:
    ours = {route for route in ROUTES if not is_the_frameworks_own(route)}
    assert ours - DECIDED.keys() == set(), "decide who may call these, and write it into the table"
    assert DECIDED.keys() - ours == set(), "these are gone"


def test_the_permits_in_the_code_are_those_of_the_table() -> None:
    for route, decided in DECIDED.items():
        roles = permitted(ROUTES[route])
        assert (EVERYBODY if roles is None else roles) == decided, route


@pytest.mark.parametrize("caller", [None, *Role], ids=lambda caller: caller or "nobody")
@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_a_route_lets_in_whom_the_table_names_and_nobody_else(app: Litestar, route: str, caller: Caller) -> None:
    headers = bearer(app.state.parts, caller)
    if route.startswith("WEBSOCKET "):
        assert await is_let_in(app, route.partition(" ")[2], headers) == may(caller, route)
        return
    answer = await ask(app, route, headers)
    if may(caller, route):
        # A body of {} is refused by what is behind the gate, and nothing of this test exists: but not for who calls.
        # A citizen's write asks for a pass, a page for a form: who calls is no matter to either.
        is_at_the_citizens_gate = answer.status_code == 401 and "pass-required" in answer.text
        # 201: a pass is given to anybody who asks.
        assert answer.status_code in {200, 201, 204, 400, 404, 409, 422} or is_at_the_citizens_gate, answer.text
    else:
        # An answer to HEAD has no body to tell the slug.
        told = answer.content or json.dumps({"type": "not-signed-in" if answer.status_code == 401 else "forbidden"})
        slug = json.loads(told)["type"].rpartition(":")[2]
        assert (answer.status_code, slug) == ((401, "not-signed-in") if caller is None else (403, "forbidden"))


_WRITES = ("POST ", "PUT ", "PATCH ", "DELETE ")
OWN_ACTS = {
    "DELETE /api/v1/sessions/current",
    "POST /api/v1/messages/readings",
    "POST /api/v1/messages/{message_id:uuid}/reading",
}


@pytest.mark.parametrize(
    "route", sorted(each for each in DECIDED if each.startswith(_WRITES) and Role.ENTERPRISE in DECIDED[each])
)
@pytest.mark.parametrize("post", [EnterprisePost.VIEWER, None])
async def test_who_only_views_for_an_enterprise_writes_nothing(
    app: Litestar, route: str, post: EnterprisePost | None
) -> None:
    if permitted(ROUTES[route]) is None or route in OWN_ACTS:
        return  # a citizen's write, logging out, and reading one's messages are no act for the enterprise
    parts: Parts = app.state.parts
    viewer = msgspec.structs.replace(a_principal(Role.ENTERPRISE), enterprise_post=post)
    token = parts.session_tokens.issue_access(viewer, parts.clock())
    answer = await ask(app, route, {"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:yima:problem:forbidden")


@pytest.mark.parametrize("route", sorted(route for route in DECIDED if route.startswith("GET ")))
async def test_a_token_that_is_not_ours_is_refused_also_where_none_is_needed(app: Litestar, route: str) -> None:
    answer = await ask(app, route, {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:yima:problem:token-invalid")


async def test_a_route_that_names_nobody_is_denied_to_everybody(app: Litestar) -> None:
    @get("/forgotten")
    async def forgotten() -> None:
        """Whose author forgot the permit."""

    @get("/known", opt=permit(Role.LEAD))
    async def known() -> None:
        """For comparison."""

    @get("/open", opt=permit_anyone())
    async def public() -> None:
        """For comparison."""

    parts: Parts = app.state.parts
    small = Litestar(
        [forgotten, known, public], middleware=[authorise], state=State({"parts": parts}), openapi_config=None
    )
    for caller in (None, *Role):
        headers = bearer(parts, caller)
        assert (await ask(small, "GET /forgotten", headers)).status_code == (401 if caller is None else 403)
        assert (await ask(small, "GET /open", headers)).status_code == 200
    assert (await ask(small, "GET /known", bearer(parts, Role.LEAD))).status_code == 200
    assert (await ask(small, "GET /known", bearer(parts, Role.INSPECTOR))).status_code == 403
