"""Print the JSON Schemas of what goes in and what comes out."""

from __future__ import annotations

import json

import click

from shared.events import EventKind, event_schema
from shared.request import request_schema

REQUEST = "request"


@click.command()
@click.argument("name", type=click.Choice([REQUEST, *(kind.value for kind in EventKind)]), default=REQUEST)
def schema(name: str) -> None:
    """Print the JSON Schema of a request or an event."""
    data = request_schema() if name == REQUEST else event_schema(EventKind(name))
    click.echo(json.dumps(data, indent=2))
