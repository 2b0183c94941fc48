"""Names and paths that others chose are printed as they are, and settings that are wrong get a sentence."""

from pathlib import Path

import pytest

from shared.errors import BadRequest, NotFound
from shared.settings import Settings, TwinSettings
from twin_bridge.protocol import Cap, Device, LampState, Mode
from xgtwin import cli, keys_command, lamp_command
from xgtwin.doctor import examine
from xgtwin.lamp_client import LampChange


def test_an_error_that_looks_like_markup_is_printed_and_not_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail() -> None:
        raise NotFound("The bridge knows no lamp '[/foo]'.")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == "xgtwin: The bridge knows no lamp '[/foo]'.\n"


def test_a_lamp_with_markup_in_its_name_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    state = LampState(on=True, bri=0, mode=Mode.ONOFF, r=0, g=0, b=0, ct=0, effect="")
    lamp = Device(
        id="l", name="[/b] desk [red]", src="native", online=True, stale=False, known=True, rev=1, ts=0,
        caps=[Cap.ON], state=state, pending=False, desired=state,
    )  # fmt: skip

    async def one_change(_: object):
        yield LampChange("l", lamp)

    monkeypatch.setattr(lamp_command, "watch", one_change)
    lamp_command.watch_lamps(Settings(_env_file=None))
    assert "[/b] desk [red]" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["mqtt://broker:99999", "http://broker"])
def test_doctor_says_what_is_wrong_with_a_broker_url(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]):
    settings = Settings(_env_file=None, data_dir=tmp_path, twin=TwinSettings(mqtt_url=url))
    assert examine(settings) is False
    assert "wrong  MQTT broker: TWIN__MQTT_URL must read" in capsys.readouterr().out


def test_doctor_keeps_a_finding_on_one_line_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    examine(Settings(_env_file=None, data_dir=tmp_path / "[bold]" / ("long " * 40)))
    lines = capsys.readouterr().out.splitlines()
    assert all(line[:5].strip() in {"ok", "note", "wrong"} for line in lines)
    assert "[bold]" in lines[0]


def test_a_key_has_an_owner(tmp_path: Path):
    with pytest.raises(BadRequest, match="whose key"):
        keys_command.create(Settings(_env_file=None, data_dir=tmp_path), " ", [])
