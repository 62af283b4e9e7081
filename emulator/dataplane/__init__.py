"""What carries packets: instances, public listeners and the connections between them."""

from emulator.dataplane.modelled import ModelledDataPlane
from emulator.dataplane.plane import (
    Admission,
    Backend,
    CannotListenError,
    Connection,
    DataPlane,
    Frontend,
    Node,
    RedisInstance,
)

__all__ = [
    "Admission",
    "Backend",
    "CannotListenError",
    "Connection",
    "DataPlane",
    "Frontend",
    "ModelledDataPlane",
    "Node",
    "RedisInstance",
]
