"""订阅摘要 of one morning: many subscribers, and the news of a day among those of a week."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from api.digest_round import send_digests
from api.wiring import open_parts
from benchmarks.apart import Figures, MeasurementFailed, peak_mb
from domain.evidence.model import BlobPlace
from domain.shared.clock import local_date
from domain.subscription.rules import start_of

_DAYS_BEFORE: Final = 7
_NEWS = """
WITH made AS (
    SELECT gen_random_uuid() AS id, e.id AS enterprise_id, s.id AS site_id, e.uscc, e.name, s.region, s.business_types,
        '南宁市市监局，' || (ARRAY['日常检查，未发现问题', '专项检查，发现问题已责令改正'])[1 + n.n % 2] AS body,
        'c:S' || lpad((1 + n.n % 35)::text, 2, '0') AS scene
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM site ORDER BY id OFFSET $2 LIMIT $3) n
    JOIN site s USING (id) JOIN enterprise e ON e.id = s.enterprise_id
), entry AS (
    INSERT INTO search_entry (kind, id, target, title, body, region, business_types, site_id, terms)
    SELECT 'result', id, uscc, name, body, region, business_types, site_id,
        search_terms('result', name, body, region, business_types) FROM made RETURNING id, terms
)
INSERT INTO news_entry (id, kind, entry_id, at, keys)
SELECT gen_random_uuid(), 'result', id, $1, terms || ARRAY['e:' || enterprise_id, 's:' || site_id, scene]
FROM entry JOIN made USING (id)
"""
# Of ten subscribers four follow an enterprise, three keywords, two a region, one a scene, some of these in a region.
_SUBSCRIBERS = """
INSERT INTO subscriber (id, channel, address_sealed, address_index, next_on, created_at)
SELECT gen_random_uuid(), CASE n % 2 WHEN 0 THEN 'sms' ELSE 'email' END, '\\x00', int4send(n), $2::date, $3
FROM generate_series(1, $1::int) n
"""
_SUBSCRIPTIONS = """
WITH numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM subscriber),
shop AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM enterprise),
place AS (SELECT code, row_number() OVER (ORDER BY code) - 1 AS n FROM region WHERE successor_code IS NULL),
made AS (
    SELECT s.id AS subscriber_id,
        CASE WHEN s.n % 10 < 4 THEN 'enterprise' WHEN s.n % 10 < 7 THEN 'keywords' WHEN s.n % 10 < 9 THEN 'region'
            ELSE 'scene' END AS topic,
        CASE WHEN s.n % 10 < 4 THEN shop.id END AS enterprise_id,
        CASE WHEN s.n % 10 >= 7 AND (s.n % 10 < 9 OR s.n % 20 = 9) THEN place.code END AS region_code,
        CASE WHEN s.n % 10 = 9 THEN 'S' || lpad((1 + s.n % 35)::text, 2, '0') END AS scene_code,
        CASE WHEN s.n % 10 BETWEEN 4 AND 6 THEN ARRAY[
            (s.n % 2000) || '号' || (ARRAY['餐饮店', '超市', '药店', '健身馆', '幼儿园', '加油站'])[1 + s.n % 6],
            (ARRAY['旅行社', '养老院', '发现问题', '专项检查'])[1 + s.n % 4] || (s.n % 50)]
            ELSE '{}'::text[] END AS keywords
    FROM numbered s LEFT JOIN shop ON shop.n = (s.n * 7) % (SELECT count(*) FROM shop)
    LEFT JOIN place ON place.n = s.n % (SELECT count(*) FROM place)
)
INSERT INTO subscription (id, subscriber_id, topic, topic_key, enterprise_id, region_code, scene_code, keywords, label,
    frequency, state, created_at, confirmed_at, covered_to, next_on)
SELECT gen_random_uuid(), subscriber_id, topic, topic || ':' || coalesce(enterprise_id::text, scene_code,
    array_to_string(keywords, ',')) || '@' || coalesce(region_code, ''), enterprise_id, region_code, scene_code,
    keywords, '订阅', 'daily', 'active', $1, $1, $2, $3
