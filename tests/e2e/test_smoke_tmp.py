from api.wiring import Parts
async def test_a(parts: Parts) -> None:
    assert await parts.pool.fetchval("select current_user") == "yima_app"
async def test_b(parts: Parts) -> None:
    assert await parts.pool.fetchval("select count(*) from key_version") == 5
