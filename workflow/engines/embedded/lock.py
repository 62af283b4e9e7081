"""A lock between processes that dies with its holder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from sqlite3 import SQLITE_BUSY, Connection, Error, OperationalError, connect


class ProcessLock:
    """Held by at most one process (and one holder in it) per file.

    It is SQLite's own exclusive lock: portable, and freed by the operating system when the holder is killed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: Connection | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Try for `timeout` seconds to take the lock; say whether it is held now.

        Raises:
            sqlite3.Error: the file cannot be locked by anybody, as on a full disk.
        """
        connection = connect(self._path, timeout=timeout, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except Error as problem:
            connection.close()
            if problem.sqlite_errorcode != SQLITE_BUSY:
                raise
            return False
        self._held = connection
        return True

    def release(self) -> None:
        """Let the next one in."""
        if self._held is not None:
            with suppress(OperationalError):
                self._held.rollback()
            self._held.close()
            self._held = None
