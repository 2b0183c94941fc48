"""API keys: made once, checked often, never stored in clear."""

from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import Engine, text

from shared.auth.guard import Guard
from shared.auth.keys import Principal, Scope, check_key, create_key, list_keys, revoke_key
from shared.errors import NotFound, Unauthorized
from shared.web.problems import add_problem_handlers


def test_a_key_is_known_by_its_text_and_stored_as_a_hash_only(engine: Engine):
    key = create_key(engine, "unity", [Scope.ASK])
    assert check_key(engine, key).scopes == {Scope.ASK}
    with engine.connect() as connection:
        stored = str(connection.execute(text("SELECT * FROM api_keys")).all())
    assert key.split("_", 2)[2] not in stored


@pytest.mark.parametrize("forged", ["", "xgt", "xgt_a_b", "xgt__", "Bearer"])
def test_what_is_not_a_key_of_ours_is_refused(engine: Engine, forged: str):
    with pytest.raises(Unauthorized):
        check_key(engine, forged)


def test_a_key_with_one_letter_changed_is_refused(engine: Engine):
    key = create_key(engine, "unity", [Scope.ASK])
    with pytest.raises(Unauthorized):
        check_key(engine, key[:-1] + ("a" if key[-1] != "a" else "b"))


def test_a_revoked_key_opens_nothing(engine: Engine):
    key = create_key(engine, "unity", [Scope.ASK])
    revoke_key(engine, list_keys(engine)[0].key_id)
    with pytest.raises(Unauthorized):
        check_key(engine, key)
    with pytest.raises(NotFound):
        revoke_key(engine, "nobody")


async def test_routes_are_open_only_to_keys_with_the_scope(engine: Engine):
    app = FastAPI()
    add_problem_handlers(app)
    guard = Guard(engine, required=True)

    @app.get("/")
    def route(principal: Annotated[Principal, Depends(guard.require(Scope.INGEST))]) -> str:
        return str(principal.organization_id)

    keys = {scope: create_key(engine, scope, [scope]) for scope in Scope}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://probe") as http:

        async def status(headers: dict[str, str]) -> int:
            return (await http.get("/", headers=headers)).status_code

        assert await status({}) == 401
        assert await status({"Authorization": "Bearer wrong"}) == 401
        assert await status({"X-API-Key": keys[Scope.ASK]}) == 403
        assert await status({"X-API-Key": keys[Scope.INGEST]}) == 200
        assert await status({"Authorization": f"Bearer {keys[Scope.ADMIN]}"}) == 200
