"""Models inside C++ and C programs: the examples, built in clean folders against an installed library."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import maas_engine
from maas_engine import _core, nn
from maas_engine._library import FOLDERS
from maas_engine.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CARGO = shutil.which("cargo") or shutil.which(Path.home() / ".cargo" / "bin" / "cargo")
WARNINGS = "-Wall -Wextra -Wshadow -pedantic -Werror"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="written for Linux"),
    pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake"),
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++"),
]


def start(*command: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=300)


def run(*command: str | Path, stdin: str = "") -> str:
    done = start(*command, stdin=stdin)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass
class Installed:
    """A copy of the library, moved away from where it was installed."""

    root: Path

    @property
    def package(self) -> Path:
        return next(self.root.rglob("maasConfig.cmake")).parent

    @property
    def include(self) -> Path:
        return next(self.root.rglob("maas.h")).parents[1]

    @property
    def library(self) -> Path:
        return next(path for path in self.root.rglob("libmaas.so*") if not path.is_symlink())

    @property
    def headers(self) -> set[str]:
        return {str(path.relative_to(self.include)) for path in self.include.rglob("*.h")}

    def build(self, example: str, folder: Path) -> Path:
        """Build an example by its CMakeLists.txt, in a copy of its folder."""
        shutil.copytree(EXAMPLES / example, folder / example)
        flags = f"-DCMAKE_CXX_FLAGS={WARNINGS}"
        run("cmake", "-S", folder / example, "-B", folder / "build", f"-Dmaas_DIR={self.package}", flags)
        run("cmake", "--build", folder / "build")
        return folder / "build" / example


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    first, moved = (tmp_path_factory.mktemp(name) for name in ("first", "moved"))
    beside = Path(_core.__file__).resolve().parent
    if (beside / FOLDERS["--cmake-dir"]).is_dir():  # of a wheel
        for part in ("include", "lib"):
            shutil.copytree(beside / part, moved / "maas_engine" / part, symlinks=True)
        return Installed(moved)
    caches = [path for path in ROOT.glob("build/*/CMakeCache.txt") if usable(path.read_text())]
    if not caches:
        pytest.skip("no build of the library")
    build = max(caches, key=lambda path: path.stat().st_mtime).parent
    run("cmake", "--build", build, "--target", "maas_shared")
    run("cmake", "--install", build, "--component", "library", "--prefix", first)
    shutil.move(first, moved / "p")
    return Installed(moved)


def usable(cache: str) -> bool:
    on = re.search(r"^MAAS_LIBRARY:BOOL=ON$", cache, re.MULTILINE)
    return on is not None and "MAAS_SANITIZE:STRING=\n" in cache and "SKBUILD" not in cache


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    X, y = load_breast_cancer(return_X_y=True)
    path = tmp_path_factory.mktemp("model") / "cancer.onnx"
    LogisticRegression().fit(X / X.max(axis=0), y).save(path)
    return path


def rows_and_text() -> tuple[np.ndarray, str]:
    X, _ = load_breast_cancer(return_X_y=True)
    X = (X / X.max(axis=0))[:50]
    return X, "\n".join(" ".join(map(repr, row)) for row in X.tolist())


def numbers(printed: str) -> np.ndarray:
    return np.array([[float(word) for word in line.split()] for line in printed.splitlines()])


def test_cpp_example_has_the_bits_of_python(installed: Installed, classifier: Path, tmp_path: Path) -> None:
    X, text = rows_and_text()
    program = installed.build("embed_cpp", tmp_path)
    wanted = maas_engine.load(classifier).predict_proba(X)
    assert numbers(run(program, classifier, stdin=text)).tobytes() == wanted.tobytes()
    refused = start(program, tmp_path / "none.onnx")
    assert refused.returncode == 1
    assert "none.onnx] " in refused.stderr


def test_c_example_has_the_bits_of_python(installed: Installed, classifier: Path, tmp_path: Path) -> None:
    X, text = rows_and_text()
    program = tmp_path / "embed_c"
    options = pkg_config(installed)
    rpath = f"-Wl,-rpath,{installed.library.parent}"
    source = EXAMPLES / "embed_c" / "main.c"
    run("cc", "-std=c11", *WARNINGS.split(), source, "-o", program, *options, rpath)
    printed = numbers(run(program, classifier, stdin=text))
    model = maas_engine.load(classifier)
    assert np.array_equal(printed[:, 0], model.predict(X))
    assert np.ascontiguousarray(printed[:, 1:]).tobytes() == model.predict_proba(X).tobytes()
    refused = start(program, tmp_path / "none.onnx")
    assert refused.returncode == 1
    assert "none.onnx] " in refused.stderr


def pkg_config(installed: Installed) -> list[str]:
    return run(*with_pkg_config(installed), "pkg-config", "--cflags", "--libs", "maas").split()


def with_pkg_config(installed: Installed) -> list[str]:
    """The beginning of a command that lets pkg-config find the library."""
    if shutil.which("pkg-config") is None:
        pytest.skip("needs pkg-config")
    return ["env", f"PKG_CONFIG_PATH={next(installed.root.rglob('maas.pc')).parent}"]


@pytest.mark.skipif(CARGO is None, reason="needs cargo")
def test_rust_example_has_the_bits_of_python(installed: Installed, classifier: Path, tmp_path: Path) -> None:
    X, text = rows_and_text()
    folder = tmp_path / "embed_rust"
    shutil.copytree(EXAMPLES / "embed_rust", folder)
    manifest = f"--manifest-path={folder / 'Cargo.toml'}"
    environment = [*with_pkg_config(installed), "RUSTFLAGS=-Dwarnings"]
    run(*environment, str(CARGO), "build", "--quiet", "--offline", manifest, f"--target-dir={tmp_path}")
    program = tmp_path / "debug" / "embed_rust"
    wanted = maas_engine.load(classifier).predict_proba(X)
    assert numbers(run(program, classifier, stdin=text)).tobytes() == wanted.tobytes()
    refused = start(program, tmp_path / "none.onnx")
    assert refused.returncode == 1
    assert "none.onnx] " in refused.stderr


def test_realtime_example_asks_the_system_for_nothing(installed: Installed, tmp_path: Path) -> None:
    network = nn.Sequential([nn.Input((10,)), nn.Dense(64, activation="relu"), nn.Dense(1)])
    network.save(tmp_path / "network.onnx")
    printed = run(installed.build("embed_realtime", tmp_path), tmp_path / "network.onnx", "300")
    found = dict(re.findall(r"(\S+) (\d+)", printed))
    assert found["ticks"] == "300"
    assert (found["page_faults"], found["allocations"]) == ("0", "0")
    assert 0 < int(found["p50"]) <= int(found["p99"]) <= int(found["max"])


@pytest.mark.parametrize(
    ("header", "compiler"),
    [("maas.h", "g++ -std=c++20"), ("maas_c.h", "gcc -std=c11 -xc"), ("maas_c.h", "g++ -std=c++11")],
)
def test_header_compiles_alone(installed: Installed, header: str, compiler: str, tmp_path: Path) -> None:
    source = tmp_path / "alone.cc"
    source.write_text(f"#include <maas/{header}>\nint main(void) {{ return 0; }}\n")
    run(
        *compiler.split(),
        *WARNINGS.split(),
        "-I",
        installed.include,
        "-c",
        source,
        "-o",
        tmp_path / "alone.o",
    )


def test_installed_headers_are_those_that_are_reached(installed: Installed, tmp_path: Path) -> None:
    source = tmp_path / "both.cc"
    source.write_text("#include <maas/maas.h>\n#include <maas/maas_c.h>\n")
    listed = run("g++", "-std=c++20", "-M", "-I", installed.include, source).replace("\\\n", " ").split()
    reached = {Path(name) for name in listed if name.endswith(".h") or "/" in name}
    ours = {path for path in reached if path.is_relative_to(installed.include)}
    assert {str(path.relative_to(installed.include)) for path in ours} == installed.headers
    others = {str(path) for path in reached - ours}
    assert not [name for name in others if re.search(r"hwy|highway|protozero|pybind|Python", name)]


# What MAAS_API marks: classes whole, functions.
EXPORTED = re.compile(
    r"maas_\w+|maas::(Program|Scratch|Tensor)::.*|maas::Tensor maas::Tensor::of<.*"
    r"|maas::(load_model|role_value|read_onnx|read_onnx_file|compile|check_graph|elements|shape_text|widens)\b.*"
    r"|(vtable|typeinfo|typeinfo name) for maas::Error"
)


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs binutils' nm")
def test_library_exports_what_the_faces_need(installed: Installed) -> None:
    listing = run("nm", "-DC", "--defined-only", installed.library)
    names = {line.split(maxsplit=2)[2] for line in listing.splitlines()}
    assert {name for name in names if not EXPORTED.fullmatch(name)} == set()
    declared = set(re.findall(r"\b(maas_\w+)\(", (ROOT / "cpp/maas/maas_c.h").read_text()))
    assert {name for name in names if name.startswith("maas_")} == declared


UNLOAD = """
import _ctypes, ctypes, sys
library = ctypes.CDLL(sys.argv[1])
_ctypes.dlclose(library._handle)
print(b"libmaas" in open("/proc/self/maps", "rb").read(), library.maas_abi_version())
"""


def test_library_stays_when_a_host_unloads_it(installed: Installed) -> None:
    # Its threads would wake in memory that is no longer there.
    assert run(sys.executable, "-c", UNLOAD, installed.library) == "True 1\n"


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs binutils' nm")
def test_extension_keeps_the_engine_to_itself() -> None:
    # Else a libmaas of another version in the same process could take the place of its functions.
    assert "maas::" not in run("nm", "-DC", "--defined-only", _core.__file__)


def test_page_quotes_the_examples() -> None:
    sources = [path for folder in EXAMPLES.glob("embed_*") for path in folder.glob("main.*")]
    lines = {line.strip() for path in sources for line in path.read_text().splitlines()}
    page = (ROOT / "docs" / "embedding.md").read_text()
    quoted = "".join(re.findall(r"^```c(?:pp)?\n(.*?)^```", page, re.MULTILINE | re.DOTALL)).splitlines()
    assert quoted
    assert [line for line in quoted if line.strip() not in lines] == []


def test_library_needs_no_python(tmp_path: Path) -> None:
    absent = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ("Python", "pybind11")]
    run("cmake", "-S", ROOT, "-B", tmp_path, "-DMAAS_PYTHON=OFF", *absent)


@pytest.mark.parametrize("option", FOLDERS)
def test_command_line_prints_folders(option: str) -> None:
    done = start(sys.executable, "-m", "maas_engine", option)
    folder = Path(_core.__file__).resolve().parent / FOLDERS[option]
    if folder.is_dir():
        assert done.stdout == f"{folder}\n"
    else:  # built inside the source tree
        assert done.returncode == 1
        assert done.stderr.startswith(f"maas-engine: error: [{option}] expected the library in ")
