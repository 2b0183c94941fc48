"""What the log tells of a Redis that fails: whether it is away, or answers and refuses."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from shared.errors import Unavailable
from shared.redis_link import REST_S, RedisLink
from tests.redis_server import PASSWORD, redis_server


async def test_a_full_redis_and_a_key_of_another_program_are_told_from_one_that_is_away(tmp_path: Path):
    now = 0.0
    with redis_server(tmp_path / "redis") as server, server.client() as client, capture_logs() as told:
        link = RedisLink(SecretStr(server.url), part="answers", clock=lambda: now)

        async def refused(words: str) -> None:
            nonlocal now
            now += REST_S
            with pytest.raises(Unavailable, match=words):
                await link.ask(lambda redis: redis.lpush("ours", "1"))

        client.config_set("maxmemory", "1")
        await refused("refuses .*memory")
        client.config_set("maxmemory", "0")
        client.set("ours", "theirs")
        await refused("refuses .*WRONGTYPE")
        server.stop()
        await refused("does not answer")
        server.start()
        now += REST_S
        assert await link.ask(lambda redis: redis.lpush("ours", "1")) == 1
        await link.close()
    assert [entry["event"] for entry in told] == ["redis_refuses", "redis_away", "redis_back"]
    assert "maxmemory" in told[0]["reason"]


async def test_a_wrong_password_is_a_refusal(tmp_path: Path):
    with redis_server(tmp_path / "redis") as server, capture_logs() as told:
        link = RedisLink(SecretStr(server.url.replace(PASSWORD, "errada")), part="answers")
        with pytest.raises(Unavailable, match=r"refuses .*password"):
            await link.ask(lambda redis: redis.ping())
        await link.close()
    assert [entry["event"] for entry in told] == ["redis_refuses"]
    assert "errada" not in str(told)
