"""IP groups, sizes, zones, quotas and tags on the wire."""

from __future__ import annotations

from typing import Any

from emulator.account import Account
from emulator.core.message import Answer, created, no_content, ok
from emulator.core.resources import owned
from emulator.core.tags import MAX_TAGS, Tag, TagBody, TagsBody, changed, shown
from emulator.elb import bodies, queries
from emulator.elb.capacity import Flavor
from emulator.elb.errors import invalid, not_found
from emulator.elb.models import Listener, LoadBalancer
from emulator.elb.responses import listing, visible
from emulator.elb.state import ElbState
from emulator.elb.tree import Tree
from emulator.elb.views import Views


def create_ip_group(account: Account, project_id: str, body: bodies.IpGroupCreateBody) -> Answer:
    """ELB API: creating an IP address group."""
    item = account.elb.ip_groups.create(project_id, body.ipgroup)
    return created({"ipgroup": Views(account).ip_group(item)})


def list_ip_groups(account: Account, project_id: str, query: queries.IpGroupQuery) -> Answer:
    """ELB API: querying IP address groups."""
    items = owned(account.elb.state.ipgroups, project_id)
    return listing(account, "ipgroups", items, query, show=Views(account).ip_group)


def show_ip_group(account: Account, project_id: str, ipgroup_id: str) -> Answer:
    """ELB API: viewing details of an IP address group."""
    item = visible(account, account.elb.ip_groups.get(project_id, ipgroup_id))
    return ok({"ipgroup": Views(account).ip_group(item)})


def update_ip_group(account: Account, project_id: str, ipgroup_id: str, body: bodies.IpGroupUpdateBody) -> Answer:
    """ELB API: updating an IP address group."""
    item = account.elb.ip_groups.get(project_id, ipgroup_id)
    account.elb.ip_groups.update(item, body.ipgroup)
    return ok({"ipgroup": Views(account).ip_group(item)})


def merge_ip_list(account: Account, project_id: str, ipgroup_id: str, body: bodies.IpListEnvelope) -> Answer:
    """ELB API: updating IP addresses in an IP address group."""
    item = account.elb.ip_groups.get(project_id, ipgroup_id)
    account.elb.ip_groups.merge(item, body.ipgroup.ip_list)
    return ok({"ipgroup": Views(account).ip_group(item)})


def shorten_ip_list(account: Account, project_id: str, ipgroup_id: str, body: bodies.AddressListEnvelope) -> Answer:
    """ELB API: deleting IP addresses from an IP address group."""
    item = account.elb.ip_groups.get(project_id, ipgroup_id)
    account.elb.ip_groups.take_out(item, [entry.ip for entry in body.ipgroup.ip_list])
    return ok({"ipgroup": Views(account).ip_group(item)})


def delete_ip_group(account: Account, project_id: str, ipgroup_id: str) -> Answer:
    """ELB API: deleting an IP address group.

    Assumed: one in use is ELB.8907.
    """
    account.elb.ip_groups.delete(account.elb.ip_groups.get(project_id, ipgroup_id))
    return no_content()


def list_flavors(account: Account, query: queries.FlavorQuery) -> Answer:
    """ELB API: querying flavors; they belong to nobody."""
    items = list(account.elb.state.flavors.values())
    return listing(account, "flavors", items, query, show=Views(account).flavor)


def show_flavor(account: Account, flavor_id: str) -> Answer:
    """ELB API: viewing details of a flavor."""
    item = account.elb.state.flavors.get(flavor_id)
    if item is None:
        raise not_found(Flavor.__name__, flavor_id)
    return ok({"flavor": Views(account).flavor(item)})


def list_zones(account: Account, query: queries.ZoneQuery) -> Answer:
    """ELB API: querying AZs; they are sets whose zones may be combined."""
    wanted = query.public_border_group
    sets = [
        [zone.model_dump() for zone in zones if wanted is None or zone.public_border_group in wanted]
        for zones in account.elb.state.zone_sets
    ]
    return ok({"availability_zones": sets})


def show_quotas(account: Account, project_id: str) -> Answer:
    """ELB API: querying quotas."""
    return ok({"quota": {**account.elb.state.quotas, "project_id": project_id}})


