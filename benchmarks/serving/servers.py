"""How each server is started: its packages, in an environment of its own since they clash, and its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PORT = 18080
PATIENCE = 60.0  # seconds until a server answers


@dataclass(frozen=True)
class Server:
    """A peer. ``command`` follows the environment's python; {port} and {work} are filled in."""

    name: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


UVICORN = (
    "-m",
    "uvicorn",
    "--host",
    "127.0.0.1",
    "--port",
    "{port}",
    "--no-access-log",
    "--log-level",
    "error",
)
MOSEC = ("mosec_.py", "--address", "127.0.0.1", "--port", "{port}", "--log-level", "error")
MLSERVER = "from mlserver.cli import main; main()"
SERVERS = {
    "ours": Server("maas_engine", (), ("ours.py",)),
    "asgi": Server("bare ASGI", ("uvicorn[standard]", "orjson"), (*UVICORN, "asgi:app")),
    "fastapi": Server("FastAPI", ("uvicorn[standard]", "fastapi", "orjson"), (*UVICORN, "fastapi_:app")),
    "mosec": Server("mosec", ("mosec", "orjson"), MOSEC),
    "mlserver": Server("MLServer", ("mlserver",), ("-c", MLSERVER, "start", "{work}")),
    "kserve": Server("KServe", ("kserve",), ("kserve_.py", "--http_port", "{port}", "--enable_grpc", "False")),
    "pytriton": Server("Triton (pytriton)", ("nvidia-pytriton",), ("pytriton_.py",)),
}  # fmt: skip


def python_of(key: str, folder: Path) -> Path:
    """The interpreter that has a server's packages; installs them the first time."""
    if not SERVERS[key].packages:
        return Path(sys.executable)
    place = folder / key
    python = place / "bin" / "python"
    if not (place / "installed").exists():
        venv.create(place, with_pip=True)
        packages = [*SERVERS[key].packages, "onnxruntime"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (place / "installed").touch()
    return python


def write_settings(work: Path) -> None:
    """What MLServer wants to find in a folder."""
    settings = {"host": "127.0.0.1", "http_port": PORT, "grpc_port": PORT + 1, "metrics_port": PORT + 2}
    settings |= {"parallel_workers": 0, "debug": False}
    (work / "settings.json").write_text(json.dumps(settings))
    for name in ("small", "wide"):
        (work / name).mkdir(exist_ok=True)
        model = {"name": name, "implementation": "mlserver_.Onnx"}
        (work / name / "model-settings.json").write_text(json.dumps(model))


def answers(body: bytes, name: str) -> dict[str, Any] | None:
    """The answer to one request, or None where there is none yet."""
    url = f"http://127.0.0.1:{PORT}/v2/models/{name}/infer"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return dict(json.loads(reply.read()))
    except (OSError, urllib.error.URLError, ValueError):
        return None


def resident(pid: int) -> int:
    """Bytes in memory of a process and all below it; what several share counts for each."""
    total, pids = 0, [pid]
    while pids:
        each = pids.pop()
        try:
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            total += 1024 * int(rollup.split("Rss:")[1].split()[0])
            pids += map(int, Path(f"/proc/{each}/task/{each}/children").read_text().split())
        except OSError:
            continue
    return total


@contextmanager
def running(key: str, environments: Path, models: Path, work: Path, body: bytes) -> Any:
    """A server that answers: gives its process id and the seconds until its first answer."""
    server = SERVERS[key]
    write_settings(work)
    command = [part.format(port=PORT, work=work) for part in server.command]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "MAAS_"))}
    env |= {"MODELS": str(models), "PORT": str(PORT), "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = os.pathsep.join(
        [str(HERE / "peers"), *filter(None, [env.get("PYTHONPATH") if key == "ours" else None])]
    )
    with open(work / f"{key}.log", "wb") as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            [python_of(key, environments), *command],
            cwd=HERE / "peers",
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        while answers(body, "small") is None:
            if process.poll() is not None or time.perf_counter() - start > PATIENCE:
                tail = (work / f"{key}.log").read_text(errors="replace").strip().splitlines()[-1:]
                raise RuntimeError(f"{server.name} does not answer: {''.join(tail)}")
            time.sleep(0.005)
        yield process.pid, time.perf_counter() - start
    finally:
        for signal in (15, 9):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
                break
