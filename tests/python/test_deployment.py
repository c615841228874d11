"""The manifests of examples/ name options, ports and pages that the server has. No network is needed."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path
from typing import Any

import pytest
from plain_client import ask
from registry_models import linear

from maas_engine.cli._serve import settings
from maas_engine.serving import Server, _settings

pytest.importorskip("starlette")

EXAMPLES = Path(__file__).parents[2] / "examples"
DRAIN = _settings.BY_NAME["drain"].default


def documents(name: str) -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    return list(yaml.safe_load_all((EXAMPLES / name).read_text()))


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = documents(name)[0]["spec"]
    return spec.get("template", {}).get("spec", spec)


@pytest.mark.parametrize("name", ["kubernetes.yaml", "kserve.yaml"])
def test_a_container_starts_the_server_and_asks_for_pages_that_there_are(name: str) -> None:
    (container,) = pod(name)["containers"]
    program, command, *words = container["args"]
    assert (program, command) == ("maas-engine", "serve")
    given = settings(words, {})
    assert given["host"] == "0.0.0.0"
    assert given["models"]
    assert given.get("anonymous") or given.get("token_file"), "else nobody may ask"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    ports = {each.get("name"): each["containerPort"] for each in container["ports"]}
    assert set(ports.values()) == {given["port"], given.get("tcp_port", -1)} - {-1}
    with Server({"m": linear()}) as server:
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            asked = container.get(probe, container["livenessProbe"])["httpGet"]
            assert ports.get(asked["port"], asked["port"]) == given["port"]
            assert ask(server.port, asked["path"])[0] == 200
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"


def test_kubernetes_waits_until_requests_are_answered() -> None:
    deployment, service = documents("kubernetes.yaml")
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    sleep = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] > sleep + DRAIN
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels == deployment["spec"]["selector"]["matchLabels"]
    names = {each["name"] for each in container["ports"]}
    assert {each["targetPort"] for each in service["spec"]["ports"]} == names
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert set(mounts) == {each["name"] for each in spec["volumes"]}
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["MAAS_CACHE"] == mounts["cache"]
    given = settings(container["args"][2:], {})
    assert given["token_file"].startswith(mounts["tokens"] + "/")


def test_kserve_waits_until_requests_are_answered() -> None:
    runtime, service = documents("kserve.yaml")
    predictor = service["spec"]["predictor"]
    assert predictor["terminationGracePeriodSeconds"] > DRAIN
    assert predictor["model"]["runtime"] == runtime["metadata"]["name"]
    formats = [each["name"] for each in runtime["spec"]["supportedModelFormats"]]
    assert predictor["model"]["modelFormat"]["name"] in formats


def test_systemds_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(EXAMPLES / "serve.service")
    service = unit["Service"]
    program, command, *words = shlex.split(service["ExecStart"])
    assert (Path(program).name, command) == ("maas-engine", "serve")
    (tmp_path / "serve.toml").write_text('[models]\nm = "m.onnx"\n')
    assert settings([words[0], str(tmp_path / "serve.toml")], {})["models"]
    assert words[0] == "--config"
    assert service["Type"] == "notify"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert float(service["TimeoutStopSec"]) > DRAIN
    assert "AF_UNIX" in service["RestrictAddressFamilies"], "READY=1 goes to a socket of systemd's"
    variables = dict(each.split("=", 1) for each in service["Environment"].split())
    state = "/var/lib/" + service["StateDirectory"]
    assert all(value.startswith(state) for value in variables.values())
