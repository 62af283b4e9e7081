"""Code as it is uploaded."""

from __future__ import annotations

from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from emulator.core.problems import Refusal

MAX_ZIP, MAX_INLINE = 50 * 1024 * 1024, 10 * 1024


def as_zip(code_type: str, content: bytes, handler: str) -> bytes:
    """The zip that is kept: the one uploaded, or one with the single file that was given inline.

    Raises:
        Refusal: it is too large, or no zip.
    """
    if code_type == "inline":
        return _zip_of(content, handler)
    if len(content) > MAX_ZIP:
        message = "The size of the code package to be uploaded exceeds the maximum allowed limit (50 MB)."
        raise Refusal(413, "FSS.1071", message)
    try:
        with ZipFile(BytesIO(content)) as archive:
            archive.infolist()
    except BadZipFile:
        raise Refusal(400, "FSS.1011", "Invalid function code: it is not a zip.") from None
    return content


def _zip_of(source: bytes, handler: str) -> bytes:
    if len(source) > MAX_INLINE:
        message = "The size of the inline code exceeds the maximum allowed limit (10 KB)."
        raise Refusal(413, "FSS.1072", message)
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        # A fixed date: the same source has the same digest.
        entry = ZipInfo(f"{handler.rpartition('.')[0]}.py")
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, source)
    return packed.getvalue()
