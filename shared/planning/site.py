"""Where an exposure is to be built: what a request leaves open is chosen, what cannot be is refused."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.vpc import Peering, Subnet
from shared.planning.choose import (
    candidate_subnets,
    choose_flavor,
    choose_helper,
    choose_node,
    choose_vpc,
    choose_zones,
    refusal,
    roomiest,
)
from shared.planning.observe import Surroundings, World, observe_surroundings
from shared.planning.plan import RouteOrder
from shared.planning.safety import (
    check_client_range,
    check_free_addresses,
    check_overlap,
    check_quotas,
    check_table,
    check_whitelist,
    whitelist_closed,
)
from shared.planning.ways import ways
from shared.record import Mode, read_record
from shared.request import ExposeRequest
from shared.resources.converge import elect
from shared.resources.listener import port_taken
from shared.resources.ownership import exposure_of_part
from shared.resources.peering import active_peering
from shared.routing import RouteAction, decide_route, route_in_the_way
from shared.settings import Settings


@dataclass(frozen=True)
class Choice:
    """All that was chosen: where the load balancer stands and on what, what it reaches, and by which way.

    `whitelist` is the range that the instance's whitelist must hold, None where it keeps nobody out.
    """

    backend: Subnet
    zones: tuple[str, ...]
    flavor_id: str
    address: str
    port: int
    peer_vpc: str
    peering_id: str | None
    routes: tuple[RouteOrder, ...]
    whitelist: str | None
    whitelist_changes: bool


class Site:
    """The first round of observations, and the choices that follow from it."""

    def __init__(self, world: World, request: ExposeRequest, settings: Settings) -> None:
        self.world, self.request, self.settings = world, request, settings
        self.group = elect(world.ip_groups)
        self.balancer = elect(world.load_balancers)
        self.record = read_record(self.group.description) if self.group else None
        self.home = self._subnet(world.instance.subnet_id)
        self.vpc = choose_vpc(
            [
                ("vpc_id", request.vpc_id),
                ("vpc_id", self._place_before()[0]),
                ("vpc_id", settings.vpc_id),
            ],
            world.vpcs,
            world.instance.vpc_id,
        )
        vpc_before, subnet_before = self._place_before()
        wanted = request.subnet_id or (subnet_before if vpc_before == self.vpc else None)
        default = settings.subnet_id if self.vpc == settings.vpc_id else None
        self.candidates = candidate_subnets(wanted or default, self.vpc, world.subnets)
        self.mode = Mode.CROSS_VPC if self.vpc != world.instance.vpc_id else Mode(request.same_vpc)
        self._check_unchanged()

    def look_around(self, cloud: Cloud) -> Surroundings:
        """Read the second round, as far as a choice hangs on it."""
        sides = {
            Mode.CROSS_VPC: (*self.candidates, self.home),
            Mode.DOCUMENTED: self.candidates,
            Mode.DIRECT: (),
        }
        full = self.world.vpc_quotas.get("vpcPeer")
        return observe_surroundings(
            cloud,
            self.world,
            backend_subnets=tuple(subnet.id for subnet in self.candidates),
            table_subnets=tuple(sides[self.mode]),
            peerings=self.mode is Mode.DOCUMENTED or (self.mode is Mode.CROSS_VPC and full is not None and full.full),
        )

    def choose(self, around: Surroundings) -> Choice:
        """Choose what is left open and refuse what cannot be built.

        Raises:
            PermanentError: one of the refusals, naming the field.
        """
        backend = roomiest(self.candidates, around.free_addresses)
        address, port = choose_node(self.request.node, self.world.instance, around.nodes)
        peer = self._peer_vpc(around)
        peering = active_peering(around.peerings or (), self.vpc, peer)
        self._check_backend(backend, address, around.free_addresses[backend.id])
        self._check_port(around)
        routes = self._routes(around, backend, address, peer, peering)
        closed = whitelist_closed(around.whitelist)
        changes = closed and around.whitelist is not None and check_whitelist(around.whitelist, backend.cidr)
        self._check_quotas(peering)
        zones, flavor_id = self._hardware()
        return Choice(
            backend=backend,
            zones=zones,
            flavor_id=flavor_id,
            address=address,
            port=port,
            peer_vpc=peer,
            peering_id=peering.id if peering else None,
            routes=routes,
            whitelist=backend.cidr if closed else None,
            whitelist_changes=changes,
        )

    def _hardware(self) -> tuple[tuple[str, ...], str]:
        """Zones and flavor: those of the load balancer that stands, whatever is sold out now, else chosen."""
        zones = self.balancer.availability_zone_list if self.balancer else ()
        flavor = self.balancer.l4_flavor_id if self.balancer else None
        request, world = self.request, self.world
        return (
            zones or choose_zones(request.availability_zones, world.zones, world.instance),
            flavor or choose_flavor(request.flavor, world.flavors),
        )

    def _check_backend(self, backend: Subnet, address: str, free: int) -> None:
        if self.mode is Mode.CROSS_VPC:
            check_overlap(backend, self.home, self.world.subnets)
            check_client_range(backend, address)
        if self.balancer is None:
            check_free_addresses(backend, free, self.settings.minimum_free_addresses)

    def _subnet(self, network_id: str) -> Subnet:
        found = next((subnet for subnet in self.world.subnets if subnet.id == network_id), None)
        if found is None:
            raise PermanentError(
                ErrorCode.NETWORK_NOT_FOUND,
                f"The instance's subnet {network_id} is not visible in this project.",
                field="instance_id",
                resource=network_id,
                advice="Use credentials of the project that owns the subnet.",
            )
        return found

    def _place_before(self) -> tuple[str | None, str | None]:
        """VPC and subnet of the exposure as it was found; without a record the load balancer itself tells."""
        if self.record is not None:
            return self.record.vpc, self.record.subnet
        if self.balancer is not None:
            return self.balancer.vpc_id, next(iter(self.balancer.elb_virsubnet_ids), None)
        return None, None

    def _check_unchanged(self) -> None:
        """An exposure's place cannot be changed in place: a listener's port and a load balancer's VPC are fixed.

        So is the way: the record is all that knows which peering a withdrawal has to take down.
        """
        request, (vpc, subnet) = self.request, self._place_before()
        fixed: dict[str, tuple[object, object]] = {
            "vpc_id": (vpc, self.vpc),
            "subnet_id": (subnet, request.subnet_id or subnet),
        }
        if self.record is not None:
            helper = request.helper_vpc_id if self.mode is Mode.DOCUMENTED else None
            fixed |= {
                "port": (self.record.port, request.port),
                "same_vpc": (self.record.mode, self.mode),
                "helper_vpc_id": (self.record.peer_vpc, helper or self.record.peer_vpc),
                "bandwidth_mbit": (self.record.bandwidth, request.bandwidth_mbit),
            }
        if self.balancer is not None and request.availability_zones:
            stands = sorted(self.balancer.availability_zone_list)
            fixed["availability_zones"] = (stands, sorted(request.availability_zones))
        if request.flavor is not None:
            fixed["flavor"] = (self._flavor_before(), request.flavor)
        for field, (was, wanted) in fixed.items():
            if was not in (None, wanted):
                raise refusal(
                    ErrorCode.EXPOSURE_DIFFERS,
                    f"The instance is exposed already with {field} {was}, not {wanted}.",
                    field,
                    "Withdraw the exposure first, or repeat the request with the same value.",
                )

    def _flavor_before(self) -> str | None:
        """The flavor of the load balancer that stands, in the request's own words where they are right."""
        if self.balancer is None:
            return None
        identifier = self.balancer.l4_flavor_id
        known = [flavor.name for flavor in self.world.flavors if flavor.id == identifier]
        return self.request.flavor if self.request.flavor in {identifier, *known} else next(iter(known), identifier)

    def _check_port(self, around: Surroundings) -> None:
        for listener in around.listeners:
            # UDP has ports of its own.
            same_port = listener.protocol_port == self.request.port and listener.protocol != "UDP"
            if same_port and exposure_of_part(listener) != self.world.exposure:
                raise port_taken(listener)

    def _peer_vpc(self, around: Surroundings) -> str:
        if self.mode is Mode.CROSS_VPC:
            return self.world.instance.vpc_id
        if self.mode is Mode.DIRECT:
            return self.vpc
        before = self.record.peer_vpc if self.record and self.record.mode is Mode.DOCUMENTED else None
        given = self.request.helper_vpc_id or before or self.settings.helper_vpc_id
        return choose_helper(given, self.vpc, self.world.vpcs, self.world.subnets, around.peerings or ())

    def _routes(
        self, around: Surroundings, backend: Subnet, address: str, peer: str, peering: Peering | None
    ) -> tuple[RouteOrder, ...]:
        """The local route and, across VPCs, the peer route back to the load balancer's subnet."""
        needed = ways(
            self.mode,
            backend=backend,
            home=self.home,
            address=address,
            local=self.world.vpcs[self.vpc],
            remote=self.world.vpcs[peer],
            table_of=lambda subnet: around.tables[subnet.id],
        )
        for table, towards, target in needed:
            decision = decide_route(
                table.routes or (),
                destination=towards,
                target=target,
                peering_id=peering.id if peering else None,
                exposure=self.world.exposure,
            )
            if decision.action is RouteAction.REFUSE:
                raise route_in_the_way(table.id, decision)
            if decision.action is RouteAction.ADD:
                check_table(table)
        return tuple(
            RouteOrder(table_id=table.id, destination=towards, target=target) for table, towards, target in needed
        )

    def _check_quotas(self, peering: Peering | None) -> None:
        fresh = self.balancer is None
        names = ("loadbalancer", "listener", "pool", "member", "healthmonitor")
        check_quotas(
            {"ipgroup": self.group is None, **dict.fromkeys(names, fresh)},
            self.world.elb_quotas,
        )
        peers = self.mode is not Mode.DIRECT and peering is None
        check_quotas({"publicIp": fresh, "vpcPeer": peers}, self.world.vpc_quotas)
