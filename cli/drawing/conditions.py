"""Choice rules in a few words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Json = Any

_JOINS = {"And": " and ", "Or": " or "}
_SIGNS = {
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
    "LessThan": "<",
    "GreaterThan": ">",
    "Equals": "=",
    "Matches": "is like",
}
_TESTS = {
    "IsPresent": ("is there", "is not there"),
    "IsNull": ("is null", "is not null"),
    "IsNumeric": ("is a number", "is no number"),
    "IsString": ("is a string", "is no string"),
    "IsBoolean": ("is true or false", "is neither true nor false"),
    "IsTimestamp": ("is a time", "is no time"),
}


def describe(rule: Mapping[str, Json]) -> str:
    """Return what a valid Choice rule asks."""
    if "Not" in rule:
        denied = {name: not rule["Not"][name] for name in _TESTS if name in rule["Not"]}
        return _test(rule["Not"] | denied) if denied else f"not ({describe(rule['Not'])})"
    for join, word in _JOINS.items():
        if join in rule:
            return word.join(_inner(each) for each in rule[join])
    return _test(rule)


def _inner(rule: Mapping[str, Json]) -> str:
    text = describe(rule)
    return f"({text})" if rule.keys() & _JOINS.keys() else text


def _test(rule: Mapping[str, Json]) -> str:
    for name, (yes, no) in _TESTS.items():
        if name in rule:
            return f"{rule['Variable']} {yes if rule[name] else no}"
    operator = next(key for key in rule if any(sign in key for sign in _SIGNS))
    sign = next(sign for name, sign in _SIGNS.items() if name in operator)
    operand = rule[operator] if isinstance(rule[operator], str) else json.dumps(rule[operator])
    return f"{rule['Variable']} {sign} {operand}"
