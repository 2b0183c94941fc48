"""Settings: described, printed, strict about misspelt names."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.env_example import env_example
from shared.sections import Section
from shared.settings import Settings

ROOT = Path(__file__).parents[3]


def test_env_example_is_what_the_settings_say():
    assert (ROOT / ".env.example").read_text() == env_example(), "run: make env-example"


def test_every_setting_is_described():
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            for key, inner in section.model_fields.items():
                assert inner.description, f"{name}.{key}"
        else:
            assert field.description, name


def test_every_line_of_env_example_is_a_setting_that_is_understood(tmp_path: Path):
    env = tmp_path / "env"
    lines = [line.removeprefix("# ") for line in env_example().splitlines() if re.match(r"# [A-Z_]+=", line)]
    env.write_text("\n".join(lines))
    assert len(lines) > 30
    assert Settings(_env_file=env) == Settings(_env_file=None)


def test_a_misspelt_setting_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("INGEST__MAX_FILEMB", "7")
    with pytest.raises(ValidationError, match="max_filemb"):
        Settings(_env_file=None)


def test_authentication_is_required_as_soon_as_a_service_can_be_reached_from_elsewhere():
    settings = Settings(_env_file=None, query={"host": "0.0.0.0"})
    assert settings.auth_required(settings.query)
    assert not settings.auth_required(settings.ingest)
    assert not Settings(_env_file=None, auth="off", query={"host": "0.0.0.0"}).auth_required(settings.query)
    assert Settings(_env_file=None, auth="on").auth_required(settings.ingest)
