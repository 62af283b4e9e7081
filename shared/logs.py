"""Log lines: one JSON object each, of ids, names and codes; what is told of a request is masked as events are."""

from __future__ import annotations

import json
from collections.abc import Callable
from logging import getLogger
from typing import Any

from shared.platform import Context
from shared.services import LocalContext

Log = Callable[..., None]
_LOCAL = getLogger("dcs_access")


def log_of(context: Context, **always: Any) -> Log:
    """A function that writes one line: its arguments, and what is always said.

    `request` is the platform's id of the invocation, by which its own lines of the log are found.
    """
    if isinstance(context, LocalContext):
        logger, facts = _LOCAL, always
    else:
        logger, facts = context.getLogger(), {"request": context.getRequestID(), **always}

    def log(**more: Any) -> None:
        said = {name: value for name, value in {**facts, **more}.items() if value is not None}
        # Not as a format: what is said may hold a percent sign.
        logger.info("%s", json.dumps(said, separators=(",", ":"), default=str))

    return log