def list_quota_usage(account: Account, project_id: str, query: queries.QuotaQuery) -> Answer:
    """ELB API: querying quota usage.

    Assumed: what is counted for each of something is used as much as where it is used most.
    """
    used = _used(account.elb.state, project_id)
    return ok(
        {
            "quotas": [
                {"quota_key": key, "quota_limit": limit, "used": used.get(key, 0), "unit": "count"}
                for key, limit in account.elb.state.quotas.items()
                if query.quota_key is None or key in query.quota_key
            ]
        }
    )


def list_load_balancer_tags(account: Account, project_id: str, loadbalancer_id: str) -> Answer:
    """ELB API v2.0: querying all tags of a load balancer."""
    return _tags(account.elb.load_balancers.get(project_id, loadbalancer_id))


def add_load_balancer_tag(account: Account, project_id: str, loadbalancer_id: str, body: TagBody) -> Answer:
    """ELB API v2.0: adding a tag to a load balancer."""
    return _add(account, account.elb.load_balancers.get(project_id, loadbalancer_id), body.tag)


def change_load_balancer_tags(account: Account, project_id: str, loadbalancer_id: str, body: TagsBody) -> Answer:
    """ELB API v2.0: batch adding load balancer tags; or deleting them."""
    return _act(account, account.elb.load_balancers.get(project_id, loadbalancer_id), body)


def remove_load_balancer_tag(account: Account, project_id: str, loadbalancer_id: str, key: str) -> Answer:
    """ELB API v2.0: deleting a tag from a load balancer."""
    return _remove(account, account.elb.load_balancers.get(project_id, loadbalancer_id), key)


def list_listener_tags(account: Account, project_id: str, listener_id: str) -> Answer:
    """ELB API v2.0: querying all tags of a listener."""
    return _tags(account.elb.listeners.get(project_id, listener_id))


def add_listener_tag(account: Account, project_id: str, listener_id: str, body: TagBody) -> Answer:
    """ELB API v2.0: adding a tag to a listener."""
    return _add(account, account.elb.listeners.get(project_id, listener_id), body.tag)


def change_listener_tags(account: Account, project_id: str, listener_id: str, body: TagsBody) -> Answer:
    """ELB API v2.0: batch adding tags to a listener; or deleting them."""
    return _act(account, account.elb.listeners.get(project_id, listener_id), body)


def remove_listener_tag(account: Account, project_id: str, listener_id: str, key: str) -> Answer:
    """ELB API v2.0: deleting a tag from a listener."""
    return _remove(account, account.elb.listeners.get(project_id, listener_id), key)


def _tags(item: LoadBalancer | Listener) -> Answer:
    return ok({"tags": shown(item.tags)})


def _add(account: Account, item: LoadBalancer | Listener, tag: Tag) -> Answer:
    return _put(account, item, {**item.tags, tag.key: tag.value})


def _act(account: Account, item: LoadBalancer | Listener, body: TagsBody) -> Answer:
    return _put(account, item, changed(item.tags, body))


def _remove(account: Account, item: LoadBalancer | Listener, key: str) -> Answer:
    if key not in item.tags:
        raise not_found("Tag", key)
    return _put(account, item, {name: value for name, value in item.tags.items() if name != key})


def _put(account: Account, item: LoadBalancer | Listener, tags: dict[str, str]) -> Answer:
    if len(tags) > MAX_TAGS:
        raise invalid("tags", f"at most {MAX_TAGS}")
    item.tags = tags
    account.touch(item)
    return no_content()


def _used(state: ElbState, project_id: str) -> dict[str, int]:
    tables: dict[str, Any] = {
        "loadbalancer": state.loadbalancers,
        "listener": state.listeners,
        "pool": state.pools,
        "member": state.members,
        "healthmonitor": state.healthmonitors,
        "ipgroup": state.ipgroups,
    }
    tree, mine = Tree(state), {key: owned(table, project_id) for key, table in tables.items()}
    most = {
        "members_per_pool": [len(tree.members_of[one.id]) for one in mine["pool"]],
        "listeners_per_pool": [len(tree.listeners_of_pool[one.id]) for one in mine["pool"]],
        "listeners_per_loadbalancer": [len(tree.listeners_of[one.id]) for one in mine["loadbalancer"]],
        "ipgroup_bindings": [len(tree.users_of_group[one.id]) for one in mine["ipgroup"]],
        "ipgroup_max_length": [len(one.ip_list) for one in mine["ipgroup"]],
    }
    return {**{key: len(items) for key, items in mine.items()}, **{key: max(n, default=0) for key, n in most.items()}}
