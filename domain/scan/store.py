"""What one scan reads: the site with its public results, in one statement."""

from __future__ import annotations

from domain.enterprise.model import ScannedSite, SiteCard
from domain.enterprise.store import SITE_BY_CODE, SITES_BY_USCC
from domain.publication.model import StoredResult
from domain.publication.store import RESULTS_OF_SITE
from domain.shared.sql import Query


class ScannedResults(ScannedSite, frozen=True, kw_only=True):
    """A site reached by its code, with the results that are or were public, the newest first."""

    results: list[StoredResult]


class SiteResults(SiteCard, frozen=True, kw_only=True):
    """A site of an enterprise, likewise."""

    results: list[StoredResult]


_results = RESULTS_OF_SITE.label("results")
SCANNED_SITE = Query(SITE_BY_CODE.add_columns(_results), ScannedResults)
SITES_OF_ENTERPRISE = Query(SITES_BY_USCC.add_columns(_results), SiteResults)
