"""Every container is restarted, one at a time, while people work: nothing that was accepted is lost."""

import time

from tests.acceptance.product import wait_until
from tests.integration.stack.compose import PATIENCE_S, Stack
from tests.integration.stack.load import KNOWN, Load
from tests.integration.stack.test_lamps import known
from tests.integration.stack.visitor import Visitor, bench
from xgtwin.simulated.native import NativeLamp

LAMP = "lamp_load"


def test_every_container_restarts_under_load_and_nothing_is_lost(stack: Stack, visitor: Visitor, key: str):
    visitor.wait_until_ready(visitor.put(KNOWN))
    lamp = NativeLamp(stack.lamps_url, LAMP)
    with lamp.wire:
        wait_until(lambda: known(stack, LAMP), PATIENCE_S, "the lamp at the bridge")
        with Load(stack, key, LAMP) as load:
            for service in stack.services():
                with stack.stage(f"  restart of {service}"):
                    stack.compose("restart", service)
                    stack.wait_until_healthy()
            done = load.tally.answered
            wait_until(lambda: load.tally.answered > done + 3, PATIENCE_S, "answers after the last restart")
        tally = load.tally
        stack.notes += [
            f"under load: {len(tally.uploaded)} documents sent, {len(tally.dropped)} dropped, {tally.answered} answers",
            f"            {tally.applied} commands applied, {load.follower.connections} connections of the follower",
            f"            requests sent again, by reason: {load.refused}",
        ]
        assert tally.faults == []
        assert load.follower.faults == []
        assert tally.applied
        assert tally.uploaded
        assert tally.dropped

        with stack.client("twin_bridge", stack.settings["TWIN__TOKEN"]) as bridge:
            last = bridge.get(f"/devices/{LAMP}").json()
        assert load.follower.state["state"] == last["state"]

    wanted = {f"Bancada {bench(number)}" for number in tally.uploaded}
    wanted |= {f"bancada-{number}.txt" for number in tally.dropped}

    def unready() -> dict[str, str]:
        documents = visitor.documents()
        return {name: documents.get(name, "lost") for name in wanted if documents.get(name) != "ready"}

    # Whatever a worker held when it or the database went away waits for its lease, then for the pause of its attempt.
    deadline = time.monotonic() + 2 * PATIENCE_S
    while (left := unready()) and time.monotonic() < deadline:
        time.sleep(1)
    assert left == {}
    for number in [*tally.uploaded, *tally.dropped]:
        assert visitor.finds(number), bench(number)
