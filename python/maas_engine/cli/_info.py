"""The command ``info``: what this installation is and what it runs on."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import maas_engine

PACKAGES = ("numpy", "scikit-learn", "pyarrow", "pandas", "polars", "matplotlib", "onnxruntime", "cupy")


def info() -> dict[str, Any]:
    """Return facts by name."""
    return {
        "maas_engine": maas_engine.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **maas_engine.cpu_info(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
