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
from api.live import Feed, FeedRow
from api.page_cache import PageCache
from api.problems import answer_defect, answer_domain_error, answer_http_error
from api.public_reader import PublicReader
from api.routes.answers import answers_router
from api.routes.checklist import checklist_router
from api.routes.document import document_router, verification_router
from api.routes.document_template import document_template_router
from api.routes.enterprise import enterprise_router
from api.routes.evidence import evidence_router
from api.routes.health import health_router
from api.routes.identity import identity_router
from api.routes.inspection import inspection_router
from api.routes.live import live_router
from api.routes.package import package_router
from api.routes.publication import publication_router
from api.routes.record import record_router
from api.routes.rectification import rectification_router
from api.routes.scan import pages_router, scan_router
from api.routes.service import service_router
from api.routes.transfer import transfer_router
from api.settings import Settings
from api.submissions import read_submission
from api.wiring import APP_ROLE, Parts, open_parts
from domain.shared.clock import Clock, system_clock
from domain.shared.errors import DomainError
from domain.shared.random import Random, system_random

_BODY_BYTES = 256 * 1024
_MANY_SITES = frozenset({"enterprise.imported", "code.batch_issued"})


def _keeps_fresh(cache: PageCache) -> Callable[[FeedRow], None]:
    """What the feed calls for each placed row: pages of a changed site are thrown away."""

    def forget(row: FeedRow) -> None:
        if row.action in _MANY_SITES:
            cache.evict_all()
        elif row.site_id is not None:
            cache.evict(row.site_id)

    return forget


def create_app(
    settings: Settings, dsn: str, *, clock: Clock = system_clock, random: Random = system_random
) -> Litestar:
    """The whole application over the database at `dsn`; nothing is opened before it starts."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        async with open_parts(
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
        ) as parts:
            feed = Feed(parts.pool, dsn, APP_ROLE)
            cache = PageCache(settings.page_cache_bytes)
            feed.watch(_keeps_fresh(cache))
            reader = PublicReader(parts, feed, cache, settings.public_url)
            app.state.update(
                {"parts": parts, "feed": feed, "page_cache": cache, "settings": settings, "public_reader": reader}
            )
            with ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="password") as checkers:
                app.state.password_checkers = checkers
                following = asyncio.create_task(feed.run())
                # What was loaded so far stays: the collector need not walk it again and again under load.
                gc.collect()
                gc.freeze()
                yield
                following.cancel()
                with suppress(asyncio.CancelledError):
                    await following

    async def provide_parts(request: Request[Any, Any, Any]) -> Parts:
        parts: Parts = request.app.state.parts  # not by injecting `state`, which is copied for each request
        return parts

    v1 = Router(
        "/api/v1",
        route_handlers=[
            identity_router,
            enterprise_router,
            checklist_router,
            document_router,
            document_template_router,
            evidence_router,
            inspection_router,
            answers_router,
            record_router,
            package_router,
            publication_router,
            rectification_router,
            service_router,
            transfer_router,
            scan_router,
            live_router,
        ],
    )
    return Litestar(
        route_handlers=[v1, pages_router, verification_router, health_router],
        middleware=[authorise],
        lifespan=[lifespan],
        dependencies={"parts": Provide(provide_parts), "submission": Provide(read_submission)},
        exception_handlers={
            DomainError: answer_domain_error,
            HTTPException: answer_http_error,
            Exception: answer_defect,
        },
        openapi_config=OpenAPIConfig(
            title="Yima 一码", version="1.1.0", use_handler_docstrings=True, render_plugins=[]
        ),
        request_max_body_size=_BODY_BYTES,
        logging_config=None,
    )
