"""Requests a second on like calls: the emulator's server beside the peer's, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from tests.benchmarks.figures import Figure, in_turns
from tests.benchmarks.peering import Peer

CALLS = 200
LISTED = 4
"""One below the quota of networks, which the emulator enforces."""
_SERVER = """
from emulator import Emulator, World
from emulator.server import serve
import sys
print(serve(Emulator(World.small())).url, flush=True)
sys.stdin.read()
"""


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """The emulator's server and its process, until the block ends."""
    command = [sys.executable, "-c", _SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip(), process.pid
        assert process.stdin
        process.stdin.close()


class _Ours:
    def __init__(self, url: str) -> None:
        self._session, self._numbers = requests.Session(), count()
        user = {"name": "demo", "password": "demo-password"}
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "eu-de_demo"}},
        }
        answer = self._session.post(f"{url}/v3/auth/tokens", json={"auth": auth})
        self._session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        self._vpcs = f"{url}/v1/{answer.json()['token']['project']['id']}/vpcs"
        present = len(self._json("GET", self._vpcs)["vpcs"])
        for _ in range(LISTED - present):
            self.create()

    def create(self) -> str:
        return str(
            self._json("POST", self._vpcs, {"vpc": {"name": f"peer-{next(self._numbers)}", "cidr": "10.0.0.0/16"}})[
                "vpc"
            ]["id"]
        )

    def create_and_delete(self) -> None:
        self._json("DELETE", f"{self._vpcs}/{self.create()}")

    def list(self) -> None:
        assert len(self._json("GET", self._vpcs)["vpcs"]) == LISTED

    def _json(self, method: str, url: str, body: Any = None) -> Any:
        answer = self._session.request(method, url, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


class _Theirs:
    def __init__(self, url: str) -> None:
        self._session, self._url = requests.Session(), url
        self._session.headers["Authorization"] = (
            "AWS4-HMAC-SHA256 Credential=peer/20261123/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=peer"
        )
        self._session.headers["Content-Type"] = "application/x-www-form-urlencoded"
        present = self._call("DescribeVpcs").count("<vpcId>")
        for _ in range(LISTED - present):
            self.create()

    def create(self) -> str:
        answer = self._call("CreateVpc", CidrBlock="10.0.0.0/16")
        return answer.partition("<vpcId>")[2].partition("</vpcId>")[0]

    def create_and_delete(self) -> None:
        self._call("DeleteVpc", VpcId=self.create())

    def list(self) -> None:
        assert self._call("DescribeVpcs").count("<vpcId>") == LISTED

    def _call(self, action: str, **fields: str) -> str:
        answer = self._session.post(self._url, data=urlencode({"Action": action, "Version": "2016-11-15", **fields}))
        answer.raise_for_status()
        return answer.text


def measure(peer: Peer, url: str) -> list[Figure]:
    """Create and delete a network; list all."""
    ours, theirs = _Ours(url), _Theirs(peer.url)
    return [
        in_turns(
            what,
            "calls/s",
            lambda mine=mine, calls=calls: calls / _seconds(mine),  # type: ignore[misc]
            lambda its=its, calls=calls: calls / _seconds(its),  # type: ignore[misc]
            higher_is_better=True,
        )
        for what, calls, mine, its in (
            ("create and delete a VPC over HTTP", 2 * CALLS, ours.create_and_delete, theirs.create_and_delete),
            (f"list {LISTED} VPCs over HTTP", CALLS, ours.list, theirs.list),
        )
    ]


def peak_mib(pid: int) -> float:
    """The most memory a process ever held (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(CALLS):
        call()
    return time.perf_counter() - begun
