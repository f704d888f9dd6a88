"""The files of examples/Dockerfile's image, collected with the tools of the system replaced by small ones."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "image_root.sh"


@pytest.mark.skipif(os.name == "nt", reason="a script of a POSIX shell")
@pytest.mark.parametrize("target", ["image", "new/image", "{folder}/image"])
def test_the_target_may_be_relative(tmp_path, target):
    tools, prefix, packages = tmp_path / "tools", tmp_path / "prefix", tmp_path / "packages"
    for folder in (tools, prefix / "lib" / "test", packages / "lamina" / "tests", packages / "scipy"):
        folder.mkdir(parents=True)
    for path in (prefix / "python", prefix / "lib" / "os.py", packages / "lamina" / "core.py"):
        path.touch()
    answers = f'case "$2" in *executable*) echo {prefix}/python;; *stdlib*) echo {prefix}/lib;; *) echo {prefix};; esac'
    for name, script in {"python3": answers, "strip": "", "ldd": "", "ldconfig": ""}.items():
        tool = tools / name
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
    command = ["sh", SCRIPT, "packages", target.format(folder=tmp_path)]
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PATH": path}, check=True)
    image = tmp_path / target.format(folder=tmp_path)
    files = {str(file.relative_to(image)) for file in image.rglob("*") if file.is_file()}
    inside = str(prefix).lstrip("/")
    assert files == {
        "packages/lamina/core.py",
        "etc/passwd",
        "etc/ld.so.conf",
        f"{inside}/lib/os.py",
        f"{inside}/bin/python3",
    }
