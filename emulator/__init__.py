"""A stateful Open Telekom Cloud with a real data plane, for laptops and tests."""

from emulator.clock import ManualClock, SystemClock
from emulator.dials import Dials
from emulator.emulator import Emulator
from emulator.faults import Fault
from emulator.world import World

__all__ = ["Dials", "Emulator", "Fault", "ManualClock", "SystemClock", "World"]
