"""The durable engine in one process and one SQLite file: DBOS, and nothing outside this package knows it."""

from workflow.engines.embedded.engine import EmbeddedEngine, run_id_of
from workflow.engines.embedded.store import STORE_ERRORS
from workflow.engines.embedded.view import RunStatus, RunView

__all__ = ["STORE_ERRORS", "EmbeddedEngine", "RunStatus", "RunView", "run_id_of"]
