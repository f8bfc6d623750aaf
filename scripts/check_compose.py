"""Check compose.yaml as far as that goes without a container engine."""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
IMAGES = {"odoo": "odoo:19.0", "db": "postgres:16"}
SERVICE_KEYS = {
    "command",
    "depends_on",
    "environment",
    "healthcheck",
    "image",
    "ports",
    "volumes",
}


def volume_problems(service, declared):
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        if source.startswith("."):
            if not (ROOT / source / "__manifest__.py").is_file():
                yield f"{source} is not the add-on"
        elif source not in declared:
            yield f"the volume {source} is not declared"


def service_problems(service, compose):
    if unknown := set(service) - SERVICE_KEYS:
        yield f"unknown keys {unknown}"
    for needed in service.get("depends_on", {}):
        if "healthcheck" not in compose["services"].get(needed, {}):
            yield f"waits for {needed}, which has no healthcheck"
    yield from volume_problems(service, compose["volumes"])


def problems(compose):
    services = compose["services"]
    if {name: service["image"] for name, service in services.items()} != IMAGES:
        yield f"the images should be {IMAGES}"
    for name, service in services.items():
        for problem in service_problems(service, compose):
            yield f"{name}: {problem}"
    client, server = services["odoo"]["environment"], services["db"]["environment"]
    if client != {
        "HOST": "db",
        "USER": server["POSTGRES_USER"],
        "PASSWORD": server["POSTGRES_PASSWORD"],
    }:
        yield "Odoo and PostgreSQL do not agree on host, user and password"


found = list(problems(yaml.safe_load((ROOT / "compose.yaml").read_text())))
for problem in found:
    print(f"compose.yaml: {problem}")
sys.exit(bool(found))
