"""The published schemas, applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[2] / "orchestrator" / "schemas"
CONTENTS = {path.name: json.loads(path.read_bytes()) for path in SCHEMAS.glob("*.schema.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(content)) for name, content in CONTENTS.items()
)


def check(kind: str, value: object) -> None:
    """Raise ValidationError unless ``value`` is valid under ``<kind>.schema.json``."""
    Draft202012Validator(CONTENTS[f"{kind}.schema.json"], registry=REGISTRY).validate(value)
