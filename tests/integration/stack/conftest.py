"""One stack for all tests of this folder: `make integration` runs them, `make test` leaves them out."""

from collections.abc import Iterator

import pytest

from tests.container_engine import engine_missing
from tests.integration.stack.compose import FILES, SCALE, Stack
from tests.integration.stack.visitor import Visitor

STARTED: list[Stack] = []


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Built, started and healthy; removed with all its volumes afterwards."""
    if reason := engine_missing():
        pytest.skip(f"no container engine: {reason}")
    stack = Stack(tmp_path_factory.mktemp("stack"))
    STARTED.append(stack)
    try:
        with stack.stage("images built"):
            stack.compose("build", "--quiet", seconds=1800)
        with stack.stage("stack up and healthy"):
            stack.compose("up", "--detach", "--no-build", "--wait")
        yield stack
        stack.notes += [f"{size / 1e6:8.0f} MB  {image}" for image, size in stack.sizes().items()]
    except AssertionError as error:
        logs = stack.compose("logs", "--no-color", "--tail", "50")
        raise AssertionError(f"{error}\n{logs}") from error
    finally:
        with stack.stage("stack removed"):
            everything = (*FILES, SCALE)  # its proxy too
            stack.compose("--profile", "*", "down", "--volumes", "--timeout", "10", files=everything)


@pytest.fixture(autouse=True)
def staged(request: pytest.FixtureRequest, stack: Stack) -> Iterator[None]:
    with stack.stage(request.node.name):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What the containers said, with each failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed and STARTED and item.path.parent.name == "stack":
        report.sections.append(("containers", STARTED[0].compose("logs", "--no-color", "--tail", "60")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for stack in STARTED:
        terminalreporter.section("stages of the stack")
        for name, seconds in stack.stages:
            terminalreporter.write_line(f"{seconds:8.1f} s  {name}")
        for note in stack.notes:
            terminalreporter.write_line(note)


@pytest.fixture(scope="session")
def key(stack: Stack) -> str:
    """What the operator gave the visitor."""
    return stack.make_key("visitor", "ask", "ingest")


@pytest.fixture
def visitor(stack: Stack, key: str) -> Iterator[Visitor]:
    visitor = Visitor(stack, key)
    yield visitor
    visitor.close()
