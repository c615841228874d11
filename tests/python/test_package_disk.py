"""Packages and the disk: full, failing, or the process killed while one is written; files changed by an expert."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attacks.packages import LISTED, edit, reseal, small_model, small_package
from small_models import rows

import maas_engine
from maas_engine.errors import FormatError, InvalidArgument, MaasError, NotFound
from maas_engine.package import Policy, _write, open_package
from maas_engine.package._folder import Folder

STEPS = 10  # more than a package is written in: four files, two folders, a rename, their flushing


@pytest.mark.parametrize("call", ["fsync", "rename", "mkdir", "write"])
def test_a_disk_that_fails_at_any_step_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    if call == "write":
        module, name = _write, "write_new"
    else:
        module, name = os, call
    real = getattr(module, name)
    failures = 0
    for step in range(STEPS):
        count = 0

        def failing(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == step + 1:  # noqa: B023
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        with monkeypatch.context() as context:
            context.setattr(module, name, failing)
            try:
                small_model().package(tmp_path / str(step))
            except OSError as error:
                failures += 1
                assert error.errno == errno.ENOSPC  # noqa: PT017
                # The last flush is of the name itself: the package is whole by then.
                left = [path.name for path in tmp_path.iterdir() if path.name.endswith(str(step))]
                assert left in ([], [str(step)] if (call, step) == ("fsync", 5) else [])
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert failures == {"fsync": 6, "rename": 1, "mkdir": 1, "write": 4}[call]
    for path in tmp_path.iterdir():
        open_package(path, Policy())


FULL = """
import resource, signal, sys
import numpy as np
from pathlib import Path
from attacks.packages import small_package
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
sizes = sorted({path.stat().st_size for path in Path(sys.argv[2]).iterdir()})
for limit in sorted({0, 1, *(size - 1 for size in sizes), *sizes}):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        small_package(folder / str(limit))
        print("written", limit)
    except OSError as error:
        print("refused", limit)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
"""


def test_a_disk_that_is_full_at_any_byte_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    small_package(tmp_path / "p")
    lines = _run(FULL, tmp_path / "full", tmp_path / "p").splitlines()
    largest = max(path.stat().st_size for path in (tmp_path / "p").iterdir())
    assert lines[-1] == f"written {largest}"
    assert all(line.startswith("refused") for line in lines[:-1])
    assert len(lines) > 8
    assert [path.name for path in (tmp_path / "full").iterdir()] == [str(largest)]


KILLED = """
import os, signal, sys
from pathlib import Path
from attacks.packages import small_model
folder, model = Path(sys.argv[1]), small_model()
model.package(folder / "first")
for step in range(1000):
    child = os.fork()
    if child == 0:
        done = 0
        def hook(event, args):
            global done
            if event in ("open", "os.mkdir", "os.rename", "os.listdir", "os.scandir"):
                done += 1
                if done > step:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        model.package(folder / f"p{step}")
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(step)
"""


def test_a_process_killed_at_any_step_leaves_a_whole_package_or_none(tmp_path: Path) -> None:
    steps = int(_run(KILLED, tmp_path))
    assert steps >= 7
    found = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    for path in found:
        assert open_package(path, Policy()).model().predict(np.float32([[2.0]])).tolist() == [[3.0]]
    assert {path.name for path in found} >= {"first", f"p{steps}"}
    assert len(found) < steps
    # A name that a killed process began is free.
    small_model().package(tmp_path / "p3")


def test_one_of_many_writers_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def late(source: Any, target: Any) -> None:
        monkeypatch.setattr(os, "rename", rename)
        small_package(tmp_path / "p", 2.5)  # another one, just before
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    with pytest.raises(InvalidArgument, match="a folder that is not there yet"):
        small_package(tmp_path / "p", 1.5)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    assert open_package(tmp_path / "p", Policy()).model().predict(np.float32([[2.0]])).tolist() == [[5.0]]


@pytest.mark.parametrize("parent", ["none", "file"])
def test_a_parent_that_is_no_folder(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match=f"{parent}'$"):
        small_model().package(tmp_path / parent / "p")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", LISTED)
def test_damage_with_a_manifest_that_agrees_never_changes_an_answer(tmp_path: Path, name: str) -> None:
    """Whoever may write the manifest too can write any package; but damage cannot pass for this one's answers."""
    path, model, X = small_package(tmp_path / "p"), small_model(), rows(8, 1)
    data = (path / name).read_bytes()
    draws = np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        changed = bytearray(data)
        if draws.random() < 0.3:
            changed = changed[: draws.integers(len(changed))]
        for place in draws.integers(len(changed), size=draws.integers(1, 4)) if changed else []:
            changed[place] = draws.integers(256)
        (path / name).write_bytes(changed)
        reseal(path, name)
        try:
            loaded = open_package(path, Policy()).model()
        except MaasError as error:
            assert str(error).startswith("[package] '")  # noqa: PT017
            refused += 1
        else:
            assert np.asarray(loaded.predict(X)).tobytes() == np.asarray(model.predict(X)).tobytes()
    assert (
        refused > 100 or name == "card.cdx.json"
    )  # which is for people: its digest is all that is asked of it


