"""How a resource comes to exist exactly once, whatever happens to the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from shared.errors import AccessError, ErrorCode, PermanentError, TemporaryError
from shared.otc.problems import ambiguous
from shared.results import Touched
from shared.services import gather


class Dated(Protocol):
    """A resource that says when it was made."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def created_at(self) -> str:
        """When it was made, in the cloud's own words, which sort by time."""

    @property
    def listener_ids(self) -> tuple[str, ...]:
        """The listeners that use it."""


T = TypeVar("T")
D = TypeVar("D", bound=Dated)


@dataclass(frozen=True)
class Election(Generic[D]):
    """The one resource that counts, whether this call made it, and the others that lost."""

    winner: D
    made: bool
    losers: tuple[D, ...]


def elect(candidates: Iterable[D]) -> D | None:
    """Of several the one that a listener uses wins, then the oldest, then the smallest id."""
    return min(candidates, key=lambda one: (not one.listener_ids, one.created_at, one.id), default=None)


def ensure_elected(
    look: Callable[[], Sequence[D]], create: Callable[[], D], *, absent: bool, settle: float
) -> Election[D]:
    """Make a resource that the cloud would let exist twice: look, create, look again, elect.

    Args:
        look: lists the candidates.
        create: makes one.
        absent: a fresh observation has already found none, so the first look is saved.
        settle: seconds to wait before another creation after an answer was lost.

    Raises:
        TemporaryError: `NoAnswer`, when a creation's answer was lost and it is not seen yet.
    """
    found = [] if absent else list(look())
    made = None if found else create_once(lambda: elect(look()), create, settle=settle)
    if made is not None:
        found = [*(one for one in look() if one.id != made.id), made]
    winner = elect(found)
    assert winner is not None
    losers = tuple(one for one in found if one.id != winner.id)
    return Election(winner, made is not None and winner.id == made.id, losers)


def create_once(look: Callable[[], T | None], create: Callable[[], T], *, settle: float) -> T:
    """Make a resource that was not there; if the answer is lost, look before anybody makes another one.

    Raises:
        TemporaryError: `NoAnswer`, when it is not seen yet.
    """
    try:
        return create()
    except AccessError as problem:
        if not ambiguous(problem):
            raise
        seen = look()
        if seen is not None:
            return seen
        raise TemporaryError(
            ErrorCode.NO_ANSWER,
            problem.data.message,
            resource=problem.data.resource,
            advice="Looked for it and did not see it; it is looked for again before another one is made.",
            retry_after=settle,
        ) from None


def ensure_unique(observe: Callable[[], T | None], create: Callable[[], T], *, first: bool) -> tuple[T, bool]:
    """Make a resource that the cloud lets exist once: create first, observe on conflict or on a repeat.

    Returns:
        The resource, and whether this call made it.
    """
    existing = None if first else observe()
    if existing is not None:
        return existing, False
    try:
        return create(), True
    except AccessError as problem:
        if problem.code is not ErrorCode.CONFLICT and not ambiguous(problem):
            raise
        existing = observe()
        if existing is None:
            raise not_ready(problem) from None
        return existing, False


def not_ready(problem: AccessError) -> TemporaryError:
    """A conflict without a rival: a parent that is not ready, or a rival that is not visible yet."""
    if isinstance(problem, TemporaryError):
        return problem
    return TemporaryError(
        ErrorCode.NOT_READY,
        problem.data.message,
        resource=problem.data.resource,
        advice="Ask again when nothing holds it.",
    )


def gone(what: str, identifier: str) -> PermanentError:
    """The error for a parent that vanished or lost its election: the resources are gone over once more."""
    return PermanentError(
        ErrorCode.PARENT_GONE,
        f"The {what} {identifier} is not there any more.",
        resource=identifier,
        advice="The resources are gone over once more.",
    )


def child_of(what: str, identifier: str, call: Callable[[], T]) -> T:
    """Make a call on a parent; if the cloud does not know the parent, say so as `ParentGone`."""
    try:
        return call()
    except PermanentError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            raise gone(what, identifier) from None
        raise


def update(what: str, identifier: str, call: Callable[[], T]) -> T:
    """Change something; a conflict is a change that is still under way.

    Raises:
        TemporaryError: `NotReady`, while another change of it is carried out.
        PermanentError: `ParentGone`, when it is not there any more.
    """
    try:
        return child_of(what, identifier, call)
    except PermanentError as problem:
        if problem.code is ErrorCode.CONFLICT:
            raise not_ready(problem) from None
        raise


def was_other(fields: Iterable[str]) -> str:
    """What was found changed and is set again, in words."""
    return f"its {', '.join(fields)} had been changed"


def delete(call: Callable[[], object]) -> bool:
    """Delete something; True if this call did it, False if it was gone already.

    Raises:
        TemporaryError: `NotReady`, when it is still in use: what uses it is going away.
    """
    try:
        call()
    except PermanentError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            return False
        if problem.code is ErrorCode.CONFLICT:
            raise not_ready(problem) from None
        raise
    return True


@contextmanager
def telling(touched: Iterable[Touched]) -> Iterator[None]:
    """Let a failure tell what was done before it: a resource that is there, or gone, is else in no event."""
    try:
        yield
    except AccessError as problem:
        problem.tell(touched)
        raise


def in_turn(changes: Iterable[Touched]) -> list[Touched]:
    """Make changes one after the other; a failure tells what was done before it."""
    touched: list[Touched] = []
    with telling(touched):
        for one in changes:
            touched.append(one)  # noqa: PERF402  # what came before a failure counts, too
    return touched


def gather_told(told: Callable[[Any], Iterable[Touched]], *changes: Callable[[], Any]) -> list[Any]:
    """Make changes side by side, as `gather` does; the first failure tells what all have done."""
    done: dict[int, Any] = {}
    problems: dict[int, AccessError] = {}

    def make(place: int, change: Callable[[], Any]) -> None:
        try:
            done[place] = change()
        except AccessError as problem:
            problems[place] = problem

    gather(*(partial(make, place, change) for place, change in enumerate(changes)))
    if problems:
        first, *others = (problems[place] for place in sorted(problems))
        first.tell(touched for other in others for touched in other.data.touched or ())
        first.tell(touched for place in sorted(done) for touched in told(done[place]))
        raise first
    return [done[place] for place in sorted(done)]
