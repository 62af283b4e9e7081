"""Functions of a few lines, zipped as a user would."""

import hashlib
import io
import json
import textwrap
import zipfile

from emulator.functiongraph.runtime.spec import FunctionSpec, Invocation

URN = "urn:fss:eu-de:project:function:default:probe"


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, textwrap.dedent(text))
    return packed.getvalue()


def function(source="", *, files=None, code=None, **fields):
    code = zipped({"index.py": source, **(files or {})}) if code is None else code
    given = {
        "urn": URN,
        "name": "probe",
        "version": "latest",
        "package": "default",
        "project_id": "project",
        "region": "eu-de",
        "runtime": "Python3.12",
        "handler": "index.handler",
        "initializer_handler": "",
        "initializer_timeout": 1,
        "timeout": 10,
        "memory_size": 128,
        "user_data": {},
        "code_digest": hashlib.sha512(code).hexdigest(),
        "code": code,
    }
    return FunctionSpec(**{**given, **fields})


def answers(expression, **fields):
    """Make a function whose handler answers with an expression over `event` and `context`."""
    return function(f"def handler(event, context):\n    return {expression}\n", **fields)


def asked(event=None, **fields):
    return Invocation(**{"request_id": "request-1", "event": json.dumps(event).encode(), **fields})


def said(result):
    return json.loads(result.body)
