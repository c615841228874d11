"""A server under everything at once: every answer right, memory level. `make soak` for 10 minutes, else for seconds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from mixed_load import MixedLoad
from plain_client import until
from served import mlp
from serving_process import ServingProcess
from small_certificates import issue

from maas_engine import Model

pytest.importorskip("starlette")
pytest.importorskip("sqlalchemy")

SECONDS = float(os.environ.get("MAAS_SOAK_SECONDS", "6"))
MEGABYTE = 1 << 20
KINDS = 12


def registered(folder: Path, models: list[Model]) -> str:
    """A registry with the models as versions of m; returns its place."""
    from maas_engine.registry import Registry

    place = str(folder / "registry")
    with Registry(place) as registry:
        for i, model in enumerate(models):
            model.package(folder / f"p{i}")
            registry.register("m", folder / f"p{i}")
        registry.set_alias("m", "champion", 1)
    return place


def certificate(folder: Path) -> list[str]:
    made = issue("localhost")
    (folder / "cert.pem").write_bytes(made.pem)
    key = made.write_key(folder / "key.pem")
    return ["--tls-cert", str(folder / "cert.pem"), "--tls-key", str(key)]


def settled(server: ServingProcess) -> int:
    """Memory once nothing is asked and what was freed had its seconds to go."""
    sizes = [server.memory()]
    until(lambda: (time.sleep(0.5), sizes.append(server.memory()), len(sizes) > 6)[-1])
    return min(sizes)


def test_level_under_everything_at_once(tmp_path: Path) -> None:
    from maas_engine.registry import Registry

    models = [mlp(np.float32, seed=seed) for seed in (1, 2)]
    place = registered(tmp_path, models)
    models[0].save(tmp_path / "m.onnx")
    plain = [
        "--model",
        "m=models:/m@champion",
        "--model",
        f"other={tmp_path / 'm.onnx'}",
        "--registry",
        place,
    ]
    more = ["--tcp-port", "0", "--threads", "2", "--keep", "1"]
    environment = {"MAAS_CACHE": str(tmp_path / "cache")}
    over_tls = ["--model", f"m={tmp_path / 'm.onnx'}", "--threads", "1", *certificate(tmp_path)]
    with (
        ServingProcess(*plain, *more, environment=environment) as server,
        ServingProcess(*over_tls) as tls,
        Registry(place) as registry,
    ):
        server.wait_for("ready")
        tls.wait_for("ready")
        at_first = [server.memory(), tls.memory()]
        samples: list[list[int]] = []
        with MixedLoad((server.port, server.tcp_port, tls.port), models) as load:
            end = time.monotonic() + SECONDS
            moves = 0
            while not load.wrong and (time.monotonic() < end or len(load.done) < KINDS or moves < 2):
                moves += 1
                registry.set_alias("m", "champion", 1 + moves % 2)
                for _ in range(2):
                    time.sleep(1.0)
                    samples.append([server.memory(), tls.memory()])
        assert load.wrong == []
        after = [settled(server), settled(tls)]
        levels = np.array(samples) / MEGABYTE
        half, quarter = len(levels) // 2, len(levels) // 4
        before_last = np.median(levels[half : half + quarter], axis=0) if quarter else levels[-1]
        last = np.median(levels[half + quarter :], axis=0)
        print(
            f"\n{sum(load.done.values())} exchanges, {moves} moves of the alias; MB of memory (HTTP and raw, HTTPS): "
            f"{np.array(at_first) / MEGABYTE} at first, {before_last} in the third quarter, {last} in the last, "
            f"{levels.max(axis=0)} at most, {np.array(after) / MEGABYTE} after it"
        )
        print(dict(load.done))
        assert set(load.done) >= {"json", "frames", "tls", "bad_request", "dropped"}
        if SECONDS >= 60:  # else it still warms up
            assert (last - before_last < np.maximum(5.0, 0.05 * before_last)).all(), (before_last, last)
        assert (np.array(after) - at_first < 40 * MEGABYTE).all(), (at_first, after)
        assert server.end() == 0
        assert tls.end() == 0
