from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cli.main import main
from emulator import Emulator
from emulator.coverage import described

TABLE = Path(__file__).parents[2] / "docs" / "emulator-coverage.md"


def test_the_table_of_what_is_served_is_up_to_date():
    made = CliRunner().invoke(main, ["emulator", "coverage"])
    assert made.exit_code == 0
    current = TABLE.read_text() == made.output
    assert current, f"make it again: dcs-access emulator coverage > {TABLE.name}"


def test_every_call_that_needs_a_token_names_its_page_and_its_permission():
    for route in Emulator().router:
        page, particulars, _ = described(route)
        assert page or particulars, route.path
        if route.action is not None:
            assert page, f"{route.method} {route.path}: {particulars}"
            # IAM's own permissions cover the calls to it; the services share those of VPC for EIPs.
            assert route.action.split(":")[0] in {route.service.name, "vpc"}, route.path