FROM made
"""
_MESSAGES = "FROM message WHERE template = 'subscription_digest'"
# Who must be told, found another way: key by key, and each keyword against each text of the day.
_MEANT = """
WITH new AS (SELECT n.id, n.keys, e.title || ' ' || e.body AS text FROM news_entry n
    JOIN search_entry e ON e.kind = n.kind AND e.id = n.entry_id WHERE n.at >= $1),
topic AS (SELECT DISTINCT topic_key, region_code, scene_code FROM subscription WHERE topic IN ('region', 'scene')),
key AS MATERIALIZED (SELECT id, unnest(keys) AS key FROM new),
place AS (
    SELECT topic_key FROM topic JOIN key ON key = 'r:' || region_code WHERE scene_code IS NULL
    UNION SELECT topic_key FROM topic JOIN key ON key = 'c:' || scene_code WHERE region_code IS NULL
    UNION SELECT topic_key FROM topic JOIN key scene ON scene.key = 'c:' || scene_code
        JOIN key place ON place.id = scene.id AND place.key = 'r:' || region_code
),
word AS (SELECT word FROM (SELECT DISTINCT unnest(keywords) AS word FROM subscription) asked
    WHERE EXISTS (SELECT FROM new WHERE strpos(new.text, word) > 0))
SELECT count(*) FROM subscription s WHERE s.topic_key IN (SELECT topic_key FROM place)
    OR 'e:' || s.enterprise_id IN (SELECT unnest(keys) FROM new)
    OR s.keywords && ARRAY(SELECT word FROM word)
"""


async def measure(dsn: str, keys_folder: Path, subscribers: int = 100_000, entries: int = 5_000) -> Figures:
    """Subscribers a second by one worker; seconds of the whole round, and the peak of the process.

    Raises `MeasurementFailed` where not exactly those who are meant are told, or anybody twice.
    """
    today = local_date(datetime.now(UTC))
    morning = start_of(today) + timedelta(hours=9)
    connection = await asyncpg.connect(dsn)
    try:
        meant = await _prepare(connection, today, subscribers, entries)
        blobs = BlobPlace(str(keys_folder / "blobs"))
        async with open_parts(
            dsn, keys_folder, blobs=blobs, pool_size=2, application="benchmark", clock=lambda: morning
        ) as parts:
            began = time.monotonic()
            await send_digests(parts)
            seconds = time.monotonic() - began
        await _require_told(connection, meant)
    finally:
        await connection.close()
    return {
        "subscribers_per_second": subscribers / seconds,
        "seconds": seconds,
        "subscribers": subscribers,
        "news": entries,
        "told": meant,
        "peak_mb": peak_mb(),
    }


async def _prepare(connection: asyncpg.Connection, today: date, subscribers: int, entries: int) -> int:
    """A week of news and all that subscribe; gives how many must be told of the last day's."""
    await connection.execute("TRUNCATE subscriber, news_entry CASCADE")
    await connection.execute("DELETE FROM search_entry WHERE kind = 'result'")
    for days in range(_DAYS_BEFORE, 0, -1):
        at = start_of(today - timedelta(days=days)) + timedelta(hours=15)
        await connection.execute(_NEWS, at, (days - 1) * entries, entries)
    now = start_of(today - timedelta(days=1))
    await connection.execute(_SUBSCRIBERS, subscribers, today, now)
    await connection.execute(_SUBSCRIPTIONS, now, now, today)
    for table in ("subscriber", "subscription", "news_entry", "search_entry"):
        await connection.execute(f"ANALYZE {table}")
    new = await connection.fetchval("SELECT count(*) FROM news_entry WHERE at >= $1", now)
    if new != entries:
        raise MeasurementFailed(f"{new} of {entries} results are there")
    meant = await connection.fetchval(_MEANT, now)
    return int(meant or 0)


async def _require_told(connection: asyncpg.Connection, meant: int) -> None:
    told = await connection.fetchval("SELECT count(DISTINCT subscriber_id) FROM subscription_digest")
    reached = await connection.fetchval(f"SELECT count(DISTINCT recipient_id) {_MESSAGES}")
    messages = await connection.fetchval(f"SELECT count(*) {_MESSAGES}")
    if not meant == told == reached == messages:
        raise MeasurementFailed(f"{meant} are meant, {told} have digests, {reached} got {messages} messages")
