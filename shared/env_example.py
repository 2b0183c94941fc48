"""The settings as the file that people copy to `.env`."""

import json

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from shared.sections import Section
from shared.settings import Settings


def env_example() -> str:
    """`.env.example`: every setting with its description and default, commented out."""
    lines = [
        "# Settings of xgtwin. Copy to .env and uncomment what you change; the values shown are the defaults.",
        "# Written by `make env-example` from shared/settings.py; a test keeps the two equal.",
    ]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            lines += ["", f"# --- {name} ---"]
            lines += [
                line
                for key, inner in section.model_fields.items()
                for line in _example_lines(f"{name}__{key}".upper(), inner)
            ]
        else:
            alias = field.validation_alias
            public = str(alias.choices[0]) if isinstance(alias, AliasChoices) else name.upper()
            lines += ["", *_example_lines(public, field)]
    return "\n".join(lines) + "\n"


def _example_lines(name: str, field: FieldInfo) -> list[str]:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    value = json.dumps(default) if isinstance(default, list | bool) else "" if default is None else str(default)
    return [f"# {field.description}", f"# {name}={value}"]
