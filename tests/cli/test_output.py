"""Results and failures as people and programs read them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest
import yaml
from click.testing import CliRunner

from cli.main import main
from cli.options import Format
from cli.output import explain, facts, moment, show, table
from cli.running import Exit
from shared.errors import ErrorCode, ErrorData
from shared.urns import function_name

ROWS = [{"id": "a", "size": None}, {"id": "longer", "size": ["x", "y"]}]


def test_columns_line_up_and_nothing_is_a_dash():
    assert table(ROWS, ("id", "size")).splitlines() == ["ID      SIZE", "a       -", "longer  x, y"]


def test_facts_leave_out_what_there_is_not():
    assert facts({"a": 1, "name": "x", "none": None, "empty": []}) == "  a      1\n  name   x"


@pytest.mark.parametrize(("form", "read"), [(Format.JSON, json.loads), (Format.YAML, yaml.safe_load)])
def test_machines_get_the_data_as_it_is(form: Format, read, capsys: pytest.CaptureFixture[str]):
    show(ROWS, form, lambda: pytest.fail("for people only"))
    assert read(capsys.readouterr().out) == ROWS


def test_a_failure_is_shown_with_code_field_and_remedy_and_without_secrets(capsys: pytest.CaptureFixture[str]):
    url = "https://me:hunter2@hooks.example/hunter2"
    explain(ErrorData(code=ErrorCode.PORT_TAKEN, message=f"See {url}", field="port", advice=f"Ask {url}"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Error PortTaken: See https://hooks.example/***",
        "  field     port",
        "  remedy    Ask https://hooks.example/***",
    ]


@pytest.mark.parametrize(("value", "coloured"), [("", True), ("1", False)])
def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch, value: str, coloured: bool):
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", value)
    shown = CliRunner().invoke(main, ["list"], color=True)
    assert shown.exit_code == Exit.REFUSED
    assert ("\x1b[" in shown.stderr) is coloured


def test_moments_are_rfc_3339():
    assert moment(datetime(2030, 1, 2, tzinfo=UTC).timestamp()) == "2030-01-02T00:00:00+00:00"
    assert moment(None) is None


def test_a_function_is_known_by_the_last_part_of_its_urn():
    assert function_name("urn:fss:${Region}:${ProjectId}:function:${Application}:plan_exposure") == "plan_exposure"


@pytest.mark.parametrize("urn", ["plan_exposure", "urn:fss:r:p:function:a:../evil", "arn:aws:states:::sqs:x:y:z"])
def test_anything_else_names_no_handler(urn: str):
    with pytest.raises(ValueError, match="not the URN"):
        function_name(urn)


def test_a_url_at_the_end_of_a_sentence_stays_readable(capsys: pytest.CaptureFixture[str]):
    explain(
        ErrorData(code=ErrorCode.PORT_TAKEN, message="Such as http://203.0.113.7:8080.", advice="https://h/secret.")
    )
    assert capsys.readouterr().err.splitlines() == [
        "Error PortTaken: Such as http://203.0.113.7:8080.",
        "  remedy    https://h/***.",
    ]
