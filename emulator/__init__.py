"""A stateful Open Telekom Cloud with a real data plane, for laptops and tests."""

from emulator.clock import ManualClock, SystemClock
from emulator.dials import Dials
from emulator.emulator import Emulator
from emulator.faults import Fault
from emulator.inprocess import in_process
from emulator.server import Server, serve
from emulator.world import World, WorldError

__all__ = [
    "Dials",
    "Emulator",
    "Fault",
    "ManualClock",
    "Server",
    "SystemClock",
    "World",
    "WorldError",
    "in_process",
    "serve",
]
