from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

from cli.deploy import package as packaging
from cli.deploy.package import (
    FORBIDDEN,
    LARGEST,
    build_package,
    check_package,
    digest,
    handlers,
    own_files,
    read_requirements,
    zipped,
)
from cli.deploy.target import Target
from shared.errors import PermanentError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return build_package(Target.EMULATOR, "Python3.12", tmp_path_factory.mktemp("cache"))


def test_the_same_input_gives_the_same_digest(built: bytes, tmp_path: Path):
    assert digest(build_package(Target.EMULATOR, "Python3.12", tmp_path)) == digest(built)
    files = {"b.py": b"b", "a.py": b"a"}
    assert zipped(files) == zipped(dict(reversed(files.items())))
    assert zipped(files) != zipped({**files, "a.py": b"A"})


def test_the_zip_holds_what_handlers_need_and_nothing_else(built: bytes):
    names = zipfile.ZipFile(io.BytesIO(built)).namelist()
    assert len(built) < LARGEST
    assert {f"functions/{name}.py" for name in handlers()} <= set(names)
    assert {"workflow/machines/expose.asl.json", "certifi/cacert.pem"} <= set(names)
    roots = {name.partition("/")[0] for name in names}
    assert not roots & {*FORBIDDEN, "tests"}
    assert not [name for name in names if "__pycache__" in name or ".dist-info" in name or "embedded" in name]


def test_every_handler_is_imported_from_the_zip_alone(built: bytes, tmp_path: Path):
    import_all(sys.executable, built, tmp_path)


@pytest.mark.slow
def test_every_handler_is_imported_by_the_platforms_python_from_the_platforms_zip(tmp_path: Path):
    python = shutil.which("python3.12")
    if python is None or subprocess.run([python, "-V"], capture_output=True, check=False).returncode:
        pytest.skip("there is no Python 3.12 here")
    import_all(python, build_package(Target.OTC, "Python3.12", tmp_path / "cache"), tmp_path / "code")


def import_all(python: str, package: bytes, folder: Path) -> None:
    zipfile.ZipFile(io.BytesIO(package)).extractall(folder)
    script = f"for name in {handlers()}: __import__('functions.' + name).__dict__\n"
    script += "import sys; print(sorted({(m.__file__ or '') for m in sys.modules.values() if hasattr(m, '__file__')}))"
    command = [python, "-S", "-s", "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "site-packages" not in done.stdout
    assert str(ROOT) + "/" not in done.stdout


def test_the_pins_are_those_of_the_tests_and_close_over_what_they_need():
    constraints = dict(
        line.split(" ;")[0].split("==") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    )
    pins = read_requirements()
    assert pins.items() <= constraints.items()
    needed = {
        re.match(r"[\w.-]+", text)[0].lower().replace("_", "-")  # type: ignore[index]
        for name in pins
        for text in requires(name) or ()
        if "extra ==" not in text and "sys_platform" not in text
    }
    assert needed <= pins.keys()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "lacks functions/"),
        ({**own_files(), "rich/__init__.py": b""}, "holds rich"),
        ({**own_files(), "click.py": b""}, "holds click"),
    ],
)
def test_a_zip_that_would_not_do_is_refused(files: dict[str, bytes], why: str):
    with pytest.raises(PermanentError, match=why):
        check_package(zipped(files))


def test_a_zip_beyond_the_budget_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packaging, "LARGEST", 1000)
    with pytest.raises(PermanentError, match="of at most 1000"):
        check_package(zipped(own_files()))


def test_without_pip_it_is_said_what_to_install_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(PermanentError, match="fetched by pip") as raised:
        build_package(Target.OTC, "Python3.12", tmp_path)
    assert "pipx inject" in str(raised.value.data.advice)
    assert list(tmp_path.iterdir()) == []


def test_wheels_are_downloaded_once_for_a_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def download(pins: list[str], _runtime: str, folder: Path) -> None:
        folders.append(folder)
        folder.mkdir(parents=True)
        for number, pin in enumerate(pins):
            files = {f"{pin.partition('==')[0].replace('-', '_')}/__init__.py": pin.encode(), "x.dist-info/R.json": b""}
            (folder / f"{number}.whl").write_bytes(zipped(files))

    folders: list[Path] = []
    monkeypatch.setattr(packaging, "_download", download)
    first = build_package(Target.OTC, "Python3.12", tmp_path)
    assert build_package(Target.OTC, "Python3.12", tmp_path) == first
    assert len(folders) == 1
    build_package(Target.OTC, "Python3.10", tmp_path)
    assert len(set(folders)) == 2
    assert b"pydantic_core" in first
    assert b"dist-info" not in first
