"""`sessionize schema`: the output's schema as JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sessionize.cli.settings import one_of


def schema(
    kind: Annotated[str, typer.Argument(metavar="sessions|metrics|events|manifest", help="Which output.")],
) -> None:
    """Print the schema of an output as JSON Schema.

    sessionize schema metrics
    """
    kind = one_of(kind, ("sessions", "metrics", "events", "manifest"), "schema")
    from sessionize.output.jsonschema import json_schema

    print(json.dumps(json_schema(kind), indent=2))
