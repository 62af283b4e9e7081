"""The machines that both sides run; standard library only, since the peer's interpreter reads it too."""

from __future__ import annotations

from typing import Any

TASK = "arn:aws:lambda:us-east-1:123456789012:function:task"


def _chain(states: list[dict[str, Any]], prefix: str = "S") -> dict[str, Any]:
    names = [f"{prefix}{number}" for number in range(len(states))]
    ways: list[dict[str, Any]] = [{"Next": name} for name in names[1:]]
    linked = zip(names, states, [*ways, {"End": True}], strict=True)
    return {"StartAt": names[0], "States": {name: {**state, **way} for name, state, way in linked}}


PASS: dict[str, Any] = {"Type": "Pass"}
CALL: dict[str, Any] = {"Type": "Task", "Resource": TASK}
LOOP: dict[str, Any] = {
    "StartAt": "More",
    "States": {
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": 50, "Next": "Rest"}],
            "Default": "Done",
        },
        "Rest": {"Type": "Wait", "Seconds": 0, "Next": "Count"},
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
        "Done": {"Type": "Succeed"},
    },
}
SPLIT: dict[str, Any] = {
    "StartAt": "Both",
    "States": {
        "Both": {"Type": "Parallel", "Branches": [_chain([PASS] * 4, "A"), _chain([PASS] * 4, "B")], "End": True}
    },
}

MACHINES: dict[str, tuple[dict[str, Any], int]] = {
    "10 Pass": (_chain([PASS] * 10), 10),
    "5 Pass, 5 Task": (_chain([PASS, CALL] * 5), 10),
    "polling loop of 50": (LOOP, 152),
    "Parallel of 2 x 4 Pass": (SPLIT, 9),
}
"""Definition and number of states entered, by name."""

INPUT = {"n": 0}
