"""The eighteen intrinsic functions; a wrong argument raises TypeError, ValueError or LookupError."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from hashlib import new as new_hash
from random import Random
from typing import Any
from uuid import UUID

Json = Any

_LARGEST_RANGE = 1000
_LONGEST_TEXT = 10_000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TEMPLATE_PARTS = re.compile(r"\\.|\{\}|[^\\{]+|\{", re.DOTALL)


def unescape(text: str) -> str:
    """Return a string literal's text without its backslashes."""
    return _ESCAPE.sub(r"\1", text)


def _expect(value: Json, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise TypeError(f"{type(value).__name__} is not expected here")
    return value


def _whole(value: Json) -> int:
    """Round halves up, as AWS does (Java's Math.round)."""
    return int((Decimal(str(_expect(value, int, float))) + Decimal("0.5")).to_integral_value(ROUND_FLOOR))


def _format(template: str, *values: Json) -> str:
    left = list(values)
    parts = [_part(part, left) for part in _TEMPLATE_PARTS.findall(_expect(template, str))]
    if left:
        raise ValueError("more values than place holders")
    return "".join(parts)


def _part(part: str, left: list[Json]) -> str:
    if part == "{}":
        return _shown(left.pop(0))
    return part[1:] if part.startswith("\\") else part


def _shown(value: Json) -> str:
    """Write a value as AWS does: an object as `{key=value}`, as Java prints a map."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(each) for each in value) + "]"
    return json.dumps(value)


def _string_to_json(text: str) -> Json:
    return json.loads(text, parse_constant=_no_json) if _expect(text, str).strip() else None


def _no_json(constant: str) -> Json:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(constant)


def _json_to_string(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _partition(array: list[Json], size: Json) -> list[list[Json]]:
    step = _whole(size)
    if step < 1:
        raise ValueError("the size of a part is at least 1")
    return [_expect(array, list)[start : start + step] for start in range(0, len(array), step)]


def _same(one: Json, other: Json) -> bool:
    return _canonical(one) == _canonical(other)


def _canonical(value: Json) -> str:
    """Tell true from 1, which Python does not."""
    return json.dumps(value, sort_keys=True)


def _contains(array: list[Json], value: Json) -> bool:
    return any(_same(item, value) for item in _expect(array, list))


def _range(first: Json, last: Json, step: Json) -> list[int]:
    start, end, stride = _whole(first), _whole(last), _whole(step)
    result = range(start, end + (1 if stride > 0 else -1), stride)
    if len(result) > _LARGEST_RANGE:
        raise ValueError("more than 1000 items")
    return list(result)


def _item(array: list[Json], index: Json) -> Json:
    if _expect(index, int) < 0:
        raise IndexError(index)
    return _expect(array, list)[index]


def _unique(array: list[Json]) -> list[Json]:
    return list({_canonical(item): item for item in _expect(array, list)}.values())


def _short(text: str) -> str:
    if len(_expect(text, str)) > _LONGEST_TEXT:
        raise ValueError("more than 10000 characters")
    return text


def _encode(text: str) -> str:
    return b64encode(_short(text).encode()).decode()


def _decode(text: str) -> str:
    return b64decode(_short(text), validate=True).decode()


def _hash(value: Json, algorithm: str) -> str:
    text = value if isinstance(value, str) else _json_to_string(value)
    return new_hash(_HASHES[algorithm], _short(text).encode(), usedforsecurity=False).hexdigest()


def _merge(one: dict[str, Json], other: dict[str, Json], deep: bool) -> dict[str, Json]:
    if deep is not False:
        raise ValueError("only a shallow merge is supported")
    return {**_expect(one, dict), **_expect(other, dict)}


def _add(one: Json, other: Json) -> int:
    return _whole(one) + _whole(other)


def _split(text: str, delimiters: str) -> list[str]:
    if not _expect(delimiters, str):
        return [_expect(text, str)]
    return [part for part in re.split(f"[{re.escape(delimiters)}]", _expect(text, str)) if part]


def _length(array: list[Json]) -> int:
    return len(_expect(array, list))


def _random(source: Random, first: Json, end: Json, seed: Json = None) -> int:
    chosen = source if seed is None else Random(_whole(seed))  # noqa: S311  # no secret depends on it
    return chosen.randrange(_whole(first), _whole(end))


def _uuid(source: Random) -> str:
    return str(UUID(int=source.getrandbits(128), version=4))


FUNCTIONS: dict[str, Callable[..., Json]] = {
    "Array": lambda *values: list(values),
    "ArrayContains": _contains,
    "ArrayGetItem": _item,
    "ArrayLength": _length,
    "ArrayPartition": _partition,
    "ArrayRange": _range,
    "ArrayUnique": _unique,
    "Base64Decode": _decode,
    "Base64Encode": _encode,
    "Format": _format,
    "Hash": _hash,
    "JsonMerge": _merge,
    "JsonToString": _json_to_string,
    "MathAdd": _add,
    "StringSplit": _split,
    "StringToJson": _string_to_json,
}
RANDOM_FUNCTIONS: dict[str, Callable[..., Json]] = {"MathRandom": _random, "UUID": _uuid}
