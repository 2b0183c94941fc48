"""`TWIN__MQTT_URL`: read in one place for the bridge and `xgtwin doctor`, and why nobody is reached there."""

import socket
import ssl
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from shared.errors import Unavailable

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class BrokerUrl:
    host: str
    port: int
    tls: bool
    version: str
    """`3.1.1` or `5`."""
    user: str
    password: str = field(repr=False)


def read_broker_url(url: str) -> BrokerUrl:
    """`mqtt[s]://[user:password@]host[:port][?version=5]` in parts; raises `Unavailable` if it is not that."""
    try:
        parts = urlsplit(url)
        port, version = parts.port, parse_qs(parts.query).get("version", ["3.1.1"])[-1]
    except ValueError:
        parts, port, version = urlsplit(""), None, ""
    if parts.scheme not in _PORTS or not parts.hostname or version not in {"3.1.1", "5"}:
        # Never the URL itself: it may hold a password.
        raise Unavailable("TWIN__MQTT_URL must read mqtt[s]://[user:password@]host[:port][?version=5].")
    return BrokerUrl(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        version=version,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def why_not_reached(error: BaseException | None) -> str:
    """Why there is no connection, in words for the person who has to mend it."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}; SSL_CERT_FILE names a CA of your own"
        case ssl.SSLError():
            return f"no TLS at its address: {error.reason}"
        case socket.gaierror():
            return "its name is not known"
        case OSError(strerror=str(words)):
            return f"nobody answers at its address: {words}"
    return "nobody answers at its address"
