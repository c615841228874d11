"""The wheel in a fresh environment, and programs built with what its command line prints (``make test-wheel``)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

from maas_engine._library import FOLDERS
from maas_engine.linear_model import LogisticRegression

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WHEEL = Path(os.environ.get("MAAS_WHEEL", ""))
MOST_BYTES = 8_000_000

pytestmark = pytest.mark.skipif(not WHEEL.is_file(), reason="needs MAAS_WHEEL, the path of a wheel")

PREDICT = """
import sys, maas_engine
rows = [[float(word) for word in line.split()] for line in sys.stdin]
for row in maas_engine.load(sys.argv[1]).predict_proba(rows):
    print(*(format(value, ".17g") for value in row))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing in it but an environment: the wheel and what it asks for."""
    home = tmp_path_factory.mktemp("home")
    venv.create(home / "venv", with_pip=True)
    python(home, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", str(WHEEL.resolve()))
    return home


def run(home: Path, *command: str | Path, stdin: str = "", **variables: str | Path) -> str:
    """What a command prints that runs in `home` and knows nothing of this process's Python."""
    ours = ("PYTHON", "VIRTUAL_ENV", "MAAS_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= {name: str(value) for name, value in variables.items()}
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=300, cwd=home, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(home: Path, *arguments: str | Path, stdin: str = "") -> str:
    return run(home, home / "venv" / "bin" / "python", *arguments, stdin=stdin)


def folder(home: Path, option: str) -> Path:
    return Path(python(home, "-m", "maas_engine", option).removesuffix("\n"))


@pytest.fixture(scope="module")
def classifier(home: Path) -> Path:
    X, y = load_iris(return_X_y=True)
    LogisticRegression().fit(X, y).save(home / "iris.onnx")
    return home / "iris.onnx"


def rows() -> str:
    X, _ = load_iris(return_X_y=True)
    return "\n".join(" ".join(map(repr, row)) for row in X.tolist())


def test_is_small() -> None:
    assert WHEEL.stat().st_size <= MOST_BYTES


def test_holds_the_package_and_the_library_alone() -> None:
    with zipfile.ZipFile(WHEEL) as wheel:
        names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} <= {"maas_engine", "maas_engine.libs"}
    library = [name for name in names if re.match("maas_engine/lib/.*[^/]$", name) and "/cmake/" not in name]
    assert len(library) == 2, library  # libmaas.so of one version, maas.pc
    assert not [name for name in names if name.endswith((".a", ".o", ".cc"))]


@pytest.mark.skipif(shutil.which("ldd") is None, reason="needs ldd")
def test_brings_the_libraries_that_machines_lack(home: Path) -> None:
    folder_of_package = folder(home, "--library-dir").parent
    names = "libhwy", "libsimdjson"
    for path in folder_of_package.rglob("*.so*"):
        for line in run(home, "ldd", path).splitlines():
            if line.strip().startswith(names):
                assert str(home.resolve()) in line, line


def test_names_no_folder_of_the_build(home: Path) -> None:
    for path in folder(home, "--library-dir").rglob("*.*"):
        if path.suffix in (".cmake", ".pc"):
            assert str(EXAMPLES.parent) not in path.read_text()


def test_needs_numpy_alone(home: Path) -> None:
    listed = python(home, "-m", "pip", "--disable-pip-version-check", "list", "--format", "freeze")
    assert {line.split("==")[0] for line in listed.split()} <= {"maas_engine", "numpy", "pip", "setuptools"}


@pytest.mark.parametrize("option", FOLDERS)
def test_command_line_prints_folders(home: Path, option: str) -> None:
    path = folder(home, option)
    assert path.is_dir()
    assert path.is_relative_to((home / "venv").resolve())


@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
def test_cmake_builds_a_program_with_the_bits_of_python(home: Path, classifier: Path) -> None:
    shutil.copytree(EXAMPLES / "embed_cpp", home / "embed_cpp")
    run(home, "cmake", "-S", "embed_cpp", "-B", "cpp", f"-Dmaas_DIR={folder(home, '--cmake-dir')}")
    run(home, "cmake", "--build", "cpp")
    printed = run(home, home / "cpp" / "embed_cpp", classifier, stdin=rows())
    assert printed.replace(" \n", "\n") == python(home, "-c", PREDICT, classifier, stdin=rows())


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="needs pkg-config")
def test_pkg_config_builds_a_program_with_the_bits_of_python(home: Path, classifier: Path) -> None:
    source, program = EXAMPLES / "embed_c" / "main.c", home / "embed_c"
    path = {"PKG_CONFIG_PATH": folder(home, "--pkg-config-dir")}
    options = run(home, "pkg-config", "--cflags", "--libs", "maas", **path).split()
    run(home, "cc", source, "-o", program, *options)
    found = {"LD_LIBRARY_PATH": folder(home, "--library-dir")}
    printed = run(home, program, classifier, stdin=rows(), **found)
    shares = "".join(line.split(" ", 1)[1] for line in printed.splitlines(keepends=True))
    assert shares == python(home, "-c", PREDICT, classifier, stdin=rows())
