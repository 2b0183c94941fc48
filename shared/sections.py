"""What settings are made of: groups, and among them services that listen somewhere."""

from pydantic import BaseModel, ConfigDict, Field

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Section(BaseModel):
    """A group of settings; a misspelt name inside a group is an error, not silence."""

    model_config = ConfigDict(extra="forbid")


class Service(Section):
    """Where a service listens."""

    host: str = Field("127.0.0.1", description="Address to listen on. Anything but loopback turns authentication on.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on.")
    url: str = Field("", description="Where others reach it; empty means http://127.0.0.1:<port>.")
    allowed_origins: list[str] = Field(
        [], description='Browser origins that may use it beside pages of the same machine: ["https://lab.example"].'
    )

    trusted_proxies: list[str] = Field(
        ["127.0.0.1", "::1"],
        description="Addresses and networks of proxies before it, whose X-Forwarded-For tells who calls: "
        '["10.0.0.0/8"].',
    )

    @property
    def loopback_only(self) -> bool:
        return self.host in LOOPBACK_HOSTS

    @property
    def base_url(self) -> str:
        return (self.url or f"http://127.0.0.1:{self.port}").rstrip("/")
