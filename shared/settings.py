"""Every setting of the product, described once: here those of the services, in `part_settings` those of their parts.

Read from the environment (and `.env`), nested with `__`: `INGEST__PORT=8001`. `.env.example` is this file printed by
`python -m shared.settings`, and a test keeps the two equal. Nothing here opens, creates or connects anything.
"""

import sys
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.part_settings import (
    EmbedderSettings,
    JobsSettings,
    LlmSettings,
    LogSettings,
    RedisSettings,
    RetrievalSettings,
    StoreSettings,
    TraceSettings,
)
from shared.sections import Service


class IngestSettings(Service):
    port: int = Field(8001, ge=1, le=65535, description="Port of the ingest service.")
    watch_dir: Path = Field(Path("watched_docs"), description="Folder whose documents are ingested by themselves.")
    watch: Literal["auto", "inotify", "polling", "off"] = Field(
        "auto", description="How the folder is watched; polling is for bind mounts and network shares."
    )
    rescan_s: float = Field(
        60, gt=0, description="Seconds between full rescans: events are hints, the scan is the truth."
    )
    poll_s: float = Field(
        10, gt=0, description="Seconds between two looks at the folder where the file system tells of no changes."
    )
    ignore: list[str] = Field(
        [".*", "~$*", "*~", "*.part", "*.crdownload", "*.download", "*.tmp", "*.swp", "SOURCES.md"],
        description="File name patterns (fnmatch) that the folder watcher passes over, as a JSON list.",
    )
    max_file_mb: int = Field(50, ge=1, description="Largest file accepted, in MiB.")
    max_pages: int = Field(5000, ge=1, description="Longest PDF accepted, in pages.")
    max_unpacked_mb: int = Field(
        512, ge=1, description="Largest size to which an office document or e-book may unpack, in MiB."
    )
    parse_timeout_s: float = Field(120, gt=0, description="Seconds that reading one document may take.")
    parse_memory_mb: int = Field(2048, ge=256, description="Address space of the process that reads documents, in MiB.")
    tessdata_dir: Path | None = Field(
        None,
        description="Language data of text recognition; empty means TESSDATA_PREFIX, then where systems keep them.",
    )
    url_timeout_s: float = Field(30, gt=0, description="Seconds that fetching a document from its address may take.")
    url_allowed_hosts: list[str] = Field(
        [],
        description="Hosts and networks of the own network that documents may be fetched from, although they are not "
        'public: ["wiki.lab", "10.1.0.0/16"].',
    )
    workers: int = Field(
        1,
        ge=0,
        le=32,
        description="Documents processed at the same time, by each worker process if there are such; 0 only accepts "
        "and queues.",
    )
    rate_limit: str = Field(
        "",
        description="Uploads of one caller (key, or address where none is wanted) at most, such as 60/minute or "
        "5/second; 500/hour. Empty: as many as come.",
    )
    max_queued: int = Field(10_000, ge=1, description="Jobs that may wait; beyond it POST answers 503.")
    max_attempts: int = Field(3, ge=1, description="Attempts before a document is set aside as quarantined.")
    lease_s: float = Field(60, gt=1, description="Seconds after which a silent worker counts as dead.")
    keep_jobs_days: float = Field(
        30, gt=0, description="Days that ended jobs are listed; the newest of each document stays."
    )


