"""What EIP serves."""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.eip import neutron as n
from emulator.eip.errors import ERRORS
from emulator.eip.responses import (
    add_tag,
    change_tags,
    create_eip,
    delete_eip,
    delete_tag,
    list_bandwidths,
    list_eips,
    list_tags,
    show_bandwidth,
    show_eip,
    update_bandwidth,
    update_eip,
)
from emulator.eip.responses_shared import (
    assign_shared,
    delete_shared,
    find_by_tags,
    insert_into_shared,
    list_project_tags,
    remove_from_shared,
)
from emulator.eip.responses_v3 import (
    associate_eip,
    disassociate_eip,
    list_eips_v3,
    list_pools,
    show_eip_v3,
)
from emulator.vpc.errors import NeutronErrors, Vpc3Errors

V1 = Service("eip", ERRORS)
V2 = Service("eip", NeutronErrors())
V3 = Service("eip", Vpc3Errors(), request_id_in_body=True)
EIP = "/v1/{project_id}/publicips"
EIP3 = "/v3/{project_id}/eip/publicips"
BANDWIDTH = "/v1/{project_id}/bandwidths"
SHARED = "/v2.0/{project_id}/bandwidths"
FLOATING = "/v2.0/floatingips"
TAGS = "/v2.0/{project_id}/publicips/{publicip_id}/tags"

ROUTES = (
    Route(V1, "POST", EIP, create_eip, "vpc:publicIps:create"),
    Route(V1, "GET", EIP, list_eips, "vpc:publicIps:list"),
    Route(V1, "GET", EIP + "/{publicip_id}", show_eip, "vpc:publicIps:get"),
    Route(V1, "PUT", EIP + "/{publicip_id}", update_eip, "vpc:publicIps:update"),
    Route(V1, "DELETE", EIP + "/{publicip_id}", delete_eip, "vpc:publicIps:delete"),
    Route(V1, "GET", BANDWIDTH, list_bandwidths, "vpc:bandwidths:list"),
    Route(V1, "GET", BANDWIDTH + "/{bandwidth_id}", show_bandwidth, "vpc:bandwidths:get"),
    Route(V1, "PUT", BANDWIDTH + "/{bandwidth_id}", update_bandwidth, "vpc:bandwidths:update"),
    Route(V1, "POST", SHARED, assign_shared, "vpc:bandwidths:create"),
    Route(V1, "DELETE", SHARED + "/{bandwidth_id}", delete_shared, "vpc:bandwidths:delete"),
    Route(V1, "POST", SHARED + "/{bandwidth_id}/insert", insert_into_shared, "vpc:publicIps:insert"),
    Route(V1, "POST", SHARED + "/{bandwidth_id}/remove", remove_from_shared, "vpc:publicIps:remove"),
    Route(V1, "GET", "/v2.0/{project_id}/publicips/tags", list_project_tags, "vpc:publicIpTags:get"),
    Route(V1, "POST", "/v2.0/{project_id}/publicips/resource_instances/action", find_by_tags, "vpc:publicIpTags:get"),
    Route(V1, "GET", TAGS, list_tags, "vpc:publicIpTags:get"),
    Route(V1, "POST", TAGS, add_tag, "vpc:publicIpTags:create"),
    Route(V1, "POST", TAGS + "/action", change_tags, "vpc:publicIpTags:create"),
    Route(V1, "DELETE", TAGS + "/{key}", delete_tag, "vpc:publicIpTags:delete"),
    Route(V2, "POST", FLOATING, n.create_floating_ip, "vpc:floatingIps:create"),
    Route(V2, "GET", FLOATING, n.list_floating_ips, "vpc:floatingIps:get"),
    Route(V2, "GET", FLOATING + "/{floatingip_id}", n.show_floating_ip, "vpc:floatingIps:get"),
    Route(V2, "PUT", FLOATING + "/{floatingip_id}", n.update_floating_ip, "vpc:floatingIps:update"),
    Route(V2, "DELETE", FLOATING + "/{floatingip_id}", n.delete_floating_ip, "vpc:floatingIps:delete"),
    Route(V3, "GET", EIP3, list_eips_v3, "vpc:publicIps:list"),
    Route(V3, "GET", "/v3/{project_id}/eip/publicip-pools/common-pools", list_pools, "vpc:publicIps:list"),
    Route(V3, "GET", EIP3 + "/{publicip_id}", show_eip_v3, "vpc:publicIps:get"),
    Route(V3, "POST", EIP3 + "/{publicip_id}/associate-instance", associate_eip, "vpc:publicIps:update"),
    Route(V3, "POST", EIP3 + "/{publicip_id}/disassociate-instance", disassociate_eip, "vpc:publicIps:update"),
)
