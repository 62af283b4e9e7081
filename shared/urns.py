"""The names of what is deployed: the functions of one application, each called like its handler's module; topics."""

from __future__ import annotations

_PARTS = 7


def function_urn(region: str, project_id: str, application: str, name: str) -> str:
    """The URN of a function; without a version it means the latest."""
    return f"urn:fss:{region}:{project_id}:function:{application}:{name}"


def function_name(urn: str) -> str:
    """The function in `urn:fss:<region>:<project>:function:<application>:<name>[:<version>]`.

    Raises:
        ValueError: it is no such URN.
    """
    parts = urn.split(":")
    if len(parts) not in {_PARTS, _PARTS + 1} or parts[:2] != ["urn", "fss"] or not parts[_PARTS - 1].isidentifier():
        msg = f"not the URN of a function: {urn}"
        raise ValueError(msg)
    return parts[_PARTS - 1]


def topic_urn(region: str, project_id: str, name: str) -> str:
    """The URN of a topic."""
    return f"urn:smn:{region}:{project_id}:{name}"
