"""The command line against an emulated cloud of the test's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli.emulating import write_clouds
from cli.main import main
from emulator import Emulator, World
from emulator.server import serve

COMMON = {"allow": ["203.0.113.0/24"], "accept": ["production"]}


class Terminal:
    """Types commands for one emulated account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.emulator = Emulator(World.small())
        self.server = serve(self.emulator)
        self.clouds = folder / "clouds.yaml"
        write_clouds(self.clouds, self.emulator, self.server.url)

    def close(self) -> None:
        self.server.close()
        self.emulator.close()

    def type(self, *words: str, stdin: str | None = None) -> Result:
        """Run one command; anything but an exit is a defect."""
        arguments = ["--os-cloud", "emulator", "--store", str(self.folder / "store"), *words]
        return run(*arguments, stdin=stdin)

    def read(self, *words: str, stdin: str | None = None) -> Any:
        """Run one command and read the JSON it prints."""
        return json.loads(self.type(*words, "-o", "json", stdin=stdin).stdout)

    def expose(self, *words: str) -> Result:
        """Expose the account's instance."""
        given = ("--allow", "203.0.113.0/24", "--accept", "production")
        return self.type("expose", self.instance, *given, *words)

    def request(self, **fields: Any) -> str:
        """A request for the account's instance as JSON; a field that is None is left out."""
        whole = {"action": "expose", "instance_id": self.instance, **COMMON, **fields}
        return json.dumps({name: value for name, value in whole.items() if value is not None})

    @property
    def instance(self) -> str:
        return next(iter(self.emulator.world().dcs.instances))

    def mutations(self) -> list[str]:
        """The calls that asked for a change."""
        return [f"{call.method} {call.path}" for call in self.emulator.calls.mutating()]


def run(*words: str, stdin: str | None = None) -> Result:
    """Run one command in this process."""
    result = CliRunner().invoke(main, words, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
