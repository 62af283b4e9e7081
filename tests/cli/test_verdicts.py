"""Who was told what: nothing twice, nothing lost, and the last verdict of each exposure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.verdicts import VerdictStore
from shared.errors import ErrorCode, TemporaryError


@dataclass
class Ear:
    """A sink that listens, unless it is deaf."""

    name: str = "ear"
    deaf: bool = False
    heard: list[str] = field(default_factory=list)

    def deliver(self, event: dict[str, Any]) -> None:
        if self.deaf:
            raise TemporaryError(ErrorCode.EVENT_UNDELIVERED, "It hears nothing.")
        self.heard.append(event["id"])


def event(kind: str, identifier: str, **data: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": f"dcs-public-access.exposure.{kind}",
        "subject": "e",
        "time": "2026-11-02T12:00:00Z",
        "data": {"run_id": identifier, "verdict": "healthy", **data},
    }


def tell(store: VerdictStore, ear: Ear, *events: dict[str, Any], on_change: bool = False) -> None:
    for each in events:
        for sink in store.around([ear], on_change=on_change):
            sink.deliver(each)


@pytest.mark.parametrize("on_change", [False, True])
def test_an_end_is_told_once_by_its_id_and_a_verdict_whenever_it_is_found_or_changes(
    tmp_path: Path, *, on_change: bool
):
    store, ear = VerdictStore(tmp_path), Ear()
    looks = [event("verified", "1"), event("verified", "2"), event("drifted", "3", verdict="drifted")]
    tell(store, ear, *looks, event("expired", "end"), event("expired", "end"), on_change=on_change)
    assert ear.heard == (["1", "3", "end"] if on_change else ["1", "2", "3", "end"])


def test_what_a_sink_did_not_get_it_is_told_the_next_time(tmp_path: Path):
    store, ear = VerdictStore(tmp_path), Ear(deaf=True)
    with pytest.raises(TemporaryError):
        tell(store, ear, event("expiring", "end"))
    ear.deaf = False
    tell(store, ear, event("expiring", "end"))
    assert ear.heard == ["end"]


def test_two_sinks_of_one_name_are_both_told(tmp_path: Path):
    ears = [Ear(), Ear()]
    for sink in VerdictStore(tmp_path).around(ears, on_change=True):
        sink.deliver(event("expired", "end"))
    assert [ear.heard for ear in ears] == [["end"], ["end"]]


def test_a_run_that_was_forgotten_is_told_again_and_no_other(tmp_path: Path):
    store, ear = VerdictStore(tmp_path), Ear()
    told = [event("completed", "a.completed"), event("completed", "ab.completed")]
    tell(store, ear, *told)
    store.forget(["a"])
    tell(store, ear, *told)
    assert ear.heard == ["a.completed", "ab.completed", "a.completed"]


def test_a_store_that_cannot_be_used_keeps_no_sink_from_hearing(tmp_path: Path):
    (tmp_path / "verdicts.sqlite").write_bytes(b"no database" * 500)
    ear = Ear()
    with pytest.raises(TemporaryError, match="store of verdicts"):
        tell(VerdictStore(tmp_path), ear, event("completed", "c"))
    assert ear.heard == ["c"]


def test_a_run_is_told_once_and_ends_what_was_known_of_the_exposure(tmp_path: Path):
    store, ear = VerdictStore(tmp_path), Ear()
    tell(store, ear, event("drifted", "1", verdict="drifted"), on_change=True)
    assert store.last() == {"e": {"verdict": "drifted", "verified_at": "2026-11-02T12:00:00Z"}}
    tell(store, ear, event("repaired", "r"), event("repaired", "r"), on_change=True)
    assert store.last() == {}
    tell(store, ear, event("drifted", "2", verdict="drifted"), on_change=True)
    assert ear.heard == ["1", "r", "2"]


def test_before_the_first_look_nothing_is_known_and_nothing_is_written(tmp_path: Path):
    assert VerdictStore(tmp_path / "none").last() == {}
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_used_is_a_failed_delivery_that_says_so(tmp_path: Path):
    (tmp_path / "verdicts.sqlite").write_text("no database at all, and long enough to be read as one" * 20)
    with pytest.raises(TemporaryError, match="store of verdicts"):
        VerdictStore(tmp_path).deliver(event("verified", "1"))
