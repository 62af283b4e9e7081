"""What the project has exposed, read from the cloud itself."""

from __future__ import annotations

from typing import Any

import click

from cli.completion import known
from cli.options import App, common
from cli.output import facts, moment, show, table
from cli.verdicts import VerdictStore
from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.elb import IpGroup, LoadBalancer, StatusTree
from shared.record import Record
from shared.resources.holdings import find_load_balancers
from shared.resources.ownership import exposure_of, load_balancers_of, records_of, standing
from shared.services import gather

_COLUMNS = ("exposure", "instance_id", "node", "endpoint", "clients", "expires_at", "verdict", "verified_at")


@click.command("list")
@common
def list_(app: App) -> None:
    """List the exposures of the project, each with the last verdict on it."""
    transport = app.connect()
    last = _last_verdicts(VerdictStore(app.store_of(transport)))
    unknown = {"verdict": None, "verified_at": None}
    rows = [{**row, **last.get(row["exposure"], unknown)} for row in exposures(Cloud(transport))]
    show(rows, app.output, lambda: table(rows, _COLUMNS))


def _last_verdicts(store: VerdictStore) -> dict[str, dict[str, str]]:
    try:
        return store.last()
    except TemporaryError as problem:
        # What is exposed is told by the cloud, whatever has become of the store.
        click.echo(f"Note: {problem.data.message}", err=True)
        return {}


@click.command("show")
@click.argument("name", metavar="EXPOSURE|INSTANCE", shell_complete=known)
@common
def show_(app: App, name: str) -> None:
    """Show what an exposure consists of and how it does."""
    cloud = Cloud(app.connect())
    found = [row for row in exposures(cloud) if name in {row["exposure"], row["instance_id"]}]
    if not found:
        raise PermanentError(
            ErrorCode.EXPOSURE_NOT_FOUND,
            f"{name} is neither an exposure nor an exposed instance of project {cloud.project_id}.",
            resource=name,
            advice="`dcs-access list` shows what there is.",
        )
    whole = [{**row, "resources": resources(cloud, row["exposure"])} for row in found]
    show(whole, app.output, lambda: "\n\n".join(map(_text, whole)))


def exposures(cloud: Cloud) -> list[dict[str, Any]]:
    """Every exposure of the project, by two list calls; of one whose record is lost only its public side is known."""
    groups, balancers = gather(cloud.elb.ip_groups, cloud.elb.load_balancers)
    anchors: dict[str, tuple[IpGroup, Record]] = {}
    for group, record in records_of(sorted(groups, key=lambda group: (group.created_at, group.id))):
        anchors.setdefault(record.exposure, (group, record))
    marked = {exposure_of(balancer) for balancer in standing(balancers)}
    lost = sorted(each for each in marked if each is not None and each not in anchors)
    kept = [_row(exposure, balancers, *anchor) for exposure, anchor in anchors.items()]
    return [*kept, *(_row(exposure, balancers) for exposure in lost)]


def _row(
    exposure: str, balancers: list[LoadBalancer], group: IpGroup | None = None, record: Record | None = None
) -> dict[str, Any]:
    ours = load_balancers_of(balancers, exposure)
    address = next((eip.address for balancer in ours for eip in balancer.public_ips), None)
    return {
        "exposure": exposure,
        "instance_id": record and record.instance,
        "node": record and record.node,
        "endpoint": f"{address}:{record.port}" if address and record else address,
        "clients": group and list(group.entries),
        "expires_at": record and moment(record.expires_at),
        "mode": record and record.mode.value,
        "vpc_id": record and record.vpc,
        "peer_vpc_id": record and record.peer_vpc,
        "run_id": record and record.run,
    }


def resources(cloud: Cloud, exposure: str) -> list[dict[str, str]]:
    """The load balancers of an exposure and all below them, with their states."""
    balancers = find_load_balancers(cloud, exposure)
    return [part for balancer in balancers for part in _parts(cloud.elb.status_tree(balancer.id))]


def _parts(tree: StatusTree) -> list[dict[str, str]]:
    parts = [_part("load_balancer", tree.id, tree.operating_status)]
    for listener in tree.listeners:
        parts.append(_part("listener", listener.id, listener.operating_status))
        for pool in listener.pools:
            parts.append(_part("pool", pool.id, pool.operating_status))
            if pool.healthmonitor:
                parts.append(_part("health_monitor", pool.healthmonitor.id, pool.healthmonitor.provisioning_status))
            parts += [_part("member", each.id, each.operating_status) for each in pool.members]
    return parts


def _part(kind: str, identifier: str, status: str) -> dict[str, str]:
    return {"kind": kind, "id": identifier, "status": status}


def _text(whole: dict[str, Any]) -> str:
    head = {name: value for name, value in whole.items() if name != "resources"}
    return f"{facts(head)}\n\n{table(whole['resources'], ('kind', 'id', 'status'))}"
