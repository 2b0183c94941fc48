"""The lamps file, its mistakes in words, and the plain lamps that only it knows."""

from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.settings import TwinSettings
from twin_bridge.client_messages import Wish
from twin_bridge.lamps.bootstrap import build_families
from twin_bridge.lamps.lamps_file import LampsFile, read_lamps_file
from twin_bridge.lamps.plain import PlainLamp, PlainLamps
from twin_bridge.lamps.protocol import Change, Outgoing, Report
from twin_bridge.protocol import Cap

DOCS = Path(__file__).parents[3] / "docs/twin.md"


def written(folder: Path, text: str) -> Path:
    file = folder / "lamps.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lamps:\n  - family: plain\n    id: a b\n", "lamps.yaml line 3 (TWIN__LAMPS_FILE), lamps entry 1 id:"),
        ("lamps:\n  - {family: json, id: a}\n", "line 2 (TWIN__LAMPS_FILE), lamps entry 1 state_topic: Field required"),
        ("lamps:\n  - id: a\n", "line 2 (TWIN__LAMPS_FILE), lamps entry 1"),
        ("lamps:\n\n  - family: knx\n", "line 3 (TWIN__LAMPS_FILE), lamps entry 1"),
        ("lamp: []\n", "line 1 (TWIN__LAMPS_FILE), lamp: Extra inputs"),
        ("lamps:\n - a\n  b: [\n", "is not YAML"),
        ("lamps:\n  - {family: shelly, prefix: a/#}\n", "line 2 (TWIN__LAMPS_FILE), lamps entry 1 prefix:"),
        ("ignore: [a]\nignore: [b]\n", "line 2 (TWIN__LAMPS_FILE): ignore stands there twice"),
        ("- a\n", "line 1 (TWIN__LAMPS_FILE), the file"),
        (
            "lamps:\n  - {family: esphome, id: a, prefix: p, light: l}\n"
            "  - {family: esphome, id: a, prefix: q, light: l}\n",
            "several lamps have the id a",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_field(tmp_path: Path, text: str, words: str):
    with pytest.raises(Unavailable) as wrong:
        read_lamps_file(written(tmp_path, text))
    assert words in wrong.value.detail


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["family: plain, id: eco, state_topic: a, command_topic: a"], "would count as the lamp's answer"),
        (["family: json, id: eco, state_topic: a, command_topic: a"], "would count as the lamp's answer"),
        (["family: tasmota, topic: t1", "family: tasmota, topic: t1, name: again"], "relay 1 of the Tasmota t1"),
        (["family: tasmota, topic: t1, relay: 2, id: a", "family: tasmota, topic: t1, relay: 2, id: b"], "relay 2"),
    ],
)
def test_lamps_that_could_not_be_told_apart_are_refused(tmp_path: Path, entries: list[str], words: str):
    text = "lamps:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    with pytest.raises(Unavailable, match=words):
        read_lamps_file(written(tmp_path, text))


def test_a_file_that_is_not_there_is_told_and_an_empty_one_is_fine(tmp_path: Path):
    with pytest.raises(Unavailable, match="TWIN__LAMPS_FILE"):
        read_lamps_file(tmp_path / "missing.yaml")
    assert read_lamps_file(written(tmp_path, "# nothing yet\n")) == LampsFile()


def test_the_example_of_the_documentation_is_right(tmp_path: Path):
    example = DOCS.read_text().split("```yaml\n")[1].split("```")[0]
    file = read_lamps_file(written(tmp_path, example))
    assert {entry.family for entry in file.lamps} == {"plain", "json", "esphome", "tasmota", "shelly"}


def test_words_stay_words(tmp_path: Path):
    plain = "family: plain, id: a, state_topic: s, command_topic: c"
    text = f"lamps:\n  - {{{plain}, payload_on: ON, payload_off: no, name: 7}}\n"
    (entry,) = read_lamps_file(written(tmp_path, text)).lamps
    assert entry.model_dump(include={"payload_on", "payload_off", "name"}) == {
        "payload_on": "ON", "payload_off": "no", "name": "7",
    }  # fmt: skip


def test_only_chosen_families_are_listened_to():
    assert build_families(TwinSettings(families=["native"])).subscriptions == [
        "twin/v1/+/state", "twin/v1/+/availability",
    ]  # fmt: skip


LAMPS = PlainLamps(
    [
        PlainLamp("word", "Palavra", "w", "w/set", question=Outgoing("w/get", b"")),
        PlainLamp("number", "Número", "n", "n/set", on="LIGA", off="DESLIGA", full=100),
    ]
)


@pytest.mark.parametrize(
    ("topic", "payload", "on", "bri"),
    [
        ("w", b"ON", True, None),
        ("w", b"off", False, None),
        ("w", b"1", True, None),
        ("w", b" false\n", False, None),
        ("n", b"LIGA", True, None),
        ("n", b"0", False, 0.0),
        ("n", b"40", True, 0.4),
        ("n", b"400", True, 1.0),
    ],
)
def test_a_word_or_a_number_is_a_state(topic: str, payload: bytes, on: bool, bri: float | None):
    (seen,) = LAMPS.read(topic, payload).sightings
    assert isinstance(seen.report, Report)
    assert (seen.report.on, seen.report.bri) == (on, bri)


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("w", b"40", "bad_field"),
        ("w", b"TOGGLE", "bad_field"),
        ("w", b"\xff", "bad_field"),
        ("w", b"x" * 65, "too_large"),
        ("n", b"nan", "bad_field"),
        ("n", b"1e999", "bad_field"),
    ],
)
def test_anything_else_is_refused(topic: str, payload: bytes, reason: str):
    assert [error.reason for error in LAMPS.read(topic, payload).refusals] == [reason]


@pytest.mark.parametrize(
    ("device", "fields", "payload"),
    [
        ("word", {Cap.ON}, b"ON"),
        ("number", {Cap.ON}, b"LIGA"),
        ("number", {Cap.ON, Cap.BRI}, b"40"),
        ("number", {Cap.BRI}, b"40"),
    ],
)
def test_a_command_is_the_same_kind_of_word(device: str, fields: set[Cap], payload: bytes):
    (outgoing,) = LAMPS.write(device, Change(frozenset(fields), Wish(on=True, bri=0.4)))
    assert outgoing.payload == payload
    assert LAMPS.write("number", Change(frozenset({Cap.ON}), Wish(on=False)))[0].payload == b"DESLIGA"
    assert LAMPS.poll("word") == (Outgoing("w/get", b"", ("word",)),)
