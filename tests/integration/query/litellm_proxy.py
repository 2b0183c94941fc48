"""A real LiteLLM proxy. It is opt-in: `LITELLM_BIN` names its `litellm`, installed in an environment of its own from
requirements/litellm.txt; `.ci/run` makes one."""

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

PROXY_KEY = f"sk-{secrets.token_hex(16)}"
STARTS_WITHIN_S = 90
ROOT = Path(__file__).parents[3]


@contextmanager
def litellm_proxy(config: Path, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Its base URL while the block runs; `PROXY_KEY` opens it."""
    binary = os.environ.get("LITELLM_BIN")
    if not binary:
        pytest.skip("opt-in: set LITELLM_BIN to the litellm command of an environment with requirements/litellm.txt")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "litellm.log"
    command = [binary, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    own = {**_fixed_in_compose(), "LITELLM_MASTER_KEY": PROXY_KEY}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **own, **(environment or {})}, stdout=output, stderr=output
        )
        try:
            _wait_until_alive(process, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(10)


def _fixed_in_compose() -> dict[str, str]:
    """What docker-compose.yml sets for the proxy, whatever .env says: it must start with these."""
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["litellm"]
    return {name: value for name, value in service["environment"].items() if "$" not in value}


def _wait_until_alive(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{address}/health/liveliness", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail(log.read_text())
