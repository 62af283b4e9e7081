"""The unpacked code of functions, read-only, in one folder per zip."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Collection
from pathlib import Path
from threading import Lock

LARGEST_UNPACKED = 1536 * 1024 * 1024
KEPT = 4


class BadCodeError(ValueError):
    """What was uploaded is not a zip that the platform takes."""


class CodeStore:
    """Unpacks each zip once; functions with the same code share its folder, which none of them can write.

    Python may keep its compiled files there, in `__pycache__`, where the platform would compile on each cold start.

    Args:
        folder: Where to unpack.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._roots: dict[str, Path] = {}
        self._unpacked = 0
        self._lock = Lock()

    def root(self, digest: str, code: bytes) -> Path:
        """Return the folder of a zip.

        Raises:
            BadCodeError: If it is none, or too large unpacked.
        """
        with self._lock:
            root = self._roots.pop(digest, None) or self._unpack(code)
            self._roots[digest] = root
            return root

    def _unpack(self, code: bytes) -> Path:
        self._unpacked += 1
        root = self._folder / str(self._unpacked)
        try:
            unpack(code, root)
        except BadCodeError:
            remove(root)
            raise
        return root

    def trim(self, used: Collection[str]) -> None:
        """Remove all but the few folders that are in use or were of late."""
        with self._lock:
            for digest in [digest for digest in list(self._roots)[:-KEPT] if digest not in used]:
                remove(self._roots.pop(digest))


def unpack(code: bytes, root: Path) -> None:
    """Unpack a zip and take away the right to write.

    Raises:
        BadCodeError: If it is none, or too large unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST_UNPACKED:
                raise BadCodeError("the code is larger than 1.5 GB when unpacked")
            archive.extractall(root)
            executable = {member.filename for member in archive.infolist() if member.external_attr >> 16 & 0o111}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise BadCodeError(f"the code cannot be unpacked: {error}") from error
    for path in [root, *root.rglob("*")]:
        if path.is_file():
            path.chmod(0o555 if str(path.relative_to(root)) in executable else 0o444)
        elif path.name != "__pycache__":
            (path / "__pycache__").mkdir(exist_ok=True)
            path.chmod(0o555)


def remove(folder: Path) -> None:
    """Remove a folder, whatever in it is read-only."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
