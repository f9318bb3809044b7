"""docker-compose.yml follows the Compose Specification and opens nothing beyond this machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "tests/data/compose/compose-spec.json").read_text(encoding="utf-8"))
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture
def compose() -> dict:
    """Return the file as YAML merges it."""
    return yaml.safe_load(TEXT)


def problems(document: dict) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_file_follows_the_specification(compose):
    """Every key of the file is one that the specification knows, with a value of its type."""
    assert problems(compose) == []


def test_the_schema_refuses_what_the_specification_does_not_know(compose):
    """A misspelt key is noticed, so the test above can fail."""
    compose["services"]["postgres"]["volume"] = []
    assert any("volume" in problem for problem in problems(compose))


def test_every_port_is_bound_to_loopback(compose):
    """No service is reached from another machine."""
    ports = [p for service in compose["services"].values() for p in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_has_a_default():
    """A password, key or secret that is not set stops the start with a message."""
    secret = re.compile(r"\$\{[A-Z_]*(?:PASSWORD|SECRET|KEY)[A-Z_]*(?P<rest>[^}]*)\}")
    defaults = [match["rest"] for match in secret.finditer(TEXT)]
    assert defaults
    assert all(rest.startswith(":?") for rest in defaults)


def test_what_a_service_waits_for_is_there(compose):
    """Each dependency, network and volume that a service names is declared."""
    for name, service in compose["services"].items():
        assert set(service.get("depends_on", ())) <= set(compose["services"]), name
        assert set(service.get("networks", ())) <= set(compose["networks"]), name
        volumes = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert volumes <= set(compose["volumes"]), name
