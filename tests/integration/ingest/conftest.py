"""The service over a watched folder, by events and by polling. Tests of other parts define a service of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.ingest.service import Service
from tests.integration.ingest.watched import watching


@pytest.fixture(params=["inotify", "polling"])
async def service(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    async with watching(tmp_path, request.param) as service:
        yield service
