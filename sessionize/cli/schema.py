"""`sessionize schema`: the output's schema as JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from sessionize.cli.settings import one_of
from sessionize.summary.schemas import ANSWERS, answer_schema

OUTPUTS: Final = ("sessions", "metrics", "events", "manifest")


def schema(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help=f"An output: {', '.join(OUTPUTS)}; or a command's --json: {', '.join(ANSWERS)}.",
            autocompletion=lambda incomplete: [name for name in (*OUTPUTS, *ANSWERS) if name.startswith(incomplete)],
        ),
    ],
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Directory of a run, for the columns that it has added.")
    ] = None,
) -> None:
    """Print the schema of an output, or of a command's --json, as JSON Schema.

    \b
    sessionize schema metrics
    sessionize schema metrics out
    sessionize schema funnel
    """
    kind = one_of(kind, (*OUTPUTS, *ANSWERS), "schema")
    if kind in ANSWERS:
        print(json.dumps(answer_schema(kind), indent=2, ensure_ascii=False))
        return
    from sessionize.output.jsonschema import json_schema
    from sessionize.output.read_run import added_columns

    own = () if run is None else added_columns(run)
    print(json.dumps(json_schema(kind, own), indent=2, ensure_ascii=False))
