"""Signatures with an access key: SDK-HMAC-SHA256, with a credential scope or without one."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote, urlencode, urlsplit

from emulator.core.message import Request

ALGORITHM = "SDK-HMAC-SHA256"
_SPACES = re.compile(r"\s+")
_SCOPED = re.compile(
    rf"{ALGORITHM} Credential=(?P<access>[^/,]+)/(?P<scope>[^,]+), ?SignedHeaders=(?P<headers>[^,]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_PLAIN = re.compile(
    rf"{ALGORITHM} Access=(?P<access>[^,]+), ?SignedHeaders=(?P<headers>[^,]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signed:
    """What the Authorization header says; without a scope the secret key itself is what signs."""

    access_key: str
    headers: tuple[str, ...]
    signature: str
    scope: str | None


def read_signature(authorization: str) -> Signed | None:
    """Read the header; None where it is of another form."""
    found = _SCOPED.fullmatch(authorization) or _PLAIN.fullmatch(authorization)
    if found is None:
        return None
    headers = tuple(found["headers"].split(";"))
    return Signed(found["access"], headers, found["signature"], found.groupdict().get("scope"))


def fits(request: Request, signed: Signed, secret_key: str) -> bool:
    """Whether the signature is that of this request (IAM API: authentication; header X-Sdk-Date is a must)."""
    date = request.headers.get("x-sdk-date", "")
    if not {"host", "x-sdk-date"} <= set(signed.headers) or not date:
        return False
    key = _key(secret_key, signed.scope)
    return any(
        hmac.compare_digest(_hmac(key, _to_sign(date, signed.scope, canonical)).hex(), signed.signature)
        for canonical in _canonical(request, signed.headers)
    )


def _canonical(request: Request, names: tuple[str, ...]) -> Iterator[str]:
    path = quote(request.path, safe="/~")
    path = path if path.endswith("/") else path + "/"
    given = {"host": urlsplit(request.base).netloc, **request.headers}
    headers = "".join(f"{name}:{_SPACES.sub(' ', given.get(name, '').strip())}\n" for name in names)
    for query, payload in _queries(request):
        digest = sha256(payload).hexdigest()
        said = given.get("x-sdk-content-sha256", digest)
        if said in (digest, "UNSIGNED-PAYLOAD"):
            yield "\n".join((request.method, path, query, headers, ";".join(names), said))


def _queries(request: Request) -> Iterator[tuple[str, bytes]]:
    """The query as it may have been signed, and the payload: signers sort with or without regard to case."""
    pairs = [(quote(key, safe="~"), quote(value, safe="~")) for key, value in request.query]
    for ordered in (sorted(pairs), sorted(pairs, key=lambda pair: (pair[0].lower(), pair[1]))):
        yield "&".join(f"{key}={value}" for key, value in ordered), request.body
    if request.method == "POST" and not request.body:
        # The Go signer takes the query of a POST without a body for its payload.
        yield "", urlencode(sorted(request.query)).encode()


def _to_sign(date: str, scope: str | None, canonical: str) -> str:
    lines = (ALGORITHM, date, scope, sha256(canonical.encode()).hexdigest())
    return "\n".join(line for line in lines if line is not None)


def _key(secret_key: str, scope: str | None) -> bytes:
    if scope is None:
        return secret_key.encode()
    key = f"SDK{secret_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
