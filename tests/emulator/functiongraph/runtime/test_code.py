"""Where unpacked code is, and for how long."""

import io
import os
import struct
import zipfile

import pytest

from emulator.functiongraph.runtime.code import KEPT, BadCodeError, CodeStore, unpack
from emulator.functiongraph.runtime.process import ProcessRunner
from tests.emulator.functiongraph.runtime.functions import URN, asked, function, said, zipped


def test_functions_with_the_same_code_share_its_folder_and_what_python_compiled_there(runner):
    files = {"shared/words.py": "WORD = 1"}
    source = "from shared import words\ndef handler(event, context): return [words.__file__, words.__cached__]"
    spec, other = (function(source, files=files, urn=urn) for urn in (URN, URN + "-other"))
    (file, cached), again = said(runner.run(spec, asked())), said(runner.run(other, asked()))
    assert again == [file, cached]
    assert os.path.exists(cached)  # noqa: PTH110


def test_of_the_folders_that_nobody_uses_only_the_latest_few_stay(tmp_path):
    store = CodeStore(tmp_path)
    roots = {str(number): store.root(str(number), zipped({"index.py": ""})) for number in range(KEPT + 3)}
    store.root("1", b"not unpacked again")
    store.trim(used={"0"})
    assert {digest for digest, root in roots.items() if root.exists()} == {"0", "1", *list(roots)[-KEPT + 1 :]}


def test_a_program_in_the_zip_can_be_executed_and_is_read_only(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        program = zipfile.ZipInfo("bin/tool")
        program.external_attr = 0o755 << 16
        archive.writestr(program, "#!/bin/sh")
        archive.writestr("index.py", "")
    unpack(packed.getvalue(), tmp_path / "code")
    modes = {name: (tmp_path / "code" / name).stat().st_mode & 0o777 for name in ("bin", "bin/tool", "index.py")}
    assert modes == {"bin": 0o555, "bin/tool": 0o555, "index.py": 0o444}


def announcing(size):
    """Make a zip whose directory says that its one file has `size` bytes."""
    code = bytearray(zipped({"index.py": ""}))
    struct.pack_into("<I", code, code.index(b"PK\x01\x02") + 24, size)
    return bytes(code)


@pytest.mark.parametrize(
    ("code", "message"), [(b"", "cannot be unpacked"), (announcing(1 << 31), "larger than 1.5 GB")]
)
def test_what_the_platform_would_not_unpack_leaves_nothing(tmp_path, code, message):
    with pytest.raises(BadCodeError, match=message):
        CodeStore(tmp_path).root("digest", code)
    assert list(tmp_path.iterdir()) == []


def test_a_runner_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runner = ProcessRunner()
    spec = function("""
        import os
        def handler(event, context):
            os.makedirs(os.environ["TMPDIR"] + "/a/b")
            os.chmod(os.environ["TMPDIR"] + "/a", 0o555)
    """)
    assert runner.run(spec, asked()).error_code == 0
    assert list(tmp_path.iterdir())
    runner.close()
    assert list(tmp_path.iterdir()) == []
