from collections.abc import Iterator

import pytest

from tests.integration.twin.rig import MOSQUITTO, Bridge, Mosquitto, bridge
from xgtwin.demo_broker import DemoBroker


@pytest.fixture(scope="package")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed (apt install mosquitto)")
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def own_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One that the test may kill."""
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed (apt install mosquitto)")
    broker = Mosquitto(tmp_path_factory.mktemp("own-mosquitto"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="package")
def demo_broker() -> Iterator[DemoBroker]:
    with DemoBroker(port=0) as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "demo_broker"])
def broker(request: pytest.FixtureRequest) -> Mosquitto | DemoBroker:
    found: Mosquitto | DemoBroker = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=[True, False], ids=["direct", "portable"])
def lamps(mosquitto: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Bridge]:
    """A bridge without authentication, on Mosquitto, with either way of writing to its clients."""
    with bridge(mosquitto.url, direct=request.param) as running:
        yield running
