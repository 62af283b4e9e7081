"""The peer's side: moto in its own interpreter; reads orders as JSON lines, answers JSON lines."""

from __future__ import annotations

import io
import json
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import boto3
from machines import INPUT, MACHINES
from moto import mock_aws
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
CONFIG = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}


def _client(service: str) -> Any:
    return boto3.client(service, REGION, aws_access_key_id="peer", aws_secret_access_key="peer")


@contextmanager
def executing() -> Iterator[Callable[[str, int], float]]:
    """The executor in memory, without a server; calls are answered in this process."""
    with mock_aws(config=CONFIG):
        iam, steps, functions = _client("iam"), _client("stepfunctions"), _client("lambda")
        role = iam.create_role(RoleName="peer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as file:
            file.writestr("index.py", "def handler(event, context):\n    return event\n")
        functions.create_function(
            FunctionName="task",
            Runtime="python3.11",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
        )
        arns = {
            name: steps.create_state_machine(name=f"m{number}", definition=json.dumps(definition), roleArn=role)[
                "stateMachineArn"
            ]
            for number, (name, (definition, _)) in enumerate(MACHINES.items())
        }

        def run(name: str, runs: int) -> float:
            begun = time.perf_counter()
            started = [_start(steps, arns[name]) for _ in range(runs)]
            for arn in started:
                _to_end(steps, arn)
            return time.perf_counter() - begun

        yield run


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _start(steps: Any, arn: str) -> str:
    started = steps.start_execution(stateMachineArn=arn, name=uuid4().hex, input=json.dumps(INPUT))
    return str(started["executionArn"])


def _to_end(steps: Any, arn: str) -> None:
    while (status := steps.describe_execution(executionArn=arn)["status"]) == "RUNNING":
        time.sleep(0.0005)
    if status != "SUCCEEDED":
        raise SystemExit(f"the peer's run ended {status}")


def main() -> None:
    """Obey until standard input ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with executing() as run:
        _tell(json.dumps({"moto": version("moto"), "url": f"http://{host}:{port}"}))
        for line in sys.stdin:
            order = json.loads(line)
            seconds = run(order["machine"], order["runs"])
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            _tell(json.dumps({"seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main()
