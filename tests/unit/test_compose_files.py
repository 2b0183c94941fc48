"""What docker-compose.yml and the Dockerfile promise, read from the files: this holds where no engine runs too."""

import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.compose_settings import compose_settings
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = dict(re.findall(r"^FROM \S+ AS ([\w-]+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.S | re.M))
"""Commands by target."""
SCALE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.scale.yml").read_text().replace("!reset ", ""))
FROM_ENV: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.settings.yml").read_text())
OURS = ("ingest_service", "query_service", "twin_bridge")
COMES_AND_GOES = {"migrate", "tools", "demo_lamp"}
"""Nobody waits for these to be healthy: they end, or nothing depends on them."""
NOT_HEALTHCHECKED = {
    "otel-collector": "its image holds one program, which cannot ask itself",
}
THREADS_OF_A_PROCESSOR = {
    "qdrant": 6,
    "ingest_service": 6,
    "ingest_worker": 6,
    "query_service": 3,
    "tools": 3,
    "ollama": 3,
    "prometheus": 2,
    "grafana": 2,
    "otel-collector": 2,
}
"""How many of its threads or processes each program may start for every processor: ONNX Runtime one for each model, the
readers of documents a process with a few, Go and Rust their workers."""
STARTS_AS_ROOT = {"postgres": "takes its folder over, then goes on as postgres"}


@pytest.mark.parametrize("name", [*SERVICES, "proxy"])
def test_every_service_is_confined(name: str):
    service = SERVICES.get(name) or SCALE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert "privileged" not in service
    assert set(service.get("cap_add", [])) == set() or name in STARTS_AS_ROOT
    assert service["read_only"] or name in {"litellm", "webui"}


@pytest.mark.parametrize("name", sorted(THREADS_OF_A_PROCESSOR))
def test_limits_leave_room_for_a_thread_of_each_of_128_processors(name: str):
    assert SERVICES[name]["pids_limit"] >= THREADS_OF_A_PROCESSOR[name] * 128 + 100


def test_nothing_else_starts_a_thread_for_each_processor():
    for target in ("query", "ingest", "tools"):
        assert "ENV OPENBLAS_NUM_THREADS=1\n" in STAGES[target]
    assert "    nbthread 4" in (ROOT / "deploy/haproxy/haproxy.cfg").read_text()


@pytest.mark.parametrize("name", SERVICES.keys() - STARTS_AS_ROOT.keys())
def test_nobody_starts_as_root(name: str):
    """Seen in the running stack too, but not of images that cannot be had everywhere."""
    service = SERVICES[name]
    built = service.get("build", {}).get("dockerfile_inline", "")
    ours = service["image"].startswith("xgtwin-") and not built  # the Dockerfile has a test of its own
    named = re.search(r"non_root|unprivileged", service["image"])
    assert ours or named or service.get("user", "root") not in {"root", "0"} or re.search(r"^USER [1-9]", built, re.M)


@pytest.mark.parametrize("name", SERVICES.keys() - COMES_AND_GOES - NOT_HEALTHCHECKED.keys())
def test_every_service_says_whether_it_is_healthy(name: str):
    assert SERVICES[name]["healthcheck"]["test"]


def test_services_wait_for_a_migrated_database_and_for_healthy_stores():
    for name in (*OURS, "ingest_worker"):
        waits = {part: told["condition"] for part, told in SERVICES[name]["depends_on"].items()}
        assert waits.pop("migrate") == "service_completed_successfully"
        assert waits
        assert set(waits.values()) == {"service_healthy"}


def test_only_the_three_services_are_published_and_only_on_loopback():
    published = {name for name, service in SERVICES.items() if "ports" in service and "profiles" not in service}
    assert published == set(OURS)
    for service in SERVICES.values():
        assert all(port.startswith("${PUBLISH_ON:-127.0.0.1}:") for port in service.get("ports", []))


def test_services_believe_proxies_of_this_machine_or_the_one_that_is_named():
    (network,) = COMPOSE["networks"]["edge"]["ipam"]["config"]
    gateway = network["gateway"]
    for name in OURS:
        (believed,) = (value for key, value in SERVICES[name]["environment"].items() if key.endswith("TRUSTED_PROXIES"))
        assert believed == f'["${{OUTER_PROXY:-{gateway}}}"]'
    assert SCALE["services"]["proxy"]["environment"]["OUTER_PROXY"] == f"${{OUTER_PROXY:-{gateway}}}"


def test_the_proxy_of_replicas_publishes_their_ports_and_they_believe_it_alone():
    proxy = SCALE["services"]["proxy"]
    assert sorted(proxy["ports"]) == sorted(port for name in OURS for port in SERVICES[name]["ports"])
    address = proxy["networks"]["edge"]["ipv4_address"]
    passed_on = (ROOT / "deploy/haproxy/haproxy.cfg").read_text()
    for name in OURS:
        service = SCALE["services"][name]
        assert service["ports"] == []
        (trusted,) = (value for key, value in service["environment"].items() if key.endswith("TRUSTED_PROXIES"))
        assert json.loads(trusted) == [address]
        port = SERVICES[name]["ports"][0].rsplit(":", 1)[1]
        assert f"{name}:{port}\n" in passed_on


def test_stores_and_brokers_stand_in_a_network_without_a_way_out():
    assert COMPOSE["networks"]["backend"]["internal"] is True
    assert all(SERVICES[name]["networks"] == ["backend"] for name in ("postgres", "qdrant", "redis", "mosquitto"))


def test_no_secret_has_a_default():
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN|SECRET|MASTER_KEY|API_KEY)\w*)([^}]*)\}", TEXT)
    assert len(secrets) > 8
    demanded = {name for name, rest in secrets if rest == ":?is not set. Run make secrets"}
    for name, rest in secrets:
        assert name in demanded, name
        assert not rest or rest.startswith(":?"), name


