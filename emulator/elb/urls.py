"""What ELB serves: v3, and the tags of v2.0, which v3 has no calls for."""

from __future__ import annotations

from emulator.core.routing import Handler, Route, Service
from emulator.elb import responses as r
from emulator.elb import responses_shared as s
from emulator.elb.errors import ElbErrors

ELB = Service("elb", ElbErrors(), request_id_in_body=True)
V3 = "/v3/{project_id}/elb"
V2 = "/v2.0/{project_id}"


def _route(method: str, path: str, handler: Handler, action: str) -> Route:
    return Route(ELB, method, path, handler, f"elb:{action}")


def _collection(path: str, action: str, create: Handler, list_: Handler) -> tuple[Route, ...]:
    return (
        _route("POST", path, create, f"{action}:create"),
        _route("GET", path, list_, f"{action}:list"),
    )


def _item(path: str, action: str, show: Handler, update: Handler, delete: Handler) -> tuple[Route, ...]:
    # The permission to delete a monitor is spelled in the singular (ELB API: supported actions).
    deleting = "healthmonitor" if action == "healthmonitors" else action
    return (
        _route("GET", path, show, f"{action}:get"),
        _route("PUT", path, update, f"{action}:put"),
        _route("DELETE", path, delete, f"{deleting}:delete"),
    )


BALANCER, LISTENER = f"{V3}/loadbalancers/{{loadbalancer_id}}", f"{V3}/listeners/{{listener_id}}"
POOL, MEMBER = f"{V3}/pools/{{pool_id}}", f"{V3}/pools/{{pool_id}}/members/{{member_id}}"
MONITOR, GROUP = f"{V3}/healthmonitors/{{healthmonitor_id}}", f"{V3}/ipgroups/{{ipgroup_id}}"
BALANCER_TAGS = f"{V2}/loadbalancers/{{loadbalancer_id}}/tags"
LISTENER_TAGS = f"{V2}/listeners/{{listener_id}}/tags"

ROUTES = (
    *_collection(f"{V3}/loadbalancers", "loadbalancers", r.create_load_balancer, r.list_load_balancers),
    *_item(BALANCER, "loadbalancers", r.show_load_balancer, r.update_load_balancer, r.delete_load_balancer),
    _route("DELETE", f"{BALANCER}/force-elb", r.force_delete_load_balancer, "loadbalancers:delete"),
    _route("GET", f"{BALANCER}/statuses", r.show_statuses, "loadbalancers:get"),
    *_collection(f"{V3}/listeners", "listeners", r.create_listener, r.list_listeners),
    *_item(LISTENER, "listeners", r.show_listener, r.update_listener, r.delete_listener),
    _route("DELETE", f"{LISTENER}/force", r.force_delete_listener, "listeners:delete"),
    *_collection(f"{V3}/pools", "pools", r.create_pool, r.list_pools),
    *_item(POOL, "pools", r.show_pool, r.update_pool, r.delete_pool),
    *_collection(f"{POOL}/members", "members", r.create_member, r.list_members),
    *_item(MEMBER, "members", r.show_member, r.update_member, r.delete_member),
    _route("GET", f"{V3}/members", r.list_all_members, "members:list"),
    *_collection(f"{V3}/healthmonitors", "healthmonitors", r.create_monitor, r.list_monitors),
    *_item(MONITOR, "healthmonitors", r.show_monitor, r.update_monitor, r.delete_monitor),
    *_collection(f"{V3}/ipgroups", "ipgroups", s.create_ip_group, s.list_ip_groups),
    *_item(GROUP, "ipgroups", s.show_ip_group, s.update_ip_group, s.delete_ip_group),
    _route("POST", f"{GROUP}/iplist/create-or-update", s.merge_ip_list, "ipgroups:put"),
    _route("POST", f"{GROUP}/iplist/batch-delete", s.shorten_ip_list, "ipgroups:put"),
    # The permission to list flavors really is called create (ELB API: supported actions).
    _route("GET", f"{V3}/flavors", s.list_flavors, "flavors:create"),
    _route("GET", f"{V3}/flavors/{{flavor_id}}", s.show_flavor, "flavors:get"),
    _route("GET", f"{V3}/availability-zones", s.list_zones, "availability-zones:list"),
    _route("GET", f"{V3}/quotas", s.show_quotas, "quotas:list"),
    _route("GET", f"{V3}/quotas/details", s.list_quota_usage, "quotas:list"),
    _route("GET", BALANCER_TAGS, s.list_load_balancer_tags, "loadbalancers:get"),
    _route("POST", BALANCER_TAGS, s.add_load_balancer_tag, "loadbalancers:put"),
    _route("POST", f"{BALANCER_TAGS}/action", s.change_load_balancer_tags, "loadbalancers:put"),
    _route("DELETE", f"{BALANCER_TAGS}/{{key}}", s.remove_load_balancer_tag, "loadbalancers:put"),
    _route("GET", LISTENER_TAGS, s.list_listener_tags, "listeners:get"),
    _route("POST", LISTENER_TAGS, s.add_listener_tag, "listeners:put"),
    _route("POST", f"{LISTENER_TAGS}/action", s.change_listener_tags, "listeners:put"),
    _route("DELETE", f"{LISTENER_TAGS}/{{key}}", s.remove_listener_tag, "listeners:put"),
)
