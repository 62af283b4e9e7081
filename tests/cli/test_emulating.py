from __future__ import annotations

import socket

import pytest

from cli.emulating import running
from emulator import World
from emulator.dataplane.loopback import LoopbackDataPlane
from emulator.world import SMALL
from shared.errors import PermanentError

EXPOSED = """
eip:
  bandwidths: [{{name: b, size: 5}}]
  publicips: [{{address: {address}, bandwidth_id: b, bound_to: ELB, instance_id: lb}}]
elb:
  loadbalancers: [{{name: lb, vpc_id: vpc-elb, vip_subnet_cidr_id: subnet-elb}}]
  listeners: [{{name: l, loadbalancer_id: lb, protocol: TCP, protocol_port: {port}}}]
"""


def test_a_world_whose_listener_cannot_be_bound_is_refused_and_nothing_is_left_running():
    plane = LoopbackDataPlane()
    with socket.create_server((str(plane.public_network[9]), 0)) as taken:
        address, port = taken.getsockname()
        world = World.loads(SMALL + EXPOSED.format(address=address, port=port))
        with pytest.raises(PermanentError, match=f"{address}:{port}"), running(world, plane):
            pass
    assert not plane._relay._thread.is_alive()
    assert plane._processes == {}