def test_the_list_of_what_services_take_from_env_is_what_the_settings_say():
    assert (ROOT / "deploy/compose.settings.yml").read_text() == compose_settings(), "run: make env-example"


def secrets_of(service: dict[str, Any]) -> set[str]:
    """Names of the secrets that a container is given."""
    taken = FROM_ENV["services"][service["extends"]["service"]]["environment"] if "extends" in service else []
    given = re.findall(r"\$\{(\w+)", json.dumps([service.get("environment"), service.get("command")]))
    return {name for name in (*taken, *given) if re.search(r"(PASSWORD|TOKEN|SECRET|KEY)$", name)}


def test_a_container_gets_the_secrets_that_it_uses_and_no_others():
    reads = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "STORE__QDRANT_API_KEY", "EMBEDDER__API_KEY"}
    switches = {"MQTT_PASSWORD", "TWIN__TOKEN", "TWIN__VIEWER_TOKEN"}
    ours = {
        "migrate": {"POSTGRES_PASSWORD"},
        "ingest_service": reads,
        "ingest_worker": reads,
        "beat": {"REDIS_PASSWORD"},
        "query_service": reads | {"LLM__API_KEY"},
        "twin_bridge": switches | {"POSTGRES_PASSWORD"},
        "backup": reads - {"REDIS_PASSWORD"},
        "tools": reads | switches | {"LLM__API_KEY"},
        "demo_lamp": {"MQTT_LAMPS_PASSWORD"},
    }
    assert {name: secrets_of(SERVICES[name]) for name in ours} == ours


def make_secrets(env: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "deploy/docker/secrets.sh"
    return subprocess.run(["sh", str(script), str(env)], capture_output=True, text=True, check=False)


def test_make_secrets_makes_each_once_and_keeps_what_is_there(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text("QUERY__TOP_K=7\nREDIS_PASSWORD=chosen.by-me_2~")
    for _ in range(2):
        done = subprocess.run(
            ["sh", ROOT / "deploy/docker/secrets.sh", env], capture_output=True, text=True, check=True
        )
    assert done.stdout == ""
    lines = env.read_text().splitlines()
    assert lines[:2] == ["QUERY__TOP_K=7", "REDIS_PASSWORD=chosen.by-me_2~"]
    assert len({line.split("=")[0] for line in lines}) == len(lines)
    assert env.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("password", ["a:b", "a@b", "a/b", "a#b", "a%41", "a b", "'ab'"])
def test_make_secrets_refuses_a_password_that_would_break_an_address(tmp_path: Path, password: str):
    env = tmp_path / ".env"
    env.write_text(f"MQTT_PASSWORD={password}\n")
    done = make_secrets(env)
    assert done.returncode == 1
    assert "MQTT_PASSWORD" in done.stderr
    assert env.read_text() == f"MQTT_PASSWORD={password}\n"


def test_make_secrets_makes_every_secret_that_is_demanded():
    script = (ROOT / "deploy/docker/secrets.sh").read_text()
    for name in re.findall(r"\$\{(\w+):\?is not set\. Run make secrets\}", TEXT):
        assert name in script, name


def test_images_of_others_are_pinned():
    for name, service in SERVICES.items():
        image = service["image"]
        assert ":" in image, name
        assert not image.endswith(":latest"), name


def test_what_compose_sets_are_settings_that_exist():
    tree: dict[str, Any] = {}
    for name, value in {**COMPOSE["x-ingest"], **COMPOSE["x-query"], **COMPOSE["x-twin"]}.items():
        section, _, key = name.lower().partition("__")
        if key:
            tree.setdefault(section, {})[key] = 1 if key.endswith("port") else str(value)
    Settings(_env_file=None, **tree)


def test_the_backup_service_is_healthy_with_a_whole_backup_of_two_days_or_while_it_is_young(tmp_path: Path):
    kind, command = SERVICES["backup"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"

    def healthy(*backups: tuple[str, int]) -> bool:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        for name, days in backups:
            (folder / name).touch()
            os.utime(folder / name, (made := time.time() - days * 24 * 3600, made))
        asked = command.replace("/backups", str(folder))
        return subprocess.run(["sh", "-c", asked], check=False).returncode == 0

    whole, lacking = "xgtwin-backup-20260501T030000Z.zip", "xgtwin-backup-20260502T030000Z-without-vectors.zip"
    assert not healthy()
    assert not healthy(("moved.zip", 0))
    assert healthy((whole, 1))
    assert healthy((whole, 1), (lacking, 0))
    assert healthy((lacking, 0))
    assert not healthy((whole, 3))
    assert not healthy((whole, 3), (lacking, 0))
    assert not healthy((lacking, 3), ("xgtwin-backup-20260505T030000Z-without-vectors.zip", 0))


def test_the_dockerfile_needs_no_frontend_and_no_root():
    assert not DOCKERFILE.startswith("# syntax=")
    for target in ("ingest", "query", "twin", "tools", "proxy"):
        assert "USER xgtwin" in STAGES[target]


def test_the_twin_image_copies_nothing_of_the_other_services():
    twin = STAGES["twin"]
    assert "packages-twin" in twin
    assert not re.search(r"ingest|query|xgtwin /?xgtwin|model", twin)
