"""The environment that the platform presets, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from emulator.functiongraph.runtime.spec import MAX_RESPONSE, FunctionSpec


def millicores(memory_size: int) -> int:
    """Return the share of a processor, in thousandths, that goes with a memory size in MB."""
    return memory_size * 100 // 128 + 200


def preset(spec: FunctionSpec, code_root: Path, temporary: Path) -> dict[str, str]:
    """Return the variables of an instance (FunctionGraph user manual: configuring environment variables).

    `RUNTIME_CODE_ROOT` and `TMPDIR` name the instance's own folders, where the platform has `/opt/function/code` and
    `/tmp`.
    """
    return {
        "RUNTIME_PROJECT_ID": spec.project_id,
        "RUNTIME_FUNC_NAME": spec.name,
        "RUNTIME_FUNC_VERSION": spec.version,
        "RUNTIME_PACKAGE": spec.package,
        "RUNTIME_HANDLER": spec.handler,
        "RUNTIME_TIMEOUT": str(spec.timeout),
        "RUNTIME_USERDATA": json.dumps(dict(spec.user_data)),
        "RUNTIME_CPU": str(millicores(spec.memory_size)),
        "RUNTIME_MEMORY": str(spec.memory_size),
        "RUNTIME_MAX_RESP_BODY_SIZE": str(MAX_RESPONSE),
        "RUNTIME_INITIALIZER_HANDLER": spec.initializer_handler,
        "RUNTIME_INITIALIZER_TIMEOUT": str(spec.initializer_timeout),
        "RUNTIME_ROOT": "/home/snuser/runtime",
        "RUNTIME_CODE_ROOT": str(code_root),
        "RUNTIME_LOG_DIR": "/home/snuser/log",
        "TMPDIR": str(temporary),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