class QuerySettings(Service):
    port: int = Field(8000, ge=1, le=65535, description="Port of the query service.")
    ingest_url: str = Field(
        "", description="Where this service reaches ingest, if that is not INGEST__URL, which its answers link to."
    )
    top_k: int = Field(5, ge=1, le=50, description="Passages given to the answerer.")
    min_confidence: float = Field(
        0.55, ge=0, le=1, description="How probable it must be that the passages answer; below it is refused."
    )
    memory: Literal["on", "off"] = Field(
        "on", description="Remember across conversations what a named `user` asked; nothing without a `user`."
    )
    memory_days: int = Field(30, ge=1, description="Days for which that is remembered.")
    cache_entries: int = Field(
        500, ge=0, description="Answers kept to be given again to the same question over the same documents; 0: none."
    )
    cache_s: float = Field(3600, gt=0, description="Seconds that a kept answer is given again at most.")
    slow_ms: float = Field(
        500, gt=0, description="Milliseconds above which a question, a search or an SQL statement is logged as slow."
    )
    rate_limit: str = Field(
        "",
        description="Questions and searches of one caller (key, or address where none is wanted) at most, such as "
        "60/minute or 5/second; 500/hour. Empty: as many as come.",
    )
    keep_routes_days: float = Field(
        90, gt=0, description="Days that it is kept which language model answered, for how much (routing_decisions)."
    )
    max_question_chars: int = Field(4000, ge=10, description="Longest question accepted, in characters.")


class TwinSettings(Service):
    port: int = Field(8002, ge=1, le=65535, description="Port of the twin bridge (HTTP and WebSocket).")
    mqtt_url: str = Field(
        "",
        description="mqtt[s]://[user:password@]host[:port][?version=5]; empty starts the demo broker in `xgtwin up`.",
    )
    families: list[Literal["native", "z2m", "ha", "tasmota", "shelly"]] = Field(
        ["native", "z2m", "ha", "tasmota", "shelly"],
        description="Families of lamps that the bridge finds by itself: native topics, Zigbee2MQTT, Home Assistant "
        "discovery (ESPHome and others), Tasmota, Shelly Gen2 and later.",
    )
    ha_prefix: str = Field(
        "homeassistant",
        pattern=r"^[^+#/\x00]+(/[^+#/\x00]+)*$",
        description="Topic below which lamps announce themselves to Home Assistant (its discovery prefix).",
    )
    lamps_file: Path | None = Field(
        None, description="YAML file of lamps that announce themselves to nobody (docs/twin.md)."
    )
    demo_lamp: bool = Field(True, description="With the demo broker, also play one simulated lamp.")
    name: str = Field(
        "xgtwin", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="This bridge's name in its own status topic."
    )
    instance: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]{0,64}$",
        description="Where several bridges of one name run side by side: what tells this one's status topic "
        "(NAME-INSTANCE) from the others'.",
    )
    token: SecretStr = Field(SecretStr(""), description="Token WebSocket clients must send when authentication is on.")
    viewer_token: SecretStr = Field(
        SecretStr(""), description="A second token, for those who may watch lamps but not switch them."
    )
    max_clients: int = Field(2000, ge=1, description="WebSocket connections at most.")
    history_days: float = Field(30, gt=0, description="Days that changes of lamps can be asked for and replayed.")


class Settings(BaseSettings):
    """All settings. `Settings()` reads the environment and `.env`; tests pass values by hand."""

    model_config = SettingsConfigDict(
        env_file=".env", env_nested_delimiter="__", extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    auth: Literal["auto", "on", "off"] = Field(
        "auto",
        validation_alias=AliasChoices("XGTWIN_AUTH"),
        description="Keys required: auto means as soon as a service listens on anything but loopback.",
    )
    data_dir: Path = Field(
        Path("data"),
        validation_alias=AliasChoices("XGTWIN_DATA_DIR"),
        description="The one folder that holds all state of the embedded parts.",
    )
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in the data folder.")
    ingest: IngestSettings = IngestSettings()
    query: QuerySettings = QuerySettings()
    twin: TwinSettings = TwinSettings()
    llm: LlmSettings = LlmSettings()
    jobs: JobsSettings = JobsSettings()
    redis: RedisSettings = RedisSettings()
    store: StoreSettings = StoreSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    log: LogSettings = LogSettings()
    traces: TraceSettings = TraceSettings()

    def auth_required(self, service: Service) -> bool:
        """Whether this service asks for keys: explicit, or because it can be reached from elsewhere."""
        return self.auth == "on" or (self.auth == "auto" and not service.loopback_only)


if __name__ == "__main__":
    from shared.env_example import env_example

    sys.stdout.write(env_example())
