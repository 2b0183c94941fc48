"""What holds for every test: no secrets of the developer's environment, and no silent skips in CI."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.db.engine import migrate, open_engine
from shared.settings import Settings
from tests.postgres import Databases, databases

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when the hub's library is imported: no test asks the real one

OPT_IN = "opt-in:"
"""A skip whose reason begins so needs something that CI cannot install (a Qdrant server); all others fail there."""


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests never read the developer's environment or .env, and never write into the checkout."""
    sections = ("INGEST__", "QUERY__", "TWIN__", "LLM__", "JOBS__", "REDIS__", "STORE__", "EMBEDDER__", "LOG__")
    prefixes = (*sections, "TRACES__", "OTEL_", "XGTWIN_", "DATABASE_")
    for name in list(os.environ):
        if name.startswith(prefixes):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """The PostgreSQL server of all tests, started by the first one that asks for a database."""
    with databases() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with all tables, of either kind: what uses it is tried on both."""
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgres").migrated())
        engine = open_engine(Settings(_env_file=None, data_dir=tmp_path, database_url=url))
        stack.callback(engine.dispose)
        migrate(engine)
        yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table, of either kind."""
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgres").empty())
        engine = open_engine(Settings(_env_file=None, data_dir=tmp_path, database_url=url))
        stack.callback(engine.dispose)
        yield engine


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes an empty PostgreSQL database and returns its URL, for tests that may or may not need one."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(request.getfixturevalue("postgres").empty())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if OPT_IN not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped in CI, where this part can be had: {reason}"
