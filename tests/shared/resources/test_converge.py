"""A resource comes to exist exactly once, whatever happens to the calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.problems import AmbiguousError
from shared.resources.converge import child_of, delete, elect, ensure_elected, ensure_unique, gather_told, telling
from shared.results import Did, Kind, Touched


@dataclass(frozen=True)
class Thing:
    id: str
    created_at: str = "2026-01-01T00:00:00Z"
    listener_ids: tuple[str, ...] = ()


things = st.builds(
    Thing,
    st.text("ab", min_size=1, max_size=3),
    st.sampled_from(["2026-01-01", "2026-01-02"]),
    st.sampled_from([(), ("listener",)]),
)
LOST = AmbiguousError(ErrorCode.NO_ANSWER, "No answer.")


class Shelf:
    """A cloud with things; what is made may be seen late, and answers may be lost."""

    def __init__(
        self, *before: Thing, visible: bool = True, lose: Exception | None = None, commit: bool = True
    ) -> None:
        self.things = list(before)
        self.visible, self.lose, self.commit = visible, lose, commit
        self.made = 0

    def look(self) -> list[Thing]:
        return list(self.things)

    def create(self) -> Thing:
        self.made += 1
        new = Thing("new", "2026-01-09")
        if self.visible and self.commit:
            self.things.append(new)
        if self.lose:
            raise self.lose
        return new


@given(st.lists(things, min_size=1))
def test_everybody_elects_the_same_one_with_a_listener_then_the_oldest_then_the_smallest_id(
    candidates: list[Thing],
) -> None:
    winner = elect(candidates)
    assert winner is not None
    assert winner == elect(candidates[::-1])
    serving = [one for one in candidates if one.listener_ids]
    rivals = serving or candidates
    assert winner in rivals
    assert all((winner.created_at, winner.id) <= (one.created_at, one.id) for one in rivals)


def test_nobody_is_elected_from_nothing() -> None:
    assert elect([]) is None


@pytest.mark.parametrize("visible", [True, False])
def test_what_is_missing_is_made_even_if_it_is_seen_late(*, visible: bool) -> None:
    shelf = Shelf(visible=visible)
    election = ensure_elected(shelf.look, shelf.create, absent=False, settle=30)
    assert (election.winner.id, election.made, election.losers) == ("new", True, ())


def test_what_is_there_is_taken() -> None:
    shelf = Shelf(Thing("old"), Thing("older", "2025-01-01"))
    election = ensure_elected(shelf.look, shelf.create, absent=False, settle=30)
    assert (election.winner.id, election.made) == ("older", False)
    assert [loser.id for loser in election.losers] == ["old"]
    assert shelf.made == 0


def test_a_rival_that_came_first_wins_though_both_made_one() -> None:
    shelf = Shelf(Thing("rival"))
    election = ensure_elected(shelf.look, shelf.create, absent=True, settle=30)
    assert (election.winner.id, election.made) == ("rival", False)
    assert [loser.id for loser in election.losers] == ["new"]


def test_after_a_lost_answer_it_is_looked_for() -> None:
    shelf = Shelf(lose=LOST)
    assert ensure_elected(shelf.look, shelf.create, absent=True, settle=30).winner.id == "new"
    assert shelf.made == 1


def test_what_is_not_seen_after_a_lost_answer_is_not_made_again_before_it_had_time_to_show() -> None:
    shelf = Shelf(lose=LOST, commit=False)
    with pytest.raises(TemporaryError) as error:
        ensure_elected(shelf.look, shelf.create, absent=True, settle=30)
    assert (error.value.code, error.value.data.retry_after) == (ErrorCode.NO_ANSWER, 30)
    assert shelf.made == 1


@pytest.mark.parametrize("first", [True, False])
def test_a_unique_resource_is_made_or_found(*, first: bool) -> None:
    shelf = Shelf()
    assert ensure_unique(lambda: elect(shelf.look()), shelf.create, first=first) == (Thing("new", "2026-01-09"), True)
    assert ensure_unique(lambda: elect(shelf.look()), shelf.create, first=False) == (Thing("new", "2026-01-09"), False)
    assert shelf.made == 1


@pytest.mark.parametrize("error", [LOST, PermanentError(ErrorCode.CONFLICT, "Taken.")])
def test_a_conflict_or_a_lost_answer_is_settled_by_a_look(error: Exception) -> None:
    shelf = Shelf(Thing("rival"), lose=error, commit=False)
    assert ensure_unique(lambda: elect(shelf.look()), shelf.create, first=True) == (Thing("rival"), False)


@pytest.mark.parametrize(
    ("error", "code"),
    [(LOST, ErrorCode.NO_ANSWER), (PermanentError(ErrorCode.CONFLICT, "Not ready."), ErrorCode.NOT_READY)],
)
def test_a_conflict_with_nobody_to_be_seen_is_tried_again(error: Exception, code: ErrorCode) -> None:
    shelf = Shelf(lose=error, commit=False)
    with pytest.raises(TemporaryError) as raised:
        ensure_unique(lambda: elect(shelf.look()), shelf.create, first=True)
    assert raised.value.code is code


def test_another_refusal_is_told_as_it_is() -> None:
    shelf = Shelf(lose=PermanentError(ErrorCode.QUOTA_EXCEEDED, "Used up."), commit=False)
    for ensure in (
        lambda: ensure_unique(lambda: elect(shelf.look()), shelf.create, first=True),
        lambda: ensure_elected(shelf.look, shelf.create, absent=True, settle=30),
    ):
        with pytest.raises(PermanentError) as raised:
            ensure()
        assert raised.value.code is ErrorCode.QUOTA_EXCEEDED


def touched(identifier: str) -> Touched:
    return Touched(kind=Kind.POOL, id=identifier, did=Did.CREATED, reason="it was made")


def test_of_changes_that_fail_side_by_side_all_tell_what_they_had_done() -> None:
    def failing(code: ErrorCode, done: str) -> Callable[[], Touched]:
        def change() -> Touched:
            with telling([touched(done)]):
                raise PermanentError(code, "No.")

        return change

    changes = (failing(ErrorCode.REFUSED, "one"), lambda: touched("two"), failing(ErrorCode.FORBIDDEN, "three"))
    with pytest.raises(PermanentError) as raised:
        gather_told(lambda one: [one], *changes)
    assert raised.value.code is ErrorCode.REFUSED
    assert {each.id for each in raised.value.data.touched or ()} == {"one", "two", "three"}


def raising(code: ErrorCode) -> Callable[[], None]:
    def call() -> None:
        raise PermanentError(code, "No.")

    return call


def test_a_deletion_tolerates_what_is_gone_and_waits_for_what_is_in_use() -> None:
    assert delete(lambda: None)
    assert not delete(raising(ErrorCode.NOT_FOUND))
    with pytest.raises(TemporaryError) as waiting:
        delete(raising(ErrorCode.CONFLICT))
    assert waiting.value.code is ErrorCode.NOT_READY
    with pytest.raises(PermanentError):
        delete(raising(ErrorCode.FORBIDDEN))


def test_a_parent_that_vanished_is_told_apart_from_other_refusals() -> None:
    assert child_of("pool", "p", lambda: 1) == 1
    with pytest.raises(PermanentError) as gone:
        child_of("pool", "p", raising(ErrorCode.NOT_FOUND))
    assert gone.value.code is ErrorCode.PARENT_GONE
    with pytest.raises(PermanentError) as refused:
        child_of("pool", "p", raising(ErrorCode.REFUSED))
    assert refused.value.code is ErrorCode.REFUSED
