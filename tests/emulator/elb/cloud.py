"""A caller of an emulated cloud: plain HTTP, and the pieces that many tests need first."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from emulator import Emulator, ManualClock, World
from emulator.core.message import Request, Response

Json = dict[str, Any]


class Cloud:
    """An emulator with a token of its own."""

    def __init__(self, world: World | None = None, **options: Any) -> None:
        self.clock = options.setdefault("clock", ManualClock())
        self.emulator = Emulator(world or World.small(), **options)
        self.world = self.emulator.world()
        self.project = next(iter(self.world.iam.projects))
        user = next(iter(self.world.iam.users.values()))
        identity = {
            "methods": ["password"],
            "password": {
                "user": {
                    "name": user.name,
                    "password": user.password,
                    "domain": {"id": self.world.iam.domain.id},
                }
            },
        }
        answer = self.send(
            "POST",
            "/v3/auth/tokens",
            {"auth": {"identity": identity, "scope": {"project": {"id": self.project}}}},
        )
        self.token = answer.headers["X-Subject-Token"]

    token = ""

    def send(self, method: str, path: str, body: Json | None = None, query: Any = ()) -> Response:
        url = path + ("?" + urlencode(query, doseq=True) if query else "")
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"X-Auth-Token": self.token}
        return self.emulator.handle(Request.of(method, url, headers, data, base="http://localhost"))

    def elb(self, method: str, path: str, body: Json | None = None, **query: Any) -> Response:
        return self.send(method, f"/v3/{self.project}/elb/{path}", body, query)

    def make(self, kind: str, path: str = "", **fields: Any) -> Json:
        """Create one resource of ELB and return it."""
        answer = self.elb("POST", path or f"{kind}s", {kind: fields})
        assert answer.status == 201, answer.body
        made: Json = answer.json()[kind]
        return made

    def get(self, path: str, **query: Any) -> Json:
        answer = self.elb("GET", path, **query)
        assert answer.status == 200, answer.body
        found: Json = answer.json()
        return found

    def refusal(self, method: str, path: str, body: Json | None = None, **query: Any) -> tuple[int, str]:
        """Status and code of a call that must be refused and leave no trace."""
        before = self.emulator.snapshot(timestamps=True)
        answer = self.elb(method, path, body, **query)
        assert self.emulator.snapshot(timestamps=True) == before
        error = answer.json()
        assert set(error) == {"error_code", "error_msg", "request_id"}
        return answer.status, error["error_code"]

    def vpc(self, name: str) -> str:
        return next(one.id for one in self.world.vpc.vpcs.values() if one.name == name)

    def subnet(self, name: str) -> Any:
        return next(one for one in self.emulator.world().vpc.subnets.values() if one.name == name)

    @property
    def redis(self) -> Any:
        return next(iter(self.world.dcs.instances.values()))

    def load_balancer(self, **fields: Any) -> Json:
        """A load balancer with an EIP in the load balancers' VPC."""
        bandwidth = {"name": "bw", "size": 5, "share_type": "PER", "charge_mode": "traffic"}
        standard = {
            "name": "lb",
            "vpc_id": self.vpc("vpc-elb"),
            "vip_subnet_cidr_id": self.subnet("subnet-elb").neutron_subnet_id,
            "availability_zone_list": ["eu-de-01"],
            "l4_flavor_id": self.flavor("L4_flavor.elb.s1.small"),
            "ip_target_enable": True,
            "publicip": {"network_type": "5_bgp", "bandwidth": bandwidth},
        }
        return self.make("loadbalancer", **{**standard, **fields})

    def flavor(self, name: str) -> str:
        found: str = self.get("flavors", name=name)["flavors"][0]["id"]
        return found

    def pool(self, **owner: Any) -> Json:
        return self.make("pool", protocol="TCP", lb_algorithm="ROUND_ROBIN", **owner)

    def backend(self, balancer: Json, port: int = 80, target: tuple[str, int] | None = None) -> tuple[Json, ...]:
        """Listener, pool and member below a load balancer."""
        listener = self.make("listener", loadbalancer_id=balancer["id"], protocol="TCP", protocol_port=port)
        pool = self.pool(listener_id=listener["id"])
        address, protocol_port = target or (self.redis.ip, self.redis.port)
        member = self.make("member", f"pools/{pool['id']}/members", address=address, protocol_port=protocol_port)
        return listener, pool, member

    def monitor(self, pool: Json, **fields: Any) -> Json:
        standard = {"type": "TCP", "delay": 5, "timeout": 3, "max_retries": 3}
        return self.make("healthmonitor", pool_id=pool["id"], **{**standard, **fields})

    def peer(self) -> Json:
        """A peering with both routes."""
        answer = self.send(
            "POST",
            "/v2.0/vpc/peerings",
            {
                "peering": {
                    "name": "elb-to-dcs",
                    "request_vpc_info": {"vpc_id": self.vpc("vpc-elb")},
                    "accept_vpc_info": {"vpc_id": self.vpc("vpc-dcs")},
                }
            },
        )
        assert answer.status == 201, answer.body
        peering: Json = answer.json()["peering"]
        self.route("vpc-elb", "192.168.0.0/16", peering["id"])
        self.route("vpc-dcs", "10.0.0.0/16", peering["id"])
        return peering

    def route(self, vpc: str, destination: str, peering_id: str | None = None) -> None:
        """Add a route over a peering, or delete it."""
        tables = self.emulator.world().vpc.route_tables.values()
        table = next(one.id for one in tables if one.vpc_id == self.vpc(vpc))
        route = {"type": "peering", "destination": destination, "nexthop": peering_id}
        change = {"add": [route]} if peering_id else {"del": [{"destination": destination}]}
        answer = self.send("PUT", f"/v1/{self.project}/routetables/{table}", {"routetable": {"routes": change}})
        assert answer.status == 200, answer.body

    def whitelist(self, *entries: str) -> None:
        """Enable the whitelist of the instance with these entries."""
        group = {"group_name": "clients", "ip_list": list(entries)}
        answer = self.send(
            "PUT",
            f"/v2/{self.project}/instance/{self.redis.id}/whitelist",
            {"enable_whitelist": True, "whitelist": [group]},
        )
        assert answer.status == 204, answer.body

    def health(self, pool: Json, member: Json) -> tuple[str, str | None]:
        """Operating status and reason of a member."""
        shown = self.get(f"pools/{pool['id']}/members/{member['id']}")["member"]
        reasons = [one["reason"] for one in shown["status"] if one["reason"]]
        return shown["operating_status"], reasons[0]["reason_code"] if reasons else None
