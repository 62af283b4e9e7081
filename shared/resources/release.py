"""What the release steps share: whom they act for, and what they may rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.elb import IpGroup, LoadBalancer
from shared.planning.plan import Target
from shared.planning.withdrawal import Holdings, held_anchor
from shared.record import Record, read_mark, read_record
from shared.resources.converge import elect
from shared.resources.health import reached
from shared.resources.holdings import HeldBalancer, HeldEip, HeldPool, find_load_balancers, hold_all
from shared.resources.ip_group import find_anchors
from shared.resources.load_balancer import discard_loser
from shared.results import Did, Kind, StepResult, Touched
from shared.services import Services
from shared.step import Order

DECIDED = frozenset({ErrorCode.OPEN_TO_ALL, ErrorCode.PROBE_FAILED, ErrorCode.CANCELLED})
"""What says enough about an exposure that is reached, or is no failure at all."""


class ReleaseOrder(Order):
    """Take something of `target` down; with an `owner`, only while the exposure still belongs to that run.

    With the `error` that is rolled back, only while nobody is reached, for the members went first.
    """

    target: Target
    owner: str | None = None
    error: str | None = None
    held: Holdings | None = None
    built: tuple[dict[str, StepResult], ...] = ()

    @property
    def record(self) -> Record | None:
        """The record of what is taken down."""
        return read_record(self.target.record)

    def fact(self, name: str) -> str | None:
        """What a step of this run has written down, which a list of the cloud may not show yet."""
        facts = [result.facts for branch in self.built for result in branch.values()]
        return next((each[name] for each in facts if each.get(name)), None)

    @property
    def created(self) -> frozenset[str]:
        """The resources that this run has made."""
        results = [result for branch in self.built for result in branch.values()]
        return frozenset(touched.id for result in results for touched in result.touched if touched.did is Did.CREATED)


def guard(order: ReleaseOrder, services: Services) -> StepResult | None:
    """Stop a release whose exposure somebody else has taken since.

    Returns:
        For a roll back, the answer to give: everything stays. None: go on.

    Raises:
        PermanentError: `Conflict`, for a withdrawal, or where another delivery of the run has overtaken its roll back.
    """
    if order.owner is not None:
        kept = _taken_over(services.cloud, order)
        if kept is None:
            _check_not_made_again(services.cloud, order)
        return kept
    if order.held is not None and fresh(order, services) is None:
        anchors = find_anchors(services.cloud, order.target.exposure)
        check_not_adopted(order, anchors)
    return None


def _taken_over(cloud: Cloud, order: ReleaseOrder) -> StepResult | None:
    owner = owner_of(cloud, order.target)
    if owner in {None, order.owner}:
        return None
    reason = f"run {owner} has adopted the exposure"
    return StepResult(
        touched=(Touched(kind=Kind.IP_GROUP, id=order.target.name, did=Did.KEPT, reason=reason),),
        facts={"owner": owner or ""},
    )


def _check_not_made_again(cloud: Cloud, order: ReleaseOrder) -> None:
    """Two deliveries of a run bear the same marks, so all that tells them apart is that one builds."""
    if order.error is None or order.error in DECIDED:
        return
    if reached(cloud, order.target.exposure, unseen=False):
        raise PermanentError(
            ErrorCode.CONFLICT,
            "While the exposure was being rolled back, another delivery of the run made it again.",
            resource=order.target.exposure,
            advice="It is decided anew what becomes of it.",
        )


def discard_losers(losers: Iterable[LoadBalancer], run: str, services: Services) -> tuple[Touched, ...]:
    """Delete load balancers that lost their election, as far as this run may."""
    now, settle = services.now().timestamp(), services.settings.settle_seconds
    return tuple(
        touched for loser in losers for touched in discard_loser(services.cloud, loser, run=run, now=now, settle=settle)
    )


def discard_own_losers(target: Target, run: str, services: Services) -> tuple[Touched, ...]:
    """Delete what a run made in vain, when another one has taken the exposure over with a load balancer of its own."""
    balancers = find_load_balancers(services.cloud, target.exposure)
    winner = elect(balancers)
    return discard_losers((one for one in balancers if one is not winner), run, services)


def check_not_adopted(order: ReleaseOrder, groups: Iterable[IpGroup]) -> None:
    """Stop a withdrawal whose exposure has an anchor, or an owner, that was not there when it began.

    Raises:
        PermanentError: `Conflict`, naming the run that owns the exposure now.
    """
    if order.held is None:
        return
    for group in groups:
        anchor = held_anchor(group)
        mark = read_mark(group.description)
        if mark is not None and mark.exposure == order.target.exposure and anchor not in order.held.anchors:
            raise PermanentError(
                ErrorCode.CONFLICT,
                f"While the exposure was being withdrawn, run {anchor.run} exposed the instance again.",
                resource=order.target.exposure,
                advice="Withdraw it again if it has to go.",
            )


def owner_of(cloud: Cloud, target: Target) -> str | None:
    """The run that owns the exposure, by its anchor."""
    anchor = elect(find_anchors(cloud, target.exposure))
    mark = read_mark(anchor.description) if anchor else None
    return mark.run if mark else None


def fresh(order: ReleaseOrder, services: Services) -> Holdings | None:
    """The earlier observation, if a first attempt may still rely on it."""
    if not order.first or order.held is None:
        return None
    age = services.now().timestamp() - order.held.at
    return order.held if age <= services.settings.fresh_seconds else None


def held_balancers(order: ReleaseOrder, services: Services) -> tuple[HeldBalancer, ...]:
    """The exposure's load balancers, as just observed, else looked at again."""
    if (held := fresh(order, services)) is not None:
        return held.balancers
    seen = hold_all(services.cloud, order.target.exposure)
    written = written_down(order)
    if written is None or any(balancer.id == written.id for balancer in seen):
        return seen
    return (*seen, written)


def with_gone(
    order: ReleaseOrder, touched: Iterable[Touched], gone: Callable[[], Iterable[Touched]]
) -> tuple[Touched, ...]:
    """What was released, and on a repeat what is gone, too: an attempt before may have failed after it released it."""
    known = tuple(touched)
    if order.first:
        return known
    told = {(one.kind, one.id) for one in known}
    return (*known, *(one for one in gone() if (one.kind, one.id) not in told))


def balancers_before(order: ReleaseOrder) -> tuple[HeldBalancer, ...]:
    """The load balancers with what was below them when nothing had been released yet, as far as it is known."""
    written = written_down(order)
    return (*(order.held.balancers if order.held else ()), *([written] if written else []))


def written_down(order: ReleaseOrder) -> HeldBalancer | None:
    """The load balancer that this run made, by what its steps wrote down."""
    balancer = order.fact("load_balancer_id")
    if balancer is None or balancer not in order.created:
        return None
    eip, listener, pool, member = (order.fact(f"{name}_id") for name in ("eip", "listener", "pool", "member"))
    members = (member,) if member else ()
    return HeldBalancer(
        id=balancer,
        eips=(HeldEip(id=eip, address=order.fact("public_address") or eip),) if eip else (),
        listener_ids=(listener,) if listener else (),
        pools=(HeldPool(id=pool, monitor_id=order.fact("monitor_id"), member_ids=members),) if pool else (),
    )
