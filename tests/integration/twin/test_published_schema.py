"""`/protocol.json` describes what is really sent. Every message of all tests is held against it by the rig's client;
here, that this would notice, and that no kind of message is left out."""

import jsonschema
import pytest

from tests.integration.twin.rig import Mosquitto, bridge, check_published, client, peer
from twin_bridge.client_messages import schema

PONG = {"v": 1, "t": "pong", "ts": 1, "now": 2, "seq": 3}


def test_a_message_that_is_not_as_published_is_noticed():
    check_published(PONG)
    for wrong in ({**PONG, "seq": "3"}, {**PONG, "seq": None}, {key: PONG[key] for key in ("v", "t", "ts", "now")}):
        with pytest.raises(jsonschema.ValidationError):
            check_published(wrong)
    with pytest.raises(AssertionError):
        check_published({**PONG, "more": 1})


async def test_every_kind_of_message_is_sent_and_is_as_published(own_mosquitto: Mosquitto):
    kinds = set()
    with bridge(own_mosquitto.url) as running:
        published = running.get("/protocol.json").json()
        async with client(running.ws) as unity:
            with peer(own_mosquitto.port) as lamp:
                await unity.say("auth")
                while "snapshot" not in kinds:
                    kinds.add((await unity.next())["t"])
                lamp.lamp("lamp_a", on=True)
                while "state" not in kinds:
                    kinds.add((await unity.next())["t"])
                await unity.command("c-1", "lamp_a", on=False)
                await unity.command("c-2", "nobody", on=False)
                await unity.say("ping", ts=1)
            own_mosquitto.kill()
            while not {"ack", "error", "pong", "status"} <= kinds:
                kinds.add((await unity.next())["t"])
    assert published == schema()
    assert kinds == published["server"]["discriminator"]["mapping"].keys()


def test_the_schemas_are_schemas_and_the_examples_of_the_document_fit():
    published = schema()
    for side in ("server", "client"):
        jsonschema.Draft202012Validator.check_schema(published[side])
    client_side = jsonschema.Draft202012Validator(published["client"])
    client_side.validate({"t": "auth", "v": 1})
    client_side.validate({"t": "cmd", "v": 1, "cid": "c-1", "id": "lamp_007", "set": ["on"], "state": {"on": False}})
    with pytest.raises(jsonschema.ValidationError):
        client_side.validate({"t": "cmd", "v": 1, "id": "lamp_007", "set": ["on"], "state": {"on": False}})
