"""What lamps were, asked over HTTP."""

from pathlib import Path
from typing import Any

from tests.integration.twin.rig import Bridge, Mosquitto, bridge, peer, wait_until


def history(running: Bridge, device_id: str, **query: Any) -> dict[str, Any]:
    answer = running.get(f"/devices/{device_id}/history", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def brightness(page: dict[str, Any]) -> list[float]:
    return [item["state"]["bri"] for item in page["items"]]


def recorded(running: Bridge, device_id: str, *values: float) -> list[dict[str, Any]]:
    """Wait until the history says so."""

    def is_there() -> bool:
        answer = running.get(f"/devices/{device_id}/history")
        return answer.status_code == 200 and brightness(answer.json()) == list(values)

    wait_until(is_there, "the history to be written")
    return list(history(running, device_id)["items"])


def test_every_change_of_a_lamp_can_be_asked_for_page_by_page(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running, peer(own_mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
        for bri in (0.1, 0.2, 0.2, 0.3, 0.4):
            lamp.lamp("hist", on=True, bri=bri)
        items = recorded(running, "hist", 0.1, 0.2, 0.3, 0.4)
        assert [item["ts"] for item in items] == sorted(item["ts"] for item in items)
        assert items[0]["state"] == {
            "on": True, "bri": 0.1, "mode": "bri", "r": 0, "g": 0, "b": 0, "ct": 0, "effect": "",
        }  # fmt: skip
        assert {(item["online"], item["stale"], item["removed"], item["changes"]) for item in items} == {
            (True, False, False, 1)
        }
        seen, cursor = [], ""
        while True:
            page = history(running, "hist", limit=3, cursor=cursor)
            seen += brightness(page)
            cursor = page["next"]
            if not cursor:
                break
        assert seen == [0.1, 0.2, 0.3, 0.4]


def test_a_stretch_begins_with_what_held_before_it(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running, peer(own_mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
        lamp.lamp("held", on=True, bri=0.1)
        first = recorded(running, "held", 0.1)[0]["ts"]
        lamp.lamp("held", on=True, bri=0.2)
        recorded(running, "held", 0.1, 0.2)
        assert brightness(history(running, "held", **{"from": first + 1})) == [0.1, 0.2]
        assert brightness(history(running, "held", **{"from": first + 1, "to": first + 1})) == [0.1]
        assert brightness(history(running, "held", **{"from": first + 1, "limit": 1})) == [0.1]
        assert brightness(history(running, "held", to=first)) == [0.1]


def test_a_removed_lamp_leaves_its_history(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running, peer(own_mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
        lamp.lamp("leaver", on=True, bri=0.1)
        recorded(running, "leaver", 0.1)
        lamp.publish("twin/v1/leaver/state", b"", retain=True)
        items = recorded(running, "leaver", 0.1, 0.1)
        assert running.get("/devices/leaver").status_code == 404
        assert [item["removed"] for item in items] == [False, True]


def test_the_history_outlives_the_bridge(own_mosquitto: Mosquitto, tmp_path: Path):
    with peer(own_mosquitto.port) as lamp:
        with bridge(own_mosquitto.url, data=tmp_path) as running:
            wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
            lamp.lamp("old", on=True, bri=0.1)
            wait_until(lambda: running.get("/devices/old").status_code == 200, "the lamp")
        with bridge(own_mosquitto.url, data=tmp_path) as running:
            assert brightness(history(running, "old")) == [0.1], "written when the bridge ended"


def test_what_is_older_than_the_retention_is_forgotten_except_for_what_held_then(
    own_mosquitto: Mosquitto, tmp_path: Path
):
    with bridge(own_mosquitto.url, data=tmp_path) as running, peer(own_mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
        for bri in (0.1, 0.2, 0.3):
            lamp.lamp("aged", on=True, bri=bri)
        recorded(running, "aged", 0.1, 0.2, 0.3)
    with bridge(own_mosquitto.url, data=tmp_path, history_days=1e-9) as running:
        recorded(running, "aged", 0.3)


def test_what_cannot_be_is_refused_in_words(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running:
        assert running.get("/devices/nobody/history").status_code == 404
        assert (
            running.get("/devices/nobody/history", params={"cursor": "x-1"}).json()["detail"].startswith("This cursor")
        )
        assert running.get("/devices/nobody/history", params={"limit": 0}).status_code == 422
        assert running.get("/devices/nobody/history", params={"from": -1}).status_code == 422


def test_the_history_is_for_those_with_a_token(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url, auth="on", token="secret", viewer_token="look") as running:
        assert running.get("/devices/x/history").status_code == 401
        assert running.get("/devices/x/history", headers={"Authorization": "Bearer look"}).status_code == 404


def test_the_thing_description_of_a_lamp_leads_to_what_it_says(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running, peer(own_mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
        lamp.lamp("thing", on=True, bri=0.5)
        wait_until(lambda: running.get("/td/thing").status_code == 200, "the lamp")
        answer = running.get("/td/thing")
        assert answer.headers["content-type"] == "application/td+json"
        thing = answer.json()
        assert thing["base"] == running.http + "/"
        shown = running.get("/" + thing["properties"]["device"]["forms"][0]["href"]).json()
        assert shown["state"]["bri"] == 0.5
        assert thing["properties"]["device"]["properties"].keys() <= shown.keys()
        past = running.get("/" + thing["properties"]["history"]["forms"][0]["href"].partition("{")[0])
        assert past.json().keys() == thing["properties"]["history"]["properties"].keys()
        assert running.get("/td/nobody").status_code == 404