def test_what_is_verified_is_what_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file exchanged after it was read changes nothing, for none is read twice."""
    path = small_package(tmp_path / "p")
    opened: list[str] = []
    real = os.open

    def counting(name: Any, *args: Any, **kwargs: Any) -> int:
        descriptor = real(name, *args, **kwargs)
        opened.append(os.fspath(name))
        if kwargs.get("dir_fd") is not None:
            (path / name).rename(tmp_path / name)
            (path / name).write_bytes(b"something else")
        return descriptor

    monkeypatch.setattr(os, "open", counting)
    model = open_package(path, Policy()).model()
    assert sorted(opened[1:]) == sorted(["manifest.json", *LISTED])
    assert model.predict(np.float32([[2.0]])).tolist() == [[3.0]]


def test_reading_follows_no_link_and_waits_for_no_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for what came into the folder after its names were listed."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    (inside / "file").write_bytes(b"1234")
    (inside / "link").symlink_to("../secret")
    (inside / "near").symlink_to("file")
    (inside / "folder").mkdir()
    os.mkfifo(inside / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(inside)  # such names are short
        listener.bind("socket")
    with Folder(inside) as folder:
        assert (
            folder.read("file", 4) == folder.read("file", 9) == folder.read("file", 4, exact=True) == b"1234"
        )
        for name in ("link", "near", "folder", "pipe", "socket"):
            with pytest.raises(FormatError, match=rf"^\[package\] '{name}': expected a regular file, got"):
                folder.read(name, 100)
        for name in ("../secret", "/etc/passwd", "folder/x", "", ".", ".."):
            with pytest.raises(FormatError, match="expected the name of a file in the folder, got a path"):
                folder.read(name, 100)
        for limit, exact, words in ((3, False, "3 bytes at most, got 4"), (5, True, "5 bytes, got 4")):
            with pytest.raises(FormatError, match=words):
                folder.read("file", limit, exact=exact)
        with pytest.raises(NotFound, match="'none'"):
            folder.read("none", 100)
        # The folder that was opened, whatever its name means now.
        inside.rename(tmp_path / "moved")
        inside.mkdir()
        (inside / "file").write_bytes(b"5678")
        assert folder.read("file", 4) == b"1234"
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        with pytest.raises(NotFound):
            open_package(inside, Policy())
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("name", [b"\x1b[31m", b"a\nb", b"\xff\xfe", b"\xe2\x80\xae", b"\x9b1m"], ids=ascii)
def test_names_in_messages_say_nothing_to_a_terminal(tmp_path: Path, name: bytes) -> None:
    path = small_package(tmp_path / "p")
    with open(os.path.join(os.fsencode(path), name), "wb"):
        pass
    with pytest.raises(FormatError, match="only files that the manifest lists") as caught:
        open_package(path, Policy())
    assert str(caught.value).isprintable()
    assert str(caught.value).encode()


CLAIMS: list[tuple[tuple[Any, ...], Any]] = [
    (("labels",), ["a", "b"]), (("labels",), [1]), (("schema", "feature_names"), ["x"]),
    (("schema", "inputs", 0, "name"), "x"), (("schema", "inputs", 0, "dtype"), "float64"),
    (("schema", "inputs", 0, "shape"), [None, 2]), (("schema", "inputs", 0, "shape"), [1, 1]),
    (("schema", "outputs", 0, "name"), "x"), (("schema", "outputs", 0, "shape"), []),
    (("schema", "roles", "predict"), "X"), (("schema", "roles", "predict_proba"), "mul"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), CLAIMS, ids=range(len(CLAIMS)))
def test_the_manifest_says_what_the_graph_says(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    folder = small_package(tmp_path / "p")

    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    edit(folder, change)
    with pytest.raises(FormatError, match=rf"^\[package\] 'manifest.json': expected {path[0]}.* model.onnx"):
        open_package(folder, Policy())


def test_verifying_needs_numpy_alone(tmp_path: Path) -> None:
    path = small_package(tmp_path / "p")
    program = """
import sys
import maas_engine
before = set(sys.modules)
assert not any(name.startswith("maas_engine.package") for name in before)
maas_engine.load(sys.argv[1]).package(sys.argv[2])
maas_engine.load(sys.argv[2])
known = {"maas_engine", "numpy", *sys.stdlib_module_names}
found = {name.split(".")[0] for name in set(sys.modules) - before} - known
print(sorted(name for name in found if "cython" not in name))  # numpy.random's own
"""
    assert _run(program, path, tmp_path / "q").strip() == "[]"


def _run(program: str, *arguments: Path) -> str:
    tests = Path(__file__).resolve().parents[1]
    run = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_environment_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small_package(tmp_path / "p")
    monkeypatch.setenv("MAAS_PUBLIC_KEY", str(tmp_path / "missing.pem"))
    with pytest.raises(MaasError, match=r"missing\.pem"):
        maas_engine.load(path)
