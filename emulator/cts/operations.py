"""Which calls are recorded, and under which names: one table.

The names are those that the services publish (DCS manual: operations that can be recorded by CTS; CTS
manual: supported services). What the lists do not name is not recorded: peerings, routes, IP groups, tags of
load balancers and addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.routing import Route

Namer = Callable[[Any], str]


@dataclass(frozen=True)
class Operation:
    """What a call is called in its trace.

    `resource` leads to the ids of what changed: dotted, from `path`, `query`, `body` or `answer`, through lists.
    An asynchronous `job` is recorded when its instance is done with it; if `submitted`, the accepted request
    has a trace of its own before, which deletions have no name for.
    """

    service_type: str
    resource_type: str
    trace_name: str | Namer
    resource: str
    job: bool = False
    submitted: bool = False

    def name(self, body: Any) -> str:
        """The name of the trace, which may depend on the request's body."""
        return self.trace_name if isinstance(self.trace_name, str) else self.trace_name(body)

    def submitted_name(self, body: Any) -> str:
        """The name of the accepted request's trace."""
        name = self.name(body)
        return f"submit{name[:1].upper()}{name[1:]}Request"


def _bind_or_unbind(body: Any) -> str:
    return "bindEip" if isinstance(body, dict) and (body.get("publicip") or {}).get("port_id") else "unbindEip"


def _restart_or_flush(body: Any) -> str:
    if not isinstance(body, dict):
        return "restartDCSInstance"
    if body.get("action") == "flush":
        return "flushDCSInstance"
    return "batchRestartDCSInstance" if len(body.get("instances") or ()) > 1 else "restartDCSInstance"


def _enable_or_disable(body: Any) -> str:
    active = isinstance(body, dict) and body.get("trigger_status") == "ACTIVE"
    return "enableTrigger" if active else "disableTrigger"


