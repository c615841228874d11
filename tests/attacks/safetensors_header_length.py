"""Headers that claim more bytes than a file has, or than anyone needs: nothing is allocated for a claim."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attacks.attack import Attack, safetensors

Weights = partial(Attack, kind="safetensors")


def attacks(folder: Path) -> Iterator[Attack]:
    for claim in (2**63, 2**64 - 1, 2**64 - 8, 2**32, 2**24 + 1):
        yield Weights(f"claims {claim}", safetensors({}, length=claim), "FormatError", f"claims {claim}")
    yield Weights("claims 3", safetensors({}, length=3), "FormatError", "inside the file")
    yield Weights("none", safetensors(b""), "FormatError", "begins with")
    path = folder / "sparse.safetensors"
    with path.open("wb") as file:  # all of it is on the disk, as a hole
        file.write((10**11).to_bytes(8, "little"))
        file.truncate(10**11 + 8)
    yield Weights("a hundred gigabytes", path, "FormatError", "claims 100000000000")
    yield Weights("a folder", folder, "FormatError", "an ordinary file")
    os.mkfifo(folder / "pipe.safetensors")  # nobody writes to it
    yield Weights("a pipe", folder / "pipe.safetensors", "FormatError", "an ordinary file")
