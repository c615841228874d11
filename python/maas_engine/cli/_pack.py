"""What ``train --package`` writes beside the model: where it comes from, its parameters and its figures."""

from __future__ import annotations

import hashlib
import io
import shlex
import sys
from pathlib import Path
from typing import Any

from maas_engine.cli._columns import feeds
from maas_engine.cli._report import finite
from maas_engine.errors import InvalidArgument


def check(folder: str) -> None:
    """Refuse, before anything is trained, a folder that cannot be made."""
    path = Path(folder)
    if path.exists() or path.is_symlink():
        raise InvalidArgument(f"--package: {folder} exists: expected the name of a new folder")
    if not path.resolve().parent.is_dir():
        raise InvalidArgument(f"--package: no such folder: {path.resolve().parent}")


def source(data: str) -> tuple[Any, dict[str, str]]:
    """What to read a command's DATA from, and where it comes from: its name and its sha256."""
    if data == "-":
        content = sys.stdin.buffer.read()
        return io.BytesIO(content), {
            "data": "standard input",
            "data_sha256": hashlib.sha256(content).hexdigest(),
        }
    path = Path(data)
    if not path.is_file():  # what reads the table says what is wrong
        return data, {}
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return data, {"data": path.name, "data_sha256": digest.hexdigest()}


def write(model: Any, rows: Any, result: dict[str, Any], origin: dict[str, str], seed: int) -> str:
    """Write the package of a trained model and return its digest.

    Parameters
    ----------
    rows : the table's rows that the model was trained on
    result : of `maas_engine.cli._train.train`; its key "package" names the folder
    origin : see `source`
    """
    from maas_engine import package

    return package.write(
        model,
        result["package"],
        X_reference=reference(model, rows),
        name=Path(result["package"]).resolve().name,
        metrics={name: item["value"] for name, item in result["hold_out"].items()},
        parameters=finite({"estimator": result["model"], "target": result["target"], **result["parameters"]}),
        lineage={**origin, "seed": str(seed), "command": shlex.join(["maas-engine", *sys.argv[1:]])},
    ).digest


def reference(model: Any, table: Any) -> Any:
    """A table's columns as the model takes them."""
    given = feeds(model, table)
    return next(iter(given.values())) if len(given) == 1 else given
