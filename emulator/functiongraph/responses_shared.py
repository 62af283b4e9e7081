"""What the calls of FunctionGraph share: finding what a URN names, and refusing."""

from __future__ import annotations

from contextlib import AbstractContextManager

from emulator.account import Account
from emulator.core.problems import Refusal, refusing
from emulator.functiongraph.errors import fss, function_not_found
from emulator.functiongraph.models import Function
from emulator.functiongraph.urns import LATEST, Urn


def saying() -> AbstractContextManager[None]:
    """Say every refusal within as FunctionGraph does."""
    return refusing(fss)


def parsed(project_id: str, function_urn: str) -> Urn:
    """The URN in a path.

    Raises:
        Refusal: it is none, or of another project.
    """
    try:
        urn = Urn.parse(function_urn)
    except ValueError as error:
        raise Refusal(400, "FSS.1309", f"Invalid function URN: {error}.") from None
    if urn.project_id != project_id:
        raise function_not_found()
    return urn


def named(account: Account, project_id: str, function_urn: str) -> tuple[Urn, Function, str]:
    """The URN in a path, its function and the version that it means.

    Raises:
        Refusal: there is none.
    """
    urn = parsed(project_id, function_urn)
    return urn, *account.functiongraph.resolve(urn)


def latest(account: Account, project_id: str, function_urn: str) -> Function:
    """The function in a path, for a change: only the latest version does change.

    Raises:
        Refusal: there is none, or a published version is named.
    """
    urn, function, version = named(account, project_id, function_urn)
    if version != LATEST or urn.alias:
        raise Refusal(400, "FSS.1015", "Invalid function version: a published version does not change.")
    return function
