"""The one zip of all functions: our own packages and the libraries they import; same input, same bytes."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from hashlib import sha256, sha512
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from cli.deploy.actions import OWN
from cli.deploy.target import Target
from shared.errors import ErrorCode, PermanentError

LARGEST = 10_000_000
"""Bytes that a zip may have: what the platform loads at a cold start."""
FORBIDDEN = ("cli", "emulator", "tests", "openstack", "keystoneauth1", "dbos", "sqlalchemy", "click", "yaml", "rich")
"""Packages that no handler may need."""

# What only the command line uses.
_LEFT_OUT = ("workflow/engines/embedded/", "workflow/engines/virtual.py")
_KINDS = (".py", ".json", ".so", ".pem")
_WHEELS = {"platform": "manylinux2014_x86_64", "implementation": "cp"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


def build_package(target: Target, runtime: str, cache: Path) -> bytes:
    """The zip for a target; for the platform it holds wheels for the runtime, such as `Python3.12`.

    On the emulator the libraries are those of this interpreter, which runs them there.

    Raises:
        PermanentError: `InvalidRequest`, a library is not to be had, or the zip is not as it should be.
    """
    requirements = read_requirements()
    libraries = _installed(requirements) if target is Target.EMULATOR else _downloaded(requirements, runtime, cache)
    package = zipped({**own_files(), **libraries})
    check_package(package)
    return package


def digest(package: bytes) -> str:
    """How the platform names the code."""
    return sha512(package).hexdigest()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip that depends on names and contents only."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, _MODE, 3
            archive.writestr(info, files[name])
    return buffer.getvalue()


def check_package(package: bytes) -> None:
    """Refuse a zip that is too large, lacks a handler, or holds what no handler may need.

    Raises:
        PermanentError: `InvalidRequest`, naming what is wrong.
    """
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        names = set(archive.namelist())
    roots = {name.partition("/")[0].removesuffix(".py") for name in names}
    missing = [name for name in (f"functions/{each}.py" for each in handlers()) if name not in names]
    forbidden = sorted(roots & set(FORBIDDEN))
    for wrong, why in (
        (missing, f"lacks {', '.join(missing)}"),
        (forbidden, f"holds {', '.join(forbidden)}"),
        (len(package) > LARGEST, f"has {len(package)} bytes of at most {LARGEST}"),
    ):
        if wrong:
            raise _refused(f"The zip {why}.", "code_uri", "Correct what is packed.")


def handlers() -> list[str]:
    """The handlers' modules."""
    return sorted(path.stem for path in _root("functions").glob("*.py") if path.stem != "__init__")


def own_files() -> dict[str, bytes]:
    """Our own packages, as far as handlers need them."""
    found = {}
    for package in OWN:
        root = _root(package)
        for path in root.rglob("*"):
            name = path.relative_to(root.parent).as_posix()
            if path.suffix in _KINDS and "__pycache__" not in path.parts and not name.startswith(_LEFT_OUT):
                found[name] = path.read_bytes()
    return found


def read_requirements() -> dict[str, str]:
    """The libraries a handler needs, each with its version."""
    lines = (_root("functions") / "requirements.txt").read_text("utf-8").splitlines()
    pins = (line.partition("==") for line in lines if line and not line.startswith("#"))
    return {name: version for name, _, version in pins}


def _root(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def _installed(requirements: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the libraries as they are installed here."""
    found: dict[str, bytes] = {}
    for name in requirements:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            raise _refused(f"The library {name} is not installed.", name, "Install dcs-public-access again.") from None
        paths = {str(path): Path(str(path.locate())) for path in installed.files or ()}
        found |= {each: path.read_bytes() for each, path in paths.items() if _packed(each) and path.exists()}
    return found


def _downloaded(requirements: Mapping[str, str], runtime: str, cache: Path) -> dict[str, bytes]:
    """The files of the libraries' wheels for a runtime, downloaded once."""
    pins = [f"{name}=={version}" for name, version in sorted(requirements.items())]
    folder = cache / sha256("\n".join([runtime, *_WHEELS.values(), *pins]).encode()).hexdigest()[:16]
    if len(list(folder.glob("*.whl"))) < len(pins):
        _download(pins, runtime, folder)
    found: dict[str, bytes] = {}
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            found |= {name: archive.read(name) for name in archive.namelist() if _packed(name)}
    return found


def _download(pins: Iterable[str], runtime: str, folder: Path) -> None:
    # Who packs the command line may leave it out, since nothing imports it.
    if find_spec("pip") is None:
        message = "The wheels for the platform are fetched by pip, which is not installed beside dcs-access."
        advice = "Install it there: `python -m ensurepip`, `pipx inject dcs-public-access pip`, or as your tool does."
        raise _refused(message, "pip", advice)
    version = runtime.removeprefix("Python").replace(".", "")
    options = [f"--{name}={value}" for name, value in {**_WHEELS, "python-version": version}.items()]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603  # our own interpreter, our own pins
        [*command, "--only-binary=:all:", *options, f"--dest={folder}", *pins],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["pip says no more"])[-1]
        raise _refused(f"The wheels for {runtime} are not to be had: {why}", "runtime", "Check network and runtime.")


def _packed(name: str) -> bool:
    """Whether a file of a library is needed to import it."""
    parts = name.split("/")
    outside = parts[0] in {"..", "bin"} or parts[0].endswith((".dist-info", ".data"))
    return name.endswith(_KINDS) and not outside and "__pycache__" not in parts and "tests" not in parts


def _refused(message: str, field: str, advice: str) -> PermanentError:
    return PermanentError(ErrorCode.INVALID_REQUEST, message, field=field, advice=advice)
