"""The rooms of the engine: who may include whom, which library belongs where, how large a file may grow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CPP = ROOT / "cpp"

# A room may include itself and these.
MAY_INCLUDE = {
    "base": set(),
    "kernels": {"base"},
    "linear": {"base", "kernels"},
    "metrics": {"base", "kernels"},
    "graph": {"base"},
    "onnx": {"base", "graph"},
    "program": {"base", "kernels", "graph"},
    "nn": {"base", "kernels", "graph", "program"},
    "wire": {"base"},
    "serve": {"base", "graph", "onnx", "program", "metrics", "wire"},
    "": {"base", "graph", "onnx", "program"},  # the public faces, files of cpp/maas itself; in no room
}
FACES = {"maas.h", "maas.cc", "maas_c.h", "maas_c.cc"}

# Headers that only some folders may include.
ONLY_IN = {
    r"hwy/": {"maas/kernels"},
    r"pybind11/|Python\.h": {"bindings", "bindings/serve"},
    r"cuda_runtime": {"maas/cuda"},
    r"boost/": {"maas/wire", "maas/serve"},
    r"protozero/": {"maas/onnx"},
    r"openssl/|sys/socket\.h": {"maas/serve"},
    r"simdjson|zlib\.h": {"maas/wire"},
}

LONGEST_FILE = 400
ONE_MODULE = "_core.pyi"  # a stub lists its whole module

SOURCES = sorted(path for suffix in ("*.h", "*.cc") for path in CPP.rglob(suffix))
WRITTEN = sorted(
    path
    for folder in ("cpp", "python", "tests", "benchmarks", "examples", "tools")
    for suffix in ("*.h", "*.cc", "*.py", "*.sh")  # a stub is as long as the module it describes
    for path in (ROOT / folder).rglob(suffix)
    if path.name != ONE_MODULE
)


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', path.read_text(), re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_room_is_in_the_table() -> None:
    rooms = {path.name for path in (CPP / "maas").iterdir() if path.is_dir()}
    assert rooms <= set(MAY_INCLUDE)
    assert {path.name for path in (CPP / "maas").iterdir() if path.is_file()} == FACES


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_includes(path: Path) -> None:
    folder = path.parent.relative_to(CPP)
    for include in includes(path):
        for pattern, allowed in ONLY_IN.items():
            assert not re.match(pattern, include) or str(folder) in allowed, include
        if folder.parts[0] != "maas":
            continue
        room = folder.parts[1] if len(folder.parts) > 1 else ""
        assert not include.startswith("bindings/"), include
        if include.startswith("maas/"):
            other = include.split("/")[1]
            if other in FACES:
                assert room == "", include
                continue
            assert other == room or other in MAY_INCLUDE[room], include


@pytest.mark.parametrize("path", WRITTEN, ids=name)
def test_file_length(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".h"], ids=name)
def test_header_says_what_it_is_for(path: Path) -> None:
    assert path.read_text().startswith("/*" if path.name == "maas_c.h" else "//")


@pytest.mark.parametrize("path", sorted((CPP / "bindings").glob("*.cc")), ids=name)
def test_bindings_release_the_gil_through_engine_call(path: Path) -> None:
    # EngineCall also sets the floating-point word, without which result bits depend on the caller's.
    assert "gil_scoped_release" not in path.read_text()


def defined_types(text: str) -> list[str]:
    """The types that a header defines at its top, with their namespaces; those inside templates' bodies and the like
    are indented."""
    spaces: list[str] = []
    found = []
    for line in text.splitlines():
        if space := re.match(r"(?:inline )?namespace ([\w:]+) \{", line):
            spaces.append(space[1])
        elif line.startswith("}  // namespace"):
            spaces.pop()
        elif kind := re.match(
            r"(?:class|struct|union|enum(?: class)?) (?:MAAS_API )?(\w+)\b(?!::|<)[^;(]*\{", line
        ):
            found.append("::".join([*spaces, kind[1]]))
    return found


def test_no_type_has_two_definitions() -> None:
    # The linker keeps one of two inline destructors of a name, and lets it destroy the other type's objects.
    where: dict[str, list[str]] = {}
    for path in SOURCES:
        if path.suffix == ".h":
            for found in defined_types(path.read_text()):
                where.setdefault(found, []).append(name(path))
    assert len(where) > 200
    assert {found: paths for found, paths in where.items() if len(paths) > 1} == {}
