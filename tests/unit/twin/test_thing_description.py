"""Thing Descriptions, against the W3C's own schema of version 1.1 (as a library brings it along)."""

from typing import Any

import jsonschema
import pytest
from wotpy.wot.validation import SCHEMA_THING

from tests.unit.twin.test_history_store import lamp
from twin_bridge.lamps.protocol import Limits
from twin_bridge.protocol import Cap
from twin_bridge.thing_description import describe

COLOUR = lamp("Sala-999bdb").model_copy(update={"caps": list(Cap), "name": "Sala / Teto"})
LIMITS = Limits(kelvin=(2200, 6500), effects=("rainbow",))


def thing(*, token_required: bool = False) -> dict[str, Any]:
    return describe(COLOUR, LIMITS, "http://twin.lab:8002/", bridge="lab", token_required=token_required)


@pytest.mark.parametrize("token_required", [True, False])
def test_the_description_is_one_by_the_w3c_schema(token_required: bool):
    jsonschema.Draft7Validator(SCHEMA_THING).validate(thing(token_required=token_required))


def test_the_schema_notices_what_is_wrong():
    broken = thing()
    broken["properties"]["device"]["forms"][0]["op"] = "read"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA_THING).validate(broken)


def test_every_affordance_has_forms_that_the_library_s_schema_does_not_ask_for():
    described = thing()
    for affordance in (*described["properties"].values(), *described["actions"].values()):
        assert affordance["forms"]
        assert all(form["href"] and form["op"] for form in affordance["forms"])


def test_it_tells_what_this_lamp_can_do_and_accepts():
    wish = thing()["actions"]["set"]["input"]["properties"]["state"]["properties"]
    assert wish.keys() == {"on", "bri", "r", "g", "b", "ct", "effect"}
    assert (wish["ct"]["minimum"], wish["ct"]["maximum"]) == (2200, 6500)
    assert wish["effect"]["enum"] == ["", "rainbow"]
    plain = describe(lamp("a"), Limits(), "http://h/", bridge="lab", token_required=False)
    assert plain["actions"]["set"]["input"]["properties"]["state"]["properties"].keys() == {"on"}


def test_live_changes_come_over_the_websocket_of_the_same_address():
    assert thing()["properties"]["device"]["forms"][1]["href"] == "ws://twin.lab:8002/ws/v1"


def test_the_id_of_a_thing_stays_and_is_its_own():
    assert thing()["id"] == thing()["id"]
    other = describe(COLOUR, LIMITS, "http://h/", bridge="another", token_required=False)
    assert other["id"] != thing()["id"]
