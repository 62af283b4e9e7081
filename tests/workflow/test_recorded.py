"""Recorded executions of AWS; they are data of another project and stay outside of this one.

`ASL_CORPUS` names a folder with `manifest.json`, the cases it lists, and `run_corpus.py`, which judges them.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.asl_adapter import check, run
from workflow.language import InvalidDefinitionError, validate

CORPUS = os.environ.get("ASL_CORPUS")
pytestmark = pytest.mark.skipif(not CORPUS, reason="ASL_CORPUS does not name a folder of recorded executions")

Case = dict[str, Any]

REFUSED = ("not supported: distributed Map", "not supported: task tokens", "not supported: JSONata")
"""What the language has and this project refuses by name, each the reason of an expected miss."""


@pytest.fixture(scope="module")
def judge():
    spec = importlib.util.spec_from_file_location("run_corpus", Path(CORPUS) / "run_corpus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases(kind: str) -> Iterator[tuple[str, str, Case]]:
    """Each JSONPath case of a kind, with its pool and name."""
    for entry in json.loads((Path(CORPUS) / "manifest.json").read_text())["cases"]:
        if entry["kind"] == kind and entry["query_language"] == "jsonpath":
            yield entry["pool"], entry["id"], json.loads((Path(CORPUS) / entry["path"]).read_text())


def verdict(judge, case: Case) -> str:
    replay = judge.Replay(case)
    try:
        return judge.verdict(case, run(case["definition"], case["input"], replay), replay)
    except InvalidDefinitionError as refusal:
        return str(refusal)


def reasons(definition: Case) -> set[str]:
    """The names under which a definition is refused; a refusal of any other kind gives itself."""
    texts = [problem.message for problem in validate(definition)]
    return {next((name for name in REFUSED if text.startswith(name)), text) for text in texts}


def inline(node: Any) -> Any:
    """The same definition with every distributed Map run inline, without what only a distributed one has."""
    if isinstance(node, list):
        return [inline(each) for each in node]
    if not isinstance(node, dict):
        return node
    config = {"Mode": "INLINE"} if node.get("Mode") == "DISTRIBUTED" else None
    return config or {key: inline(value) for key, value in node.items() if key != "Label"}


def test_every_recorded_execution_ends_as_recorded_or_is_refused_by_name(judge, record_property):
    passed: Counter[str] = Counter()
    missed: dict[str, set[str]] = {}
    for pool, name, case in cases("execution"):
        outcome = verdict(judge, case)
        passed[f"{pool}: {'as recorded' if outcome == 'pass' else 'missed'}"] += 1
        if outcome != "pass":
            missed[name] = reasons(case["definition"]) or {outcome}
    record_property("recorded", dict(passed))
    assert {name: why for name, why in missed.items() if not why <= set(REFUSED)} == {}
    assert sum(passed.values()) > 0


def test_a_distributed_map_without_a_reader_would_end_inline_as_recorded(judge):
    wrong = {}
    for _, name, case in cases("execution"):
        if "map_distributed" in case["tags"]:
            case["definition"] = inline(case["definition"])
            outcome = verdict(judge, case)
            if outcome != "pass" and "ItemReader" not in json.dumps(case["definition"]):
                wrong[name] = outcome
    assert wrong == {}


def test_every_recorded_definition_is_judged_as_aws_did():
    wrong = {}
    for _, name, case in cases("definition"):
        raw = case["definition"]
        problems = check(raw["@@raw"] if "@@raw" in raw else json.dumps(raw))
        if bool(problems) != (case["expected"]["status"] == "INVALID"):
            wrong[name] = problems
    assert wrong == {}
