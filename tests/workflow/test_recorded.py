"""Recorded executions of AWS; they are data of another project and stay outside of this one."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.asl_adapter import check, run
from workflow.language import InvalidDefinitionError

CORPUS = os.environ.get("ASL_CORPUS")
pytestmark = pytest.mark.skipif(not CORPUS, reason="ASL_CORPUS does not name a folder of recorded executions")
POOLS = frozenset({"core", "lambda", "definition"})


def runner():
    spec = importlib.util.spec_from_file_location("run_corpus", Path(CORPUS) / "run_corpus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases() -> Iterator[tuple[str, dict]]:
    manifest = json.loads((Path(CORPUS) / "manifest.json").read_text())
    for entry in manifest["cases"]:
        if entry["pool"] in POOLS and entry["query_language"] == "jsonpath":
            yield entry["id"], json.loads((Path(CORPUS) / entry["path"]).read_text())


def verdict(module, case) -> str:
    if case["kind"] == "definition":
        raw = case["definition"]
        problems = check(raw["@@raw"] if "@@raw" in raw else json.dumps(raw))
        return "pass" if bool(problems) == (case["expected"]["status"] == "INVALID") else "validity"
    replay = module.Replay(case)
    return module.verdict(case, run(case["definition"], case["input"], replay), replay)


def test_every_recorded_execution_ends_as_recorded_but_for_what_is_refused_by_name():
    module, wrong = runner(), {}
    for name, case in cases():
        try:
            outcome = verdict(module, case)
        except InvalidDefinitionError as refusal:
            outcome = "pass" if "not supported" in str(refusal) else str(refusal)
        if outcome != "pass":
            wrong[name] = outcome
    assert wrong == {}
