"""Changes of a package's folder: killed at every step, on a full disk, and by several processes at once."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signed_packages import make
from small_models import linear

from maas_engine.errors import InvalidArgument, MaasError, NotFound, PermissionDenied
from maas_engine.package import MasterKey, Policy, _changes, decrypt, encrypt, open_package, rotate, sign
from maas_engine.package._changes import Change

OLD, NEW = MasterKey(bytes(32)), MasterKey(bytes([1]) * 32)
DURABLE = ("replace", "rename", "fsync", "mkdir", "unlink", "rmdir", "open", "chmod")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make(tmp_path_factory.mktemp("made"))
    shutil.copytree(root / "plain", root / "encrypted")
    encrypt(root / "encrypted", OLD)
    return root


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def killed_before(step: int, change: Callable[[], None]) -> bool:
    """Run a change in a child that kills itself before its ``step``-th call that touches the disk; whether it did."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of forking beside threads, which the child does not use
        child = os.fork()
    if child == 0:
        try:
            count_down(step)
            change()
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WIFSIGNALED(status), status
    return status != 0


def count_down(steps: int) -> None:
    left = [steps]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counting

    for name in DURABLE:
        setattr(os, name, counted(getattr(os, name)))
    _changes._exchange = counted(_changes._exchange)


def state(folder: Path) -> str:
    """What the package is now; it must open."""
    for name, key in (("old", OLD), ("new", NEW)):
        try:
            found = open_package(folder, Policy(master_key=key))
        except MaasError:
            continue
        if not found.encrypted:
            return "signed" if "model.sig" in found.files() else "plain"
        return name
    raise AssertionError("the package does not open")


CHANGES: dict[str, tuple[str, str, str, Callable[[Path, Path], None]]] = {
    "encrypt": ("plain", "plain", "old", lambda folder, root: encrypt(folder, OLD)),
    "decrypt": ("encrypted", "old", "plain", lambda folder, root: decrypt(folder, OLD)),
    "rotate": ("encrypted", "old", "new", lambda folder, root: rotate(folder, OLD, NEW)),
    "sign": ("plain", "plain", "signed", lambda folder, root: sign(folder, root / "key")),
}


@pytest.mark.parametrize(
    ("name", "atomic"), [*((name, True) for name in CHANGES), ("encrypt", False), ("decrypt", False)]
)
def test_killed_at_every_step(made: Path, tmp_path: Path, name: str, atomic: bool, monkeypatch: Any) -> None:
    source, before, after, change = CHANGES[name]
    if not atomic:
        monkeypatch.setattr(_changes, "_exchange", lambda a, b: False)
    folder, seen = tmp_path / "w" / "p", []
    for step in range(1, 300):
        shutil.copytree(made / source, folder)
        killed = killed_before(step, lambda: change(folder, made))
        if atomic or folder.exists():  # between two renames it is away until the next change
            seen.append(state(folder))
        try:
            change(folder, made)  # completes what is left to do
        except InvalidArgument:
            assert not killed or seen[-1] == after  # nothing was left
        assert state(folder) == after
        assert [path.name for path in folder.parent.iterdir()] == ["p"], step
        shutil.rmtree(folder)
        if not killed:
            break
    assert set(seen) == {before, after}
    assert seen == sorted(seen, key=[before, after].index)  # once changed, it stays
    assert len(seen) > 10


