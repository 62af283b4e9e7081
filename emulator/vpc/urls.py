"""What VPC serves."""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.vpc import neutron as n
from emulator.vpc import security_groups as g
from emulator.vpc.errors import NeutronErrors, Vpc3Errors, VpcErrors
from emulator.vpc.responses_networks import (
    add_secondary,
    create_subnet,
    create_vpc,
    delete_subnet,
    delete_vpc,
    list_subnets,
    list_vpcs,
    list_vpcs_v3,
    remove_secondary,
    show_ip_usage,
    show_quotas,
    show_subnet,
    show_vpc,
    show_vpc_v3,
    update_subnet,
    update_vpc,
)
from emulator.vpc.responses_peerings import (
    accept_peering,
    create_peering,
    delete_peering,
    list_peerings,
    reject_peering,
    show_peering,
    update_peering,
)
from emulator.vpc.responses_routes import (
    act_on_route_table,
    create_route,
    create_route_table,
    delete_route,
    delete_route_table,
    list_routes,
    list_tables,
    show_route,
    show_table,
    update_route_table,
)

V1 = Service("vpc", VpcErrors())
V2 = Service("vpc", NeutronErrors())
V3 = Service("vpc", Vpc3Errors(), request_id_in_body=True)
VPC = "/v1/{project_id}/vpcs"
VPC3 = "/v3/{project_id}/vpc/vpcs"
SUBNET = "/v1/{project_id}/subnets"
TABLE = "/v1/{project_id}/routetables"
PEERING = "/v2.0/vpc/peerings"
ROUTE = "/v2.0/vpc/routes"

ROUTES = (
    Route(V1, "POST", VPC, create_vpc, "vpc:vpcs:create"),
    Route(V1, "GET", VPC, list_vpcs, "vpc:vpcs:list"),
    Route(V1, "GET", VPC + "/{vpc_id}", show_vpc, "vpc:vpcs:get"),
    Route(V1, "PUT", VPC + "/{vpc_id}", update_vpc, "vpc:vpcs:update"),
    Route(V1, "DELETE", VPC + "/{vpc_id}", delete_vpc, "vpc:vpcs:delete"),
    Route(V3, "GET", VPC3, list_vpcs_v3, "vpc:vpcs:list"),
    Route(V3, "GET", VPC3 + "/{vpc_id}", show_vpc_v3, "vpc:vpcs:get"),
    Route(V3, "PUT", VPC3 + "/{vpc_id}/add-extend-cidr", add_secondary, "vpc:vpcs:update"),
    Route(V3, "PUT", VPC3 + "/{vpc_id}/remove-extend-cidr", remove_secondary, "vpc:vpcs:update"),
    Route(V1, "POST", SUBNET, create_subnet, "vpc:subnets:create"),
    Route(V1, "GET", SUBNET, list_subnets, "vpc:subnets:get"),
    Route(V1, "GET", SUBNET + "/{subnet_id}", show_subnet, "vpc:subnets:get"),
    Route(V1, "PUT", VPC + "/{vpc_id}/subnets/{subnet_id}", update_subnet, "vpc:subnets:update"),
    Route(V1, "DELETE", VPC + "/{vpc_id}/subnets/{subnet_id}", delete_subnet, "vpc:subnets:delete"),
    Route(V1, "GET", "/v1/{project_id}/quotas", show_quotas, "vpc:quotas:list"),
    Route(V2, "GET", "/v2.0/network-ip-availabilities/{network_id}", show_ip_usage, "vpc:networks:get"),
    Route(V1, "POST", TABLE, create_route_table, "vpc:routeTables:create"),
    Route(V1, "GET", TABLE, list_tables, "vpc:routeTables:list"),
    Route(V1, "GET", TABLE + "/{routetable_id}", show_table, "vpc:routeTables:get"),
    Route(V1, "PUT", TABLE + "/{routetable_id}", update_route_table, "vpc:routeTables:update"),
    Route(V1, "POST", TABLE + "/{routetable_id}/action", act_on_route_table, "vpc:routeTables:associate"),
    Route(V1, "DELETE", TABLE + "/{routetable_id}", delete_route_table, "vpc:routeTables:delete"),
    Route(V2, "POST", ROUTE, create_route, "vpc:routes:create"),
    Route(V2, "GET", ROUTE, list_routes, "vpc:routes:list"),
    Route(V2, "GET", ROUTE + "/{route_id}", show_route, "vpc:routes:get"),
    Route(V2, "DELETE", ROUTE + "/{route_id}", delete_route, "vpc:routes:delete"),
    Route(V2, "GET", "/v2.0/networks", n.list_networks, "vpc:networks:get"),
    Route(V2, "GET", "/v2.0/networks/{network_id}", n.show_network, "vpc:networks:get"),
    Route(V2, "PUT", "/v2.0/networks/{network_id}", n.update_network, "vpc:networks:update"),
    Route(V2, "PUT", "/v2.0/subnets/{subnet_id}", n.update_subnet_v2, "vpc:subnets:update"),
    Route(V2, "PUT", "/v2.0/routers/{router_id}", n.update_router, "vpc:routers:update"),
    Route(V2, "GET", "/v2.0/subnets", n.list_subnets_v2, "vpc:subnets:get"),
    Route(V2, "GET", "/v2.0/subnets/{subnet_id}", n.show_subnet_v2, "vpc:subnets:get"),
    Route(V2, "GET", "/v2.0/routers", n.list_routers, "vpc:routers:get"),
    Route(V2, "GET", "/v2.0/routers/{router_id}", n.show_router, "vpc:routers:get"),
    Route(V2, "GET", "/v2.0/ports", n.list_ports, "vpc:ports:get"),
    Route(V2, "GET", "/v2.0/ports/{port_id}", n.show_port, "vpc:ports:get"),
    Route(V2, "GET", "/v2.0/security-groups", g.list_groups, "vpc:securityGroups:get"),
    Route(V2, "GET", "/v2.0/security-groups/{group_id}", g.show_group, "vpc:securityGroups:get"),
    Route(V2, "GET", "/v2.0/security-group-rules", g.list_rules, "vpc:securityGroupRules:get"),
    Route(V2, "GET", "/v2.0/security-group-rules/{rule_id}", g.show_rule, "vpc:securityGroupRules:get"),
    Route(V2, "POST", PEERING, create_peering, "vpc:peerings:create"),
    Route(V2, "GET", PEERING, list_peerings, "vpc:peerings:get"),
    Route(V2, "GET", PEERING + "/{peering_id}", show_peering, "vpc:peerings:get"),
    Route(V2, "PUT", PEERING + "/{peering_id}", update_peering, "vpc:peerings:update"),
    Route(V2, "PUT", PEERING + "/{peering_id}/accept", accept_peering, "vpc:peerings:accept"),
    Route(V2, "PUT", PEERING + "/{peering_id}/reject", reject_peering, "vpc:peerings:reject"),
    Route(V2, "DELETE", PEERING + "/{peering_id}", delete_peering, "vpc:peerings:delete"),
)
