"""Tries every attack under a bound of memory, in one process, and prints a line of JSON for each."""

from __future__ import annotations

import importlib
import json
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attacks.attack import Attack
from maas_engine import _core, _safetensors
from maas_engine.errors import MaasError
from maas_engine.package import Policy, open_package

ALLOWANCE = 2**30  # bytes that reading and compiling may take at once, beside the attack's own


def modules() -> list[str]:
    return sorted(
        path.stem
        for path in Path(__file__).parent.glob("*.py")
        if path.stem not in ("__init__", "__main__", "attack", "packages")
    )


def bound_memory() -> None:
    found = re.search(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    limit = int(found[1]) * 1024 + ALLOWANCE
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def outcome(attack: Attack) -> tuple[str | None, str]:
    """The error's class and text; None and nothing where the model was read and compiled."""
    try:
        if attack.kind == "safetensors":
            _safetensors.read(attack.content)
            return None, ""
        if attack.kind == "package":
            assert isinstance(attack.content, Path)
            open_package(attack.content, Policy(), attack.digest)
            return None, ""
        if isinstance(attack.content, Path):
            graph = _core.read_onnx_file(str(attack.content))
        else:
            graph = _core.read_onnx(attack.content)
        program = _core.Program(graph, [], True)
        program.describe()
    except (MaasError, MemoryError, OSError) as error:
        return type(error).__name__, str(error)
    return None, ""


def tried(name: str, folder: Path) -> Iterator[dict[str, Any]]:
    for attack in importlib.import_module(f"attacks.{name}").attacks(folder):
        started = time.process_time()
        error, text = outcome(attack)
        seconds = time.process_time() - started
        expected = {"expected": attack.error, "words": attack.words}
        yield {
            "idea": name,
            "attack": attack.name,
            "error": error,
            "text": text,
            "seconds": seconds,
            **expected,
        }


def main() -> None:
    for name in modules():
        importlib.import_module(f"attacks.{name}")
    bound_memory()
    for name in sys.argv[1:] or modules():
        with tempfile.TemporaryDirectory() as folder:
            for result in tried(name, Path(folder)):
                print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
