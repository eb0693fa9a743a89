"""`create_app`: the application and everything it is wired of, on one screen."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig

from api.auth import authorise
from api.citizen import answer_proof_required, read_caller, read_citizen_write
from api.guesses import Guesses
from api.identity_opening import open_identity_provider
from api.library import SHELF, Library
from api.live import Feed, FeedRow
from api.live.desk import LiveDesk
from api.live.signals import signals_of
from api.live.upgrade import tell_refused_upgrades
from api.page_cache import PageCache
from api.problems import answer_defect, answer_domain_error, answer_http_error, answer_too_deep
from api.public_reader import PublicReader
from api.routes.address_block import address_block_router
from api.routes.answers import answers_router
from api.routes.assigned_task import assigned_task_router
from api.routes.attachment import attachment_router
from api.routes.checklist import checklist_router
from api.routes.complaint import complaint_router
from api.routes.complaint_pages import complaint_pages_router
from api.routes.deadline import deadline_router
from api.routes.document import document_router, verification_router
from api.routes.document_template import document_template_router
from api.routes.door import badge_pages_router, door_router
from api.routes.enterprise import enterprise_router
from api.routes.evidence import evidence_router
from api.routes.exposure import exposure_pages_router, exposure_router
from api.routes.feedback import feedback_router
from api.routes.feedback_pages import feedback_pages_router
from api.routes.hazard import hazard_router
from api.routes.health import health_router
from api.routes.identity import identity_router
from api.routes.inbox import inbox_router
from api.routes.inspection import inspection_router
from api.routes.library import library_pages_router, library_router
from api.routes.live import live_router
from api.routes.mail_bounce import mail_bounce_router
from api.routes.manual import manual_router
from api.routes.material import material_router
from api.routes.membership import membership_router
from api.routes.message_desk import message_desk_router
from api.routes.message_receipt import message_receipt_router
from api.routes.message_template import message_template_router
from api.routes.notice_link import notice_link_router, notice_pages_router
from api.routes.objection import objection_router
from api.routes.open_data import open_data_pages_router, open_data_router
from api.routes.own_complaint import own_complaint_router
from api.routes.package import package_router
from api.routes.poster import poster_router
from api.routes.profile import profile_router
from api.routes.public_complaint import public_complaint_router
from api.routes.publication import publication_router
from api.routes.rating import rating_router
from api.routes.received_task import received_task_router
from api.routes.record import record_router
from api.routes.rectification import rectification_router
from api.routes.request import request_router
from api.routes.scan import pages_router, scan_router
from api.routes.search import search_pages_router, search_router
from api.routes.self_inspection import self_inspection_router
from api.routes.service import service_router
from api.routes.space import space_router
from api.routes.subscription import subscription_router
from api.routes.subscription_pages import subscription_pages_router
from api.routes.supervision_order import supervision_order_router
from api.routes.transfer import transfer_router
from api.routes.visitor import visitor_router
from api.settings import Settings
from api.submissions import read_submission
from api.view_counts import ViewCounts
from api.wiring import APP_ROLE, Parts, open_parts
from domain.shared.clock import Clock, system_clock
from domain.shared.errors import DomainError
from domain.shared.random import Random, system_random
from domain.visitor.rules import ProofRequired

_BODY_BYTES = 256 * 1024
_MANY_SITES = frozenset(
    {"enterprise.imported", "code.batch_issued", "manual.published", "manual.disabled", "manual.edited"}
)


def _keeps_fresh(cache: PageCache) -> Callable[[FeedRow], None]:
    """What the feed calls for each placed row: pages of a changed site are thrown away."""

    def forget(row: FeedRow) -> None:
        if row.action in _MANY_SITES:
            cache.evict_all()
        elif row.site_id is not None:
            cache.evict(row.site_id)
        elif row.subject == "checklist":
            cache.evict(row.subject_id)
            cache.evict(SHELF)

    return forget


def create_app(
    settings: Settings, dsn: str, *, clock: Clock = system_clock, random: Random = system_random
) -> Litestar:
    """The whole application over the database at `dsn`; nothing is opened before it starts."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        async with (
            open_identity_provider(settings, random) as identity,
            open_parts(
                dsn,
                settings.keys,
                blobs=settings.blob_place,
                pool_size=settings.pool_size,
                application="yima server",
                scanner=settings.scanner,
                embargo_working_days=settings.embargo_working_days,
                public_url=settings.public_url,
                clock=clock,
                random=random,
            ) as parts,
        ):
            feed = Feed(parts.pool, dsn, APP_ROLE, signals=signals_of(settings.redis, dsn, APP_ROLE))
            cache = PageCache(settings.page_cache_bytes)
            feed.watch(_keeps_fresh(cache))
            reader = PublicReader(parts, feed, cache, settings.public_url)
            views = ViewCounts(parts.pool)
            app.state.identity_provider = identity
            app.state.guesses = Guesses()
            app.state.update({"library": Library(parts, feed, cache), "view_counts": views})
            app.state.live_desk = LiveDesk(parts, feed)
            app.state.update(
                {"parts": parts, "feed": feed, "page_cache": cache, "settings": settings, "public_reader": reader}
            )
            with ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="password") as checkers:
                app.state.password_checkers = checkers
                following = asyncio.create_task(feed.run())
                counting = asyncio.create_task(views.run())
                # What was loaded so far stays: the collector need not walk it again and again under load.
                gc.collect()
                gc.freeze()
                yield
                for task in (following, counting):
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
                await views.close()

    async def provide_parts(request: Request[Any, Any, Any]) -> Parts:
        parts: Parts = request.app.state.parts  # not by injecting `state`, which is copied for each request
        return parts

    v1 = Router(
        "/api/v1",
        route_handlers=[
            identity_router,
            membership_router,
            message_receipt_router,
            message_template_router,
            mail_bounce_router,
            enterprise_router,
            checklist_router,
            complaint_router,
            own_complaint_router,
            public_complaint_router,
            manual_router,
            library_router,
            document_router,
            document_template_router,
            notice_link_router,
            inbox_router,
            message_desk_router,
            address_block_router,
            evidence_router,
            inspection_router,
            answers_router,
            record_router,
            package_router,
            poster_router,
            material_router,
            profile_router,
            space_router,
            publication_router,
            objection_router,
            rating_router,
            request_router,
            door_router,
            rectification_router,
            service_router,
            transfer_router,
            scan_router,
            search_router,
            subscription_router,
            open_data_router,
            exposure_router,
            feedback_router,
            live_router,
            self_inspection_router,
            hazard_router,
            assigned_task_router,
            received_task_router,
            attachment_router,
            visitor_router,
            deadline_router,
            supervision_order_router,
        ],
    )
    return Litestar(
        route_handlers=[
            v1,
            pages_router,
            search_pages_router,
            subscription_pages_router,
            open_data_pages_router,
            exposure_pages_router,
            feedback_pages_router,
            complaint_pages_router,
            library_pages_router,
            badge_pages_router,
            verification_router,
            notice_pages_router,
            health_router,
        ],
        middleware=[tell_refused_upgrades, authorise],
        lifespan=[lifespan],
        dependencies={
            "parts": Provide(provide_parts),
            "submission": Provide(read_submission),
            "caller": Provide(read_caller),
            "citizen_write": Provide(read_citizen_write),
        },
        exception_handlers={
            ProofRequired: answer_proof_required,
            DomainError: answer_domain_error,
            HTTPException: answer_http_error,
            RecursionError: answer_too_deep,
            Exception: answer_defect,
        },
        openapi_config=OpenAPIConfig(
            title="Yima 一码", version="1.3.0", use_handler_docstrings=True, render_plugins=[]
        ),
        request_max_body_size=_BODY_BYTES,
        logging_config=None,
    )
