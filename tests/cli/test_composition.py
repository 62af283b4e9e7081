"""What the command line puts together."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.composition import services
from cli.verdicts import VerdictStore
from shared.otc.cloud import Cloud
from shared.settings import Settings
from tests.shared.otc.canned import Canned
from tests.support.webhook import webhook


def test_webhooks_go_through_the_proxy_of_the_environment_and_carry_nothing_of_a_netrc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with webhook(204) as (proxy, heard):
        monkeypatch.setenv("http_proxy", proxy)
        given = services(Cloud(Canned()), Settings(), None, VerdictStore(tmp_path))
        given.sinks(("http://hooks.invalid/x",))[0].deliver({"id": "1", "type": "a.completed"})
    ((headers, body),) = heard
    assert (headers["Host"], headers.get("Authorization"), body["id"]) == ("hooks.invalid", None, "1")
