"""Thread counts and where they come from, seeds, and the SIMD target."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import maas_engine
from maas_engine import _core, errors
from maas_engine._runtime import next_seed


@pytest.fixture(autouse=True)
def _same_settings_after() -> Iterator[None]:
    threads = maas_engine.get_num_threads()
    yield
    maas_engine.set_num_threads(threads)
    maas_engine.set_seed(None)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh Python with only the variables given here among those that choose threads."""
    ours = ("MAAS_NUM_THREADS", "OMP_NUM_THREADS", "MAAS_TARGET")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-c", code], env={**env, **environment}, capture_output=True, text=True, check=False
    )


def answer(code: str, **environment: str) -> str:
    done = run(f"import maas_engine; print({code})", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_set_num_threads() -> None:
    maas_engine.set_num_threads(3)
    assert maas_engine.get_num_threads() == 3
    maas_engine.set_num_threads(np.int64(2))  # type: ignore[arg-type]
    assert maas_engine.get_num_threads() == 2


@pytest.mark.parametrize("n", [0, -1, 1025, 2**40])
def test_impossible_counts_are_refused(n: int) -> None:
    with pytest.raises(errors.InvalidArgument, match="1 to 1024 threads"):
        maas_engine.set_num_threads(n)


@pytest.mark.parametrize("n", [1.5, "2", None])
def test_counts_are_integers(n: object) -> None:
    with pytest.raises(TypeError):
        maas_engine.set_num_threads(n)  # type: ignore[arg-type]


def test_context_manager_restores() -> None:
    maas_engine.set_num_threads(2)
    with maas_engine.num_threads(5) as outer:
        assert outer.n == maas_engine.get_num_threads() == 5
        with maas_engine.num_threads(1):
            assert maas_engine.get_num_threads() == 1
        assert maas_engine.get_num_threads() == 5
        with outer:
            assert maas_engine.get_num_threads() == 5
    assert maas_engine.get_num_threads() == 2


def test_context_manager_restores_after_an_error() -> None:
    maas_engine.set_num_threads(2)
    with pytest.raises(KeyError), maas_engine.num_threads(4):
        raise KeyError
    with pytest.raises(errors.InvalidArgument), maas_engine.num_threads(0):
        pass
    assert maas_engine.get_num_threads() == 2


THREADS = "maas_engine.get_num_threads()"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"MAAS_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"MAAS_NUM_THREADS": "5", "OMP_NUM_THREADS": "3"}, 5),
        ({"MAAS_NUM_THREADS": "many", "OMP_NUM_THREADS": "3"}, 3),
    ],
)
def test_environment_sets_the_default(environment: dict[str, str], expected: int) -> None:
    assert answer(THREADS, **environment) == str(expected)


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "1e3", "99999999999"])
def test_garbage_in_the_environment_is_ignored(text: str) -> None:
    assert answer(THREADS, MAAS_NUM_THREADS=text, OMP_NUM_THREADS=text) == answer(THREADS)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_affinity_limits_the_default() -> None:
    pin = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])"
    assert run(f"{pin}; import maas_engine; print({THREADS})").stdout.strip() == "1"


def test_threadpoolctl_limits_the_engine() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    from maas_engine import _threadpoolctl

    _threadpoolctl.register()
    _threadpoolctl.register()
    maas_engine.set_num_threads(2)
    (ours,) = [lib for lib in threadpoolctl.threadpool_info() if lib["internal_api"] == "maas_engine"]
    assert ours["num_threads"] == 2
    assert ours["version"] == maas_engine.__version__
    with threadpoolctl.threadpool_limits(1):
        assert maas_engine.get_num_threads() == 1
    with threadpoolctl.threadpool_limits(3, user_api="maas_engine"):
        assert maas_engine.get_num_threads() == 3
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        assert maas_engine.get_num_threads() == 2
    assert maas_engine.get_num_threads() == 2


def test_estimators_register_with_threadpoolctl() -> None:
    done = run(
        "import maas_engine.linear_model, threadpoolctl\n"
        "with threadpoolctl.threadpool_limits(1): print(maas_engine.get_num_threads())",
        MAAS_NUM_THREADS="2",
    )
    assert done.stdout.strip() == "1"


def test_the_c_functions_bring_counts_into_range() -> None:
    library = ctypes.CDLL(_core.__file__)
    library.maas_set_num_threads(0)
    assert library.maas_get_num_threads() == 1
    library.maas_set_num_threads(10**6)
    assert library.maas_get_num_threads() == 1024


def test_cpu_info() -> None:
    info = maas_engine.cpu_info()
    assert info["target"] in info["supported_targets"]
    assert info["fma"] == (info["target"] not in ("sse4", "scalar", "emu128"))
    assert info["threads"] == maas_engine.get_num_threads()
    assert info["hardware_threads"] == os.cpu_count()
    assert info["cgroup_quota"] is None or info["cgroup_quota"] > 0
    if hasattr(os, "sched_getaffinity"):
        assert info["affinity"] == len(os.sched_getaffinity(0))
    assert isinstance(info["model"], str)
    for size in ("cores", "l1d_bytes", "l2_bytes", "l3_bytes"):
        assert info[size] >= 0


@pytest.mark.parametrize("target", maas_engine.cpu_info()["supported_targets"])
def test_target_from_the_environment(target: str) -> None:
    assert answer("maas_engine.cpu_info()['target']", MAAS_TARGET=target) == target
    assert answer("maas_engine.cpu_info()['target']", MAAS_TARGET=target.upper()) == target


def test_empty_target_means_the_best() -> None:
    info = maas_engine.cpu_info()
    assert answer("maas_engine.cpu_info()['target']", MAAS_TARGET="") == info["supported_targets"][0]


def test_unsupported_target_is_refused() -> None:
    done = run("import maas_engine", MAAS_TARGET="vax")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    best = maas_engine.cpu_info()["supported_targets"][0]
    assert last.startswith(f"maas_engine.errors.Unsupported: [MAAS_TARGET] expected one of {best}")
    assert last.endswith("got 'vax'")


def test_seeds_repeat_after_set_seed() -> None:
    maas_engine.set_seed(2**64 - 1)
    first = [next_seed() for _ in range(100)]
    assert len(set(first)) == 100
    assert all(0 <= seed < 2**64 for seed in first)
    maas_engine.set_seed(2**64 - 1)
    assert [next_seed() for _ in range(100)] == first
    maas_engine.set_seed(1)
    assert next_seed() != first[0]


def test_set_seed_makes_fits_repeatable() -> None:
    linear_model = pytest.importorskip("maas_engine.linear_model")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    y = X[:, 0] > rng.standard_normal(200)

    def coefs() -> list[bytes]:
        return [linear_model.SGDClassifier().fit(X, y).coef_.tobytes() for _ in range(2)]

    maas_engine.set_seed(1)
    first = coefs()
    assert first[0] != first[1]
    maas_engine.set_seed(1)
    assert coefs() == first


def test_seeds_follow_numpy_by_default() -> None:
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    first = [next_seed(), next_seed()]
    assert first[0] != first[1]
    np.random.seed(5)  # noqa: NPY002
    assert [next_seed(), next_seed()] == first
    np.random.set_state(state)  # noqa: NPY002


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(errors.InvalidArgument, match="set_seed"):
        maas_engine.set_seed(seed)


def test_import_does_not_load_threadpoolctl() -> None:
    assert answer("'threadpoolctl' in __import__('sys').modules") == "False"
