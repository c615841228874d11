"""What the package promises about itself: a light import, no libm in the sums, the extras it names."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import maas_engine
from maas_engine import _core

ROOT = Path(__file__).resolve().parents[2]

# Different libm builds round these differently, so results would depend on the machine.
TRANSCENDENTAL = re.compile(
    r"^(exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|tanh|sinh|cosh|sin|cos|tan|erf|erfc|cbrt|hypot|l?gamma)[fl]?$"
)


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def imported_packages(module: str) -> set[str]:
    """Top-level packages outside the standard library that `import module` loads."""
    code = (
        "import sys; before = set(sys.modules)\n"
        f"import {module}\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*(names - sys.stdlib_module_names))"
    )
    return {name for name in run_python(code).split() if not name.startswith("_")}


def test_import_loads_numpy_and_the_extension_only() -> None:
    assert imported_packages("maas_engine") <= {"maas_engine", "numpy"}
    assert run_python("import sys, maas_engine; print('maas_engine.nn' in sys.modules)").split() == ["False"]


def test_metrics_do_not_need_scikit_learn() -> None:
    pytest.importorskip("maas_engine.metrics")
    assert imported_packages("maas_engine.metrics") <= {"maas_engine", "numpy"}


def test_networks_need_numpy_only() -> None:
    assert imported_packages("maas_engine.nn") <= {"maas_engine", "numpy"}


def test_import_prints_nothing() -> None:
    assert run_python("import maas_engine") == ""


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs binutils' nm")
def test_extension_calls_no_transcendental_of_libm() -> None:
    listing = subprocess.run(
        ["nm", "-D", "--undefined-only", _core.__file__], capture_output=True, text=True, check=True
    ).stdout
    symbols = {line.split()[-1].partition("@")[0] for line in listing.splitlines()}
    assert not {symbol for symbol in symbols if TRANSCENDENTAL.match(symbol)}


def test_version_is_pyprojects() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    match = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
    assert match is not None
    assert maas_engine.__version__ == match[1]


def test_extras_are_the_documented_ones() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    section = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    extras = set(re.findall(r"^(\w+) = ", section, re.MULTILINE))
    assert extras == {
        "train", "plot", "onnx", "serve", "registry", "postgresql", "s3", "gpu", "ray", "all",
    }  # fmt: skip
    readme = (ROOT / "README.md").read_text()
    assert {extra for extra in extras if f"`{extra}`" not in readme} == set()


def test_engine_neither_prints_nor_aborts() -> None:
    subprocess.run([ROOT / "tools" / "no_printing.sh"], check=True)
