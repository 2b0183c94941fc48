"""What may go wrong while vectors are made anew: the filling goes on, nothing is lost, the deleted stays deleted."""

import time
from pathlib import Path

import pytest

from ingest_service.filling.copying import Copier
from tests.integration.ingest.service import running, until
from tests.integration.ingest.test_filling import Coming, Letters, add_notes, by_meaning, swapped


async def test_a_model_that_arrives_while_words_are_made_anew_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copy, copied = Copier.copy, []

    def slow(self: Copier, *arguments: object) -> int | None:
        time.sleep(0.2)
        copied.append(arguments)
        return copy(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Copier, "copy", slow)
    model = Coming(Letters())
    async with running(tmp_path, model=model) as service:
        await add_notes(service)
        await service.http.post("/generations")

        async def begun() -> bool:
            return bool(copied)

        await until(begun, "the first document")
        model.arrived = True
        await swapped(service, "letters", 15)
        assert len(await by_meaning(service, Letters(), "farol")) == 5
