"""The settings that each container may take from `.env`, as the file that docker-compose.yml reads them by."""

import sys
from collections.abc import Mapping

from shared.sections import Section
from shared.settings import Settings

EVERYBODY = ("XGTWIN_AUTH", "QUERY__SLOW_MS", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG")
HUB = "HF_ENDPOINT"
"""Where embedding models are fetched from: the hub's library reads it by itself."""
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "migrate": (),
    "ingest_service": ("ingest", "jobs", "redis", "store", "embedder"),
    "beat": ("ingest", "jobs", "redis"),
    "query_service": ("query", "llm", "redis", "store", "embedder", "retrieval"),
    "twin_bridge": ("twin",),
    "backup": ("store", "embedder"),
    "tools": ("ingest", "query", "twin", "llm", "jobs", "redis", "store", "embedder", "retrieval"),
}
"""The groups of settings that each service reads, beside those of logs and traces. Workers read what ingest reads."""


def compose_settings() -> str:
    """`deploy/compose.settings.yml`: names without values, which Compose takes from `.env` where it has them."""
    lines = [
        "# What each service of docker-compose.yml may take from .env, where it stands there.",
        "# Written by `make env-example` from shared/compose_settings.py; a test keeps the two equal.",
        "services:",
    ]
    for service, sections in SECTIONS.items():
        names = {*EVERYBODY, *(name for section in ("log", "traces", *sections) for name in _names(section))}
        if "embedder" in sections:
            names.add(HUB)
        lines += [f"  {service}:", "    environment:", *(f"      - {name}" for name in sorted(names))]
    return "\n".join(lines) + "\n"


def _names(section: str) -> list[str]:
    group = Settings.model_fields[section].annotation
    assert isinstance(group, type)
    assert issubclass(group, Section)
    return [f"{section}__{key}".upper() for key in group.model_fields]


if __name__ == "__main__":
    sys.stdout.write(compose_settings())
