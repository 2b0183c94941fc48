"""What deploy/ measures and shows is there: metrics, their labels, and expressions that Prometheus understands."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from shared.observability import metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
RULES = DEPLOY / "prometheus" / "alerts.yml"
NAME = re.compile(r"\b(xgtwin_\w+?)(?:_bucket|_count|_sum)?\b(?:\{([^}]*)\})?(?=[\s\[)]|$)")


def labels_of_metrics() -> dict[str, set[str]]:
    found = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    return {
        next(iter(metric.describe())).name + ("_total" if metric._type == "counter" else ""): {*metric._labelnames}
        for metric in found
    }


def board(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def expressions() -> Iterator[tuple[str, str]]:
    """Where each stands, and the expression."""
    for path in BOARDS:
        for panel in board(path)["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("place", "expression"), list(expressions()))
def test_a_board_or_rule_names_metrics_and_labels_that_exist(place: str, expression: str):
    known = labels_of_metrics()
    used = NAME.findall(expression)
    assert used or place == "ServiceAway"
    for name, selector in used:
        assert name in known, place
        own = known[name]
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector)) <= own, place
        grouped = re.search(r"by \(([^)]*)\)", expression)
        assert {word.strip() for word in grouped[1].split(",")} <= {*own, "le"} if grouped else True, place


def test_the_boards_are_what_grafana_loads():
    assert [path.stem for path in BOARDS] == ["answering", "ingestion", "twin"]
    loaded = [board(path) for path in BOARDS]
    assert len({each["uid"] for each in loaded}) == len(loaded)
    for each in loaded:
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in each["panels"]]
        assert len(set(places)) == len(places)
        assert all(panel["datasource"]["uid"] == "prometheus" for panel in each["panels"])
    (source,) = yaml.safe_load((DEPLOY / "grafana/datasources/prometheus.yml").read_text())["datasources"]
    assert source["uid"] == "prometheus"


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return found


def test_prometheus_reads_its_settings_its_rules_and_every_expression(promtool: str, tmp_path: Path):
    asked = [
        {"record": f"board:{n}", "expr": expression.replace("$__rate_interval", "1m")}
        for n, (_, expression) in enumerate(expressions())
    ]
    rules = tmp_path / "boards.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": asked}]}))
    for command in (["check", "config", DEPLOY / "prometheus/prometheus.yml"], ["check", "rules", rules]):
        done = subprocess.run([promtool, *map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_a_service_that_does_not_answer_or_has_vanished_is_away(promtool: str, tmp_path: Path):
    """The name of a stopped container is gone from DNS, and with it what is scraped."""
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    silent, *vanished = [each["job_name"] for each in scraped]
    values = {silent: "1 1 0x8"} | dict.fromkeys(vanished, "1 1 stale")
    series = [{"series": f'up{{job="{job}", instance="a:80"}}', "values": told} for job, told in values.items()]
    expected = [
        {
            "exp_labels": {"severity": "critical", "job": silent, "instance": "a:80"},
            "exp_annotations": {"summary": f"{silent} at a:80 does not answer."},
        },
        *(
            {
                "exp_labels": {"severity": "critical", "job": job},
                "exp_annotations": {"summary": f"{job} does not answer."},
            }
            for job in vanished
        ),
    ]
    alerts = [
        {"eval_time": "3m", "alertname": "ServiceAway", "exp_alerts": []},
        {"eval_time": "10m", "alertname": "ServiceAway", "exp_alerts": expected},
    ]
    case = {"interval": "1m", "input_series": series, "alert_rule_test": alerts}
    scenario = tmp_path / "scenario.yml"
    scenario.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [case]}))
    done = subprocess.run([promtool, "test", "rules", str(scenario)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_collector_listens_where_traces_are_sent_and_every_part_is_used_or_ready():
    config = yaml.safe_load((DEPLOY / "otel" / "collector.yaml").read_text())
    pipeline = config["service"]["pipelines"]["traces"]
    assert config["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318")
    assert set(pipeline["receivers"]) <= set(config["receivers"])
    assert set(pipeline["processors"]) == set(config["processors"])
    assert set(pipeline["exporters"]) <= set(config["exporters"])
