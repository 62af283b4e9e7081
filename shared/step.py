"""The border of a handler: an event comes in as data, a result or a failure goes out as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import AccessError
from shared.logs import log_of
from shared.platform import Context, services_of
from shared.request import invalid
from shared.results import StepTimes, Touched
from shared.services import Services


class StateInfo(BaseModel):
    """`$$.State` of the context object."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    name: str = Field(alias="Name")
    entered: str = Field(alias="EnteredTime")
    retries: int = Field(alias="RetryCount", default=0)


class Order(BaseModel):
    """What every step is told: its run, its state, and which pass over the resources this is."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    run: str
    state: StateInfo
    passes: int = 0

    @property
    def first(self) -> bool:
        """Whether this is a first attempt, which may use what was observed before."""
        return self.state.retries == 0 and self.passes == 0

    def times(self, ended: datetime) -> StepTimes:
        """When this step ran."""
        return StepTimes(
            state=self.state.name,
            attempts=self.state.retries + 1,
            started=self.state.entered,
            ended=ended.isoformat(timespec="milliseconds"),
        )


OrderT = TypeVar("OrderT", bound=Order)


def run_step(
    order_type: type[OrderT], work: Callable[[OrderT, Services], BaseModel], event: object, context: Context
) -> dict[str, Any]:
    """Validate the event, do the work, and return the result, or `{"error": ...}`.

    Whether the function can work at all comes first: an empty event is answered `NotReady` until its agency does.
    """
    try:
        services = services_of(context)
    except AccessError as problem:
        return problem.envelope()
    try:
        order = order_type.model_validate(event)
    except ValidationError as problem:
        return invalid(problem, "step's input").envelope()
    begun = services.now()
    try:
        result = work(order, services)
    except AccessError as problem:
        _log(context, order, services.now() - begun, error=problem.code, **_before(problem))
        step = order.times(services.now()).model_dump(mode="json")
        error = problem.data.model_copy(update={"step": step})
        return {"error": error.model_dump(mode="json", exclude_none=True)}
    _log(context, order, services.now() - begun, did=_names(getattr(result, "touched", ())))
    return result.model_copy(update={"step": order.times(services.now())}).model_dump(mode="json")


def _before(problem: AccessError) -> dict[str, list[str]]:
    return {"did": _names(problem.data.touched)} if problem.data.touched else {}


def _names(touched: Iterable[Touched]) -> list[str]:
    return [f"{each.did} {each.kind} {each.id}" for each in touched]


def _log(context: Context, order: Order, took: timedelta, **outcome: Any) -> None:
    attempt = order.state.retries + 1
    log_of(context)(
        run=order.run, step=order.state.name, attempt=attempt, ms=round(took.total_seconds() * 1000), **outcome
    )
