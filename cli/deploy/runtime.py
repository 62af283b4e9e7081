"""The runtime that all functions of a template share, for they share one zip."""

from __future__ import annotations

from cli.deploy.forms import Ref
from cli.deploy.model import Function
from cli.deploy.template import Resolver, merged, refused

RUNTIMES = ("Python3.12",)
"""What the code runs on, 3.11 or later, of what the platform has (FunctionGraph manual: supported runtimes)."""


def runtime_of(resolver: Resolver) -> str:
    """The runtime of the functions, refused before one is deleted for a runtime in which it cannot be made again.

    Raises:
        PermanentError: `InvalidRequest`, naming the parameter or the property.
    """
    functions = [name for name, one in resolver.template.resources.items() if isinstance(one, Function)]
    for name in functions:
        runtime = resolver.properties(name).get("runtime")
        if runtime not in RUNTIMES:
            raise refused(_source(resolver, name), f"the functions run on {' or '.join(RUNTIMES)}, not on {runtime}")
    return str(resolver.properties(functions[0])["runtime"]) if functions else RUNTIMES[0]


def _source(resolver: Resolver, function: str) -> str:
    given = merged(resolver.template, resolver.template.resources[function]).get("runtime")
    return f"Parameters.{given.ref}" if isinstance(given, Ref) else f"Resources.{function}.Properties.runtime"
