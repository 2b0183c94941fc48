"""What runs, as whom, and what it may do."""

from itertools import combinations
from pathlib import Path

import pytest

from tests.integration.stack.compose import FILES, SCALE, Stack, inspect, users_of


def test_every_container_is_healthy_and_the_schema_was_made_once(stack: Stack):
    states = {each.service: (each.state, each.health) for each in stack.containers()}
    assert states.pop("migrate") == ("exited", "")
    assert set(states.values()) == {("running", "healthy")}, states


def test_no_program_in_any_container_runs_as_root(stack: Stack):
    for container in stack.containers():
        if container.state == "running":
            users = users_of(container.name)
            assert users
            assert all(0 not in uids for uids in users.values()), (container.name, users)
    for image in stack.sizes():
        assert inspect(image, "{{.Config.User}}") == "xgtwin" or not image.startswith("xgtwin-")


def test_containers_cannot_write_to_their_own_files_or_gain_rights(stack: Stack):
    for container in stack.containers():
        assert inspect(container.name, "{{.HostConfig.ReadonlyRootfs}}") == "true"
        assert inspect(container.name, "{{.HostConfig.CapDrop}}") == "[ALL]"
        assert "no-new-privileges" in inspect(container.name, "{{.HostConfig.SecurityOpt}}")
        assert int(inspect(container.name, "{{.HostConfig.Memory}}")) > 0
    for service in ("ingest_service", "query_service", "twin_bridge"):
        with pytest.raises(AssertionError, match="Read-only file system"):
            stack.compose("exec", "-T", service, "sh", "-c", "echo x > /app/x")


def test_stores_and_broker_cannot_reach_the_outside(stack: Stack):
    for container in stack.containers():
        if container.service in {"postgres", "redis"}:
            assert inspect(container.name, "{{.HostConfig.PortBindings}}") == "map[]"
            assert "edge" not in inspect(
                container.name, "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
            )


def test_settings_of_env_reach_the_services_that_use_them_and_passwords_no_others(stack: Stack):
    known = {each.service: inspect(each.name, "{{.Config.Env}}") for each in stack.containers()}
    for service in ("ingest_service", "ingest_worker"):
        assert f"INGEST__LEASE_S={stack.settings['INGEST__LEASE_S']}" in known[service]
    assert "QUERY__RATE_LIMIT=" in known["query_service"]
    assert "QUERY__RATE_LIMIT=" not in known["twin_bridge"]
    ours = {name: said for name, said in known.items() if name not in {"postgres", "redis", "mosquitto"}}
    for secret in ("LITELLM_MASTER_KEY", "GRAFANA_PASSWORD", "WEBUI_SECRET_KEY", "MQTT_LAMPS_PASSWORD"):
        assert [name for name, said in ours.items() if stack.settings[secret] in said] == []
    assert [name for name, said in ours.items() if stack.settings["TWIN__TOKEN"] in said] == ["twin_bridge"]


def test_the_twin_image_has_no_machine_learning_and_none_has_pip(stack: Stack):
    for service, absent in {
        "twin_bridge": ("onnxruntime", "fastembed", "numpy", "unstructured", "qdrant_client", "pip"),
        "query_service": ("unstructured", "tesserocr", "pip"),
        "ingest_service": ("pip",),
    }.items():
        found = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
        assert stack.compose("exec", "-T", service, "python", "-c", found, *absent).strip() == "[]"


def test_who_needs_less_has_a_smaller_image(stack: Stack):
    sizes = {name.split(":")[0]: size for name, size in stack.sizes().items()}
    assert sizes["xgtwin-twin"] < sizes["xgtwin-query"] < sizes["xgtwin-ingest"]


def test_every_choice_of_files_is_clean(stack: Stack):
    main, *others = (*FILES, SCALE)
    for chosen in (some for n in range(len(others) + 1) for some in combinations(others, n)):
        stack.compose("--profile", "*", "config", "--quiet", files=(main, *chosen))


def test_nothing_starts_without_secrets(stack: Stack):
    with pytest.raises(AssertionError, match="Run make secrets"):
        stack.compose("config", "--quiet", files=FILES[:1], env_file=Path("/dev/null"))