@pytest.mark.parametrize("name", ["encrypt", "rotate"])
@pytest.mark.parametrize("what", ["written", "replaced"])
def test_places_for_faults(made: Path, tmp_path: Path, name: str, what: str, monkeypatch: Any) -> None:
    """MAAS_FAULT reaches the steps of these changes too: one raised in place of a kill leaves nothing behind."""
    source, before, after, change = CHANGES[name]
    shutil.copytree(made / source, tmp_path / "p")
    monkeypatch.setenv("MAAS_FAULT", f"change.{'file' if name == 'rotate' else 'folder'}_{what}:raise")
    with pytest.raises(OSError, match="No space left"):
        change(tmp_path / "p", made)
    monkeypatch.delenv("MAAS_FAULT")
    assert state(tmp_path / "p") == (before if what == "written" else after)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_killed_while_the_folder_is_away(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where names cannot be exchanged, the next change puts the old folder back before it starts."""
    shutil.copytree(made / "plain", tmp_path / "p")
    monkeypatch.setattr(_changes, "_exchange", lambda a, b: False)
    away = 0
    for step in range(1, 300):
        if not killed_before(step, lambda: encrypt(tmp_path / "p", OLD)):
            break
        if not (tmp_path / "p").exists():
            away += 1
            with pytest.raises(NotFound):
                open_package(tmp_path / "p", Policy())
            decrypt(tmp_path / "p", OLD)  # nothing to decrypt, but it repairs
            assert state(tmp_path / "p") == "plain"
        if state(tmp_path / "p") == "old":
            shutil.rmtree(tmp_path / "p")
            shutil.copytree(made / "plain", tmp_path / "p")
    assert away >= 1


FILES = {"encrypt": 5, "decrypt": 4, "rotate": 1, "sign": 1}  # that each change writes


def test_an_error_while_the_folder_is_away(made: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """An interrupt, say, between the two renames: the folder comes back before what lies beside it is cleared."""
    shutil.copytree(made / "plain", tmp_path / "p")
    before = content(tmp_path / "p")
    monkeypatch.setattr(_changes, "_exchange", lambda a, b: False)
    monkeypatch.setenv("MAAS_FAULT", "change.folder_away:raise")
    with pytest.raises(OSError, match="No space left"):
        encrypt(tmp_path / "p", OLD)
    assert content(tmp_path / "p") == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("name", CHANGES)
def test_full_disk(made: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _, _, change = CHANGES[name]
    shutil.copytree(made / source, tmp_path / "p")
    before = content(tmp_path / "p")
    honest, left = _changes.write_new, [0]

    def full(path: Any, parts: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            honest(path, [b"".join(parts)[:7]])
            raise OSError(errno.ENOSPC, "No space left on device")
        honest(path, parts)

    monkeypatch.setattr(_changes, "write_new", full)
    for written in range(FILES[name] + 1):
        left[0] = written
        if written == FILES[name]:
            change(tmp_path / "p", made)
            assert content(tmp_path / "p") != before
            break
        with pytest.raises(OSError, match="No space left"):
            change(tmp_path / "p", made)
        assert content(tmp_path / "p") == before
        assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_one_change_at_a_time(made: Path, tmp_path: Path) -> None:
    """Of several processes that encrypt one package one does, and the others see that it is done."""
    shutil.copytree(made / "plain", tmp_path / "p")
    children = []
    for _ in range(4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            try:
                encrypt(tmp_path / "p", OLD)
                os._exit(0)
            except InvalidArgument:
                os._exit(1)
            except BaseException:
                os._exit(2)
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0, 1, 1, 1]
    assert state(tmp_path / "p") == "old"


def test_staging_is_for_the_owner(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "plain", tmp_path / "p")
    with Change(tmp_path / "p") as change:
        assert change.staging.stat().st_mode & 0o777 == 0o700
        assert change.staging.parent == tmp_path
        assert not change.resumed
    assert not change.staging.exists()


def test_a_link_to_a_package(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "plain", tmp_path / "p")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "link").symlink_to(tmp_path / "p")
    encrypt(tmp_path / "sub" / "link", OLD)
    assert (tmp_path / "sub" / "link").is_symlink()
    assert state(tmp_path / "p") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p", "sub"]


def test_resuming_is_for_the_same_key(made: Path, tmp_path: Path) -> None:
    """What is left of a killed change is not taken for this one's: the package is under another key."""
    shutil.copytree(made / "encrypted", tmp_path / "p")
    for key in (NEW, OLD):
        (tmp_path / ".p.change").mkdir()
        if key is OLD:
            encrypt(tmp_path / "p", OLD)
            continue
        with pytest.raises(PermissionDenied, match="expected the master key"):
            encrypt(tmp_path / "p", NEW)
    assert state(tmp_path / "p") == "old"


def test_no_such_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / "none" / "none"):
        with pytest.raises(NotFound, match="no folder"):
            rotate(path, OLD, NEW)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MaasError, match="expected a package's folder"):
        encrypt(tmp_path / "file", OLD)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_reading_beside_a_change(tmp_path: Path) -> None:
    """A reader sees the package before or after, or is told that a file is gone; never a mixture."""
    linear().package(tmp_path / "p")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            while not (tmp_path / "enough").exists():
                encrypt(tmp_path / "p", OLD)
                decrypt(tmp_path / "p", OLD)
            os._exit(0)
        except BaseException:
            os._exit(1)
    seen: dict[bool, int] = {True: 0, False: 0}
    deadline = time.monotonic() + 60
    while min(seen.values()) < 5:
        assert time.monotonic() < deadline
        with contextlib.suppress(NotFound):
            seen[open_package(tmp_path / "p", Policy(master_key=OLD)).encrypted] += 1
    (tmp_path / "enough").touch()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