DCS = "/v2/{project_id}/instances"
ONE_DCS = DCS + "/{instance_id}"
ELB = "/v3/{project_id}/elb"
VPC = "/v1/{project_id}/vpcs"
EIP = "/v1/{project_id}/publicips"
EIP3 = "/v3/{project_id}/eip/publicips/{publicip_id}"
SMN = "/v2/{project_id}/notifications"
CTS = "/v3/{project_id}/notifications"
FUNCTION = "/v2/{project_id}/fgs/functions"
TRIGGER = "/v2/{project_id}/fgs/triggers/{function_urn}"

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", DCS): Operation(
        "DCS", "Redis", "createDCSInstance", "answer.instances.instance_id", job=True, submitted=True
    ),
    ("DELETE", DCS): Operation("DCS", "Redis", "batchDeleteDCSInstance", "body.instances", job=True),
    ("PUT", ONE_DCS): Operation("DCS", "Redis", "modifyDCSInstanceInfo", "path.instance_id"),
    ("DELETE", ONE_DCS): Operation("DCS", "Redis", "deleteDCSInstance", "path.instance_id", job=True),
    ("POST", ONE_DCS + "/resize"): Operation(
        "DCS", "Redis", "modifySpecification", "path.instance_id", job=True, submitted=True
    ),
    ("PUT", DCS + "/status"): Operation("DCS", "Redis", _restart_or_flush, "body.instances", job=True, submitted=True),
    ("PUT", ONE_DCS + "/configs"): Operation("DCS", "Redis", "modifyDCSInstanceConfig", "path.instance_id"),
    ("PUT", ONE_DCS + "/password"): Operation("DCS", "Redis", "modifyDCSInstancePassword", "path.instance_id"),
    ("POST", ONE_DCS + "/password/reset"): Operation("DCS", "Redis", "resetDCSInstancePassword", "path.instance_id"),
    ("POST", ONE_DCS + "/swap"): Operation("DCS", "Redis", "masterStandbySwitchover", "path.instance_id"),
    ("PUT", "/v2/{project_id}/instance/{instance_id}/whitelist"): Operation(
        "DCS", "Instance", "modifyWhiteList", "path.instance_id"
    ),
    ("POST", "/v2/{project_id}/dcs/{instance_id}/tags/action"): Operation(
        "DCS", "Redis", "updateInstanceTag", "path.instance_id"
    ),
    ("POST", ELB + "/loadbalancers"): Operation("ELB", "loadbalancer", "createLoadbalancer", "answer.loadbalancer.id"),
    ("PUT", ELB + "/loadbalancers/{loadbalancer_id}"): Operation(
        "ELB", "loadbalancer", "updateLoadbalancer", "path.loadbalancer_id"
    ),
    ("DELETE", ELB + "/loadbalancers/{loadbalancer_id}"): Operation(
        "ELB", "loadbalancer", "deleteLoadbalancer", "path.loadbalancer_id"
    ),
    ("DELETE", ELB + "/loadbalancers/{loadbalancer_id}/force-elb"): Operation(
        "ELB", "loadbalancer", "deleteLoadbalancer", "path.loadbalancer_id"
    ),
    ("POST", ELB + "/listeners"): Operation("ELB", "listener", "createListener", "answer.listener.id"),
    ("PUT", ELB + "/listeners/{listener_id}"): Operation("ELB", "listener", "updateListener", "path.listener_id"),
    ("DELETE", ELB + "/listeners/{listener_id}"): Operation("ELB", "listener", "deleteListener", "path.listener_id"),
    ("DELETE", ELB + "/listeners/{listener_id}/force"): Operation(
        "ELB", "listener", "deleteListener", "path.listener_id"
    ),
    ("POST", ELB + "/pools"): Operation("ELB", "pool", "createPool", "answer.pool.id"),
    ("PUT", ELB + "/pools/{pool_id}"): Operation("ELB", "pool", "updatePool", "path.pool_id"),
    ("DELETE", ELB + "/pools/{pool_id}"): Operation("ELB", "pool", "deletePool", "path.pool_id"),
    ("POST", ELB + "/pools/{pool_id}/members"): Operation("ELB", "member", "createMember", "answer.member.id"),
    ("PUT", ELB + "/pools/{pool_id}/members/{member_id}"): Operation("ELB", "member", "updateMember", "path.member_id"),
    # The removal of a member goes by the name of an update.
    ("DELETE", ELB + "/pools/{pool_id}/members/{member_id}"): Operation(
        "ELB", "member", "batchUpdateMember", "path.member_id"
    ),
    ("POST", ELB + "/healthmonitors"): Operation(
        "ELB", "healthmonitor", "createHealthMonitor", "answer.healthmonitor.id"
    ),
    ("PUT", ELB + "/healthmonitors/{healthmonitor_id}"): Operation(
        "ELB", "healthmonitor", "updateHealthMonitor", "path.healthmonitor_id"
    ),
    ("DELETE", ELB + "/healthmonitors/{healthmonitor_id}"): Operation(
        "ELB", "healthmonitor", "deleteHealthMonitor", "path.healthmonitor_id"
    ),
    ("POST", VPC): Operation("VPC", "vpc", "createVpc", "answer.vpc.id"),
    ("PUT", VPC + "/{vpc_id}"): Operation("VPC", "vpc", "modifyVpc", "path.vpc_id"),
    ("DELETE", VPC + "/{vpc_id}"): Operation("VPC", "vpc", "deleteVpc", "path.vpc_id"),
    ("POST", "/v1/{project_id}/subnets"): Operation("VPC", "subnet", "createSubnet", "answer.subnet.id"),
    ("PUT", VPC + "/{vpc_id}/subnets/{subnet_id}"): Operation("VPC", "subnet", "modifySubnet", "path.subnet_id"),
    ("DELETE", VPC + "/{vpc_id}/subnets/{subnet_id}"): Operation("VPC", "subnet", "deleteSubnet", "path.subnet_id"),
    ("POST", EIP): Operation("VPC", "eip", "createEip", "answer.publicip.id"),
    ("PUT", EIP + "/{publicip_id}"): Operation("VPC", "eip", _bind_or_unbind, "path.publicip_id"),
    ("DELETE", EIP + "/{publicip_id}"): Operation("VPC", "eip", "deleteEip", "path.publicip_id"),
    ("POST", EIP3 + "/associate-instance"): Operation("VPC", "publicip", "associateInstance", "path.publicip_id"),
    ("POST", EIP3 + "/disassociate-instance"): Operation("VPC", "publicip", "disassociateInstance", "path.publicip_id"),
    ("PUT", "/v1/{project_id}/bandwidths/{bandwidth_id}"): Operation(
        "VPC", "bandwidth", "modifyBandwidth", "path.bandwidth_id"
    ),
    ("POST", SMN + "/topics"): Operation("SMN", "topic", "createTopic", "answer.topic_urn"),
    ("PUT", SMN + "/topics/{topic_urn}"): Operation("SMN", "topic", "updateTopic", "path.topic_urn"),
    ("PUT", SMN + "/topics/{topic_urn}/attributes/{name}"): Operation(
        "SMN", "topic", "updateTopicAttribute", "path.topic_urn"
    ),
    ("DELETE", SMN + "/topics/{topic_urn}"): Operation("SMN", "topic", "deleteTopic", "path.topic_urn"),
    ("POST", SMN + "/topics/{topic_urn}/subscriptions"): Operation(
        "SMN", "subscription", "subscribe", "answer.subscription_urn"
    ),
    ("DELETE", SMN + "/subscriptions/{subscription_urn}"): Operation(
        "SMN", "subscription", "delsubscribe", "path.subscription_urn"
    ),
    ("POST", CTS): Operation("CTS", "notification", "createNotification", "answer.notification_id"),
    ("PUT", CTS): Operation("CTS", "notification", "updateNotification", "body.notification_id"),
    ("DELETE", CTS): Operation("CTS", "notification", "deleteNotification", "query.notification_id"),
    ("POST", FUNCTION): Operation("FunctionGraph", "Functions", "createFunction", "answer.func_name"),
    ("PUT", FUNCTION + "/{function_urn}/config"): Operation(
        "FunctionGraph", "Functions", "updateFunctionConfig", "path.function_urn"
    ),
    ("DELETE", FUNCTION + "/{function_urn}"): Operation(
        "FunctionGraph", "Functions", "deleteFunction", "path.function_urn"
    ),
    ("POST", TRIGGER): Operation("FunctionGraph", "Trigger", "createTrigger", "answer.trigger_id"),
    ("PUT", TRIGGER + "/{kind}/{trigger_id}"): Operation(
        "FunctionGraph", "Trigger", _enable_or_disable, "path.trigger_id"
    ),
    ("DELETE", TRIGGER + "/{kind}/{trigger_id}"): Operation(
        "FunctionGraph", "Trigger", "deleteTrigger", "path.trigger_id"
    ),
}


def operation_of(route: Route) -> Operation | None:
    """What a call is recorded as; None if it is not."""
    return OPERATIONS.get((route.method, route.path))
