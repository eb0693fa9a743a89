"""Pages in memory: never older than what was last told about their site."""

from uuid import UUID

from api.page_cache import CachedPage, PageCache

SITE, OTHER = UUID(int=1), UUID(int=2)
KIB = 1024


def page(site: UUID = SITE, size: int = 100, mark: bytes = b"x") -> CachedPage:
    return CachedPage(mark * size, "etag", site)


def place(name: str) -> tuple[bytes, str]:
    return name.encode(), "html"


def kept(cache: PageCache, *names: str) -> list[str]:
    return [name for name in names if cache.get(place(name)) is not None]


def put(cache: PageCache, name: str, what: CachedPage) -> None:
    cache.put(place(name), what, cache.begin_reading())


def test_a_page_is_kept_under_its_code_and_representation() -> None:
    cache = PageCache(10 * KIB)
    put(cache, "a", page())
    assert cache.get(place("a")) == page()
    assert cache.get((b"a", "json")) is None
    assert cache.get(place("b")) is None


def test_a_change_told_while_the_page_was_read_keeps_it_out() -> None:
    cache = PageCache(10 * KIB)
    since = cache.begin_reading()
    cache.evict(SITE)
    cache.put(place("a"), page(), since)
    assert kept(cache, "a") == []


def test_a_change_of_another_site_keeps_nothing_out() -> None:
    cache = PageCache(10 * KIB)
    since = cache.begin_reading()
    cache.evict(OTHER)
    cache.put(place("a"), page(), since)
    assert kept(cache, "a") == ["a"]


def test_what_is_read_after_the_change_is_kept() -> None:
    cache = PageCache(10 * KIB)
    cache.evict(SITE)
    put(cache, "a", page())
    assert kept(cache, "a") == ["a"]


def test_a_change_throws_away_every_page_of_its_site_and_no_other() -> None:
    cache = PageCache(10 * KIB)
    for name, site in (("a", SITE), ("b", SITE), ("c", OTHER)):
        put(cache, name, page(site))
    cache.evict(SITE)
    assert kept(cache, "a", "b", "c") == ["c"]


def test_a_change_of_many_sites_throws_away_all_and_keeps_out_what_was_being_read() -> None:
    cache = PageCache(10 * KIB)
    put(cache, "a", page())
    since = cache.begin_reading()
    cache.evict_all()
    cache.put(place("b"), page(OTHER), since)
    assert kept(cache, "a", "b") == []
    put(cache, "c", page())
    assert kept(cache, "c") == ["c"]


def test_what_cannot_be_told_any_more_is_kept_out() -> None:
    cache = PageCache(10 * KIB)
    since = cache.begin_reading()
    cache.evict(SITE)
    for number in range(10_000):  # so many that the eviction of SITE itself is forgotten
        cache.evict(UUID(int=100 + number))
    cache.put(place("a"), page(), since)
    assert kept(cache, "a") == []


def test_many_single_changes_do_not_make_a_change_of_all_forgotten() -> None:
    cache = PageCache(10 * KIB)
    cache.evict(OTHER)
    since = cache.begin_reading()
    cache.evict_all()
    for number in range(10_000):  # so many that the eviction of OTHER, older than `since`, is forgotten
        cache.evict(UUID(int=100 + number))
    cache.put(place("a"), page(), since)
    assert kept(cache, "a") == []


def test_the_least_recently_used_leaves_first() -> None:
    cache = PageCache(3 * KIB)
    for name in "abc":
        put(cache, name, page(size=600))
    assert kept(cache, "a") == ["a"]  # used again, so `b` is now the oldest
    put(cache, "d", page(size=600))
    assert kept(cache, "a", "b", "c", "d") == ["a", "c", "d"]


def test_capacity_is_counted_in_bytes_not_in_pages() -> None:
    cache = PageCache(10 * KIB)
    for number in range(7):
        put(cache, f"small {number}", page(size=1000))
    put(cache, "large", page(size=8 * KIB))
    assert kept(cache, "large", *(f"small {number}" for number in range(7))) == ["large", "small 6"]


def test_a_page_put_again_replaces_the_former_and_is_counted_once() -> None:
    cache = PageCache(3 * KIB)
    put(cache, "a", page(size=2 * KIB))
    for mark in (b"1", b"2", b"3"):
        put(cache, "b", page(size=100, mark=mark))
    assert cache.get(place("b")) == page(size=100, mark=b"3")
    assert kept(cache, "a") == ["a"]


def test_a_page_larger_than_the_cache_drives_nothing_out() -> None:
    cache = PageCache(2 * KIB)
    put(cache, "a", page())
    put(cache, "b", page(size=2 * KIB))
    assert kept(cache, "a", "b") == ["a"]


def test_room_given_up_by_eviction_is_used_again() -> None:
    cache = PageCache(3 * KIB)
    for _ in range(5):
        for name in "abc":
            put(cache, name, page(size=600))
        cache.evict(SITE)
    for _ in range(5):
        for name in "abc":
            put(cache, name, page(size=600))
        cache.evict_all()
    for name in "abc":
        put(cache, name, page(size=600))
    assert kept(cache, *"abc") == ["a", "b", "c"]


def test_a_cache_without_room_keeps_nothing() -> None:
    cache = PageCache(0)
    put(cache, "a", page(size=0))
    assert kept(cache, "a") == []
