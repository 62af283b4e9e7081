"""What FunctionGraph serves."""

from __future__ import annotations

from emulator.core.routing import Route

ROUTES: tuple[Route, ...] = ()
