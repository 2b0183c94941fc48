"""A broker with certificates and passwords, and what is said when they do not fit."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import Unavailable
from tests.integration.twin.rig import MOSQUITTO, Mosquitto, bridge, free_port, wait_until
from twin_bridge.broker_url import read_broker_url

PASSWORD = "p@ss:word/1"
USER = "lab:p%40ss%3Aword%2F1"


class SecuredMosquitto(Mosquitto):
    """TLS with a certificate of its own authority, and a plain port with the same password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tls_port, self.authority = free_port(), folder / "authority.crt"

        def run(*words: str) -> None:
            subprocess.run(words, cwd=folder, check=True, capture_output=True)

        new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj")
        run(*new, "/CN=lab", "-x509", "-days", "2", "-keyout", "authority.key", "-out", "authority.crt")
        run(*new, "/CN=localhost", "-keyout", "broker.key", "-out", "broker.csr")
        (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        sign = ("-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial", "-extfile", "names")
        run("openssl", "x509", "-req", "-in", "broker.csr", *sign, "-days", "2", "-out", "broker.crt")
        run("mosquitto_passwd", "-b", "-c", "passwords", "lab", PASSWORD)
        self._config.write_text(
            f"per_listener_settings false\nuser root\nallow_anonymous false\npassword_file {folder}/passwords\n"
            f"listener {self.port} 127.0.0.1\nlistener {self.tls_port} 127.0.0.1\n"
            f"certfile {folder}/broker.crt\nkeyfile {folder}/broker.key\n"
        )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredMosquitto]:
    if MOSQUITTO is None or shutil.which("openssl") is None:
        pytest.skip("Mosquitto or openssl is not installed (apt install mosquitto openssl)")
    broker = SecuredMosquitto(tmp_path_factory.mktemp("secured"))
    broker.start()
    yield broker
    broker.kill()


@pytest.mark.parametrize("options", ["", "?version=5"])
def test_mqtts_with_user_and_password_connects_where_the_authority_is_trusted(
    secured: SecuredMosquitto, monkeypatch: pytest.MonkeyPatch, options: str
):
    monkeypatch.setenv("SSL_CERT_FILE", str(secured.authority))
    with bridge(f"mqtts://{USER}@localhost:{secured.tls_port}{options}") as running:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the secured broker")


@pytest.mark.parametrize(
    ("scheme", "user", "words"),
    [
        ("mqtts", USER, "certificate is not trusted"),
        ("mqtt", "lab:wrong", "the broker refused us"),
        ("mqtt", "", "the broker refused us"),
    ],
)
def test_readyz_says_why_a_secured_broker_is_not_reached(secured: SecuredMosquitto, scheme: str, user: str, words: str):
    port = secured.tls_port if scheme == "mqtts" else secured.port
    with bridge(f"{scheme}://{user}@localhost:{port}") as running:
        wait_until(lambda: words in running.get("/readyz").text, words)
        reasons = {running.get("/readyz").json()["checks"]["broker"] for _ in range(40)}
    assert all(words in reason for reason in reasons)  # no later attempt hides it behind "connection lost"
    assert "wrong" not in "".join(reasons)


def test_plain_mqtt_to_a_tls_port_is_recognised(secured: SecuredMosquitto):
    with bridge(f"mqtt://{USER}@localhost:{secured.tls_port}") as running:
        wait_until(lambda: "does it want mqtts://?" in running.get("/readyz").text, "the advice")


@pytest.mark.parametrize(
    "url", ["http://broker", "mqtt://broker:99999", "mqtt://", "mqtt://b?version=4", "mqtt://[::1"]
)
def test_a_url_that_is_none_is_refused_in_words_without_the_password(url: str):
    with pytest.raises(Unavailable, match=r"mqtt\[s\]://"):
        read_broker_url(url)


def test_user_and_password_are_read_with_their_percent_signs():
    broker = read_broker_url(f"mqtts://{USER}@broker.example")
    assert (broker.user, broker.password, broker.port, broker.tls) == ("lab", PASSWORD, 8883, True)
    assert PASSWORD not in repr(broker)
