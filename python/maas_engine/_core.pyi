# What the extension offers: positional arguments, already checked. Documented where Python wraps it.

from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

_Float = TypeVar("_Float", np.float32, np.float64)
_Buffer = TypeVar("_Buffer")

__version__: str

# runtime.cc
def num_threads() -> int: ...
def set_num_threads(n: int, /) -> None: ...
def active_target() -> str: ...
def supported_targets() -> list[str]: ...
def set_target(name: str, /) -> None: ...
def target_has_fma() -> bool: ...
def cpu_facts() -> dict[str, Any]: ...
def derived_seed(seed: int, index: int, /) -> int: ...

NUMERICS: int

# linalg.cc
def matmul(a: NDArray[_Float], b: NDArray[_Float], /) -> NDArray[_Float]: ...
def linear_predict(
    x: NDArray[_Float], coef: NDArray[_Float], intercept: NDArray[_Float], /
) -> NDArray[_Float]: ...

# least_squares.cc
def least_squares(
    x: NDArray[_Float],
    y: NDArray[_Float],
    weight: NDArray[np.float64] | None,
    intercept: bool,
    penalty: list[float],
    cutoff: float,
    orthogonal: bool,
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, NDArray[np.float64], NDArray[np.float64], bool]: ...
def iterative_least_squares(
    x: NDArray[_Float],
    y: NDArray[_Float],
    weight: NDArray[np.float64] | None,
    intercept: bool,
    penalty: list[float],
    solver: str,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    tolerance: float,
    max_iterations: int,
    start: list[float],
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, str, NDArray[np.float64], float]]]: ...
def singular_values(matrix: NDArray[np.float64], /) -> NDArray[np.float64]: ...
def gradient_descent(
    x: NDArray[_Float], y: NDArray[_Float], theta: NDArray[_Float], alpha: float, iterations: int, /
) -> tuple[NDArray[_Float], int, bool]: ...

# gram.cc
_Doubles = NDArray[np.float64]

class GramState:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @property
    def features(self) -> int: ...
    @property
    def targets(self) -> int: ...
    @property
    def weight(self) -> float: ...
    def mean(self) -> _Doubles: ...
    def centred(self) -> _Doubles: ...
    def merge(self, other: GramState, /) -> None: ...
    def errors(self, coef: _Doubles, intercept: _Doubles, /) -> tuple[_Doubles, _Doubles, _Doubles]: ...
    def solve(
        self, intercept: bool, penalty: list[float], cutoff: float, /
    ) -> tuple[_Doubles, _Doubles, int, _Doubles, _Doubles, bool]: ...

class _GramStream:
    def __init__(self, features: int, targets: int, /) -> None: ...
    @property
    def features(self) -> int: ...
    @property
    def targets(self) -> int: ...
    def add(self, x: NDArray[Any], y: NDArray[Any], weight: _Doubles | None, /) -> None: ...
    def state(self) -> GramState: ...
    def __getstate__(self) -> object: ...
    def __setstate__(self, state: Any, /) -> None: ...

class GramStreamFloat(_GramStream): ...
class GramStreamDouble(_GramStream): ...

def fold_gram_states(
    x: NDArray[_Float],
    y: NDArray[_Float],
    weight: _Doubles | None,
    fold_of_row: NDArray[np.int32],
    folds: int,
    /,
) -> list[GramState]: ...
def training_states(states: list[GramState], /) -> list[GramState]: ...
def ridge_paths(
    states: list[GramState], penalties: list[float], intercept: bool, /
) -> list[tuple[_Doubles, _Doubles, list[bool]]]: ...
def leave_one_out(
    x: NDArray[_Float],
    y: NDArray[_Float],
    weight: _Doubles | None,
    intercept: bool,
    penalties: list[float],
    orthogonal: bool,
    store: bool,
    /,
) -> tuple[_Doubles, _Doubles | None, _Doubles | None, _Doubles | None]: ...
def sparse_leave_one_out(
    values: NDArray[_Float],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[_Float],
    weight: _Doubles | None,
    intercept: bool,
    penalties: list[float],
    orthogonal: bool,
    store: bool,
    /,
) -> tuple[_Doubles, _Doubles | None, _Doubles | None, _Doubles | None]: ...

# metrics.cc
_Vector = NDArray[Any]

def equal_labels(truth: _Vector, predicted: _Vector, /) -> int | None: ...
def equal_weight(truth: _Vector, predicted: _Vector, weight: _Vector, /) -> tuple[float, float] | None: ...
def pair_counts(
    truth: _Vector, predicted: _Vector, weight: _Vector | None, /
) -> (
    tuple[NDArray[np.int64], NDArray[Any], tuple[NDArray[np.float64], NDArray[np.float64]] | None] | None
): ...
def error_sums(
    kind: int, parameter: float, y: _Vector, predicted: _Vector, weight: _Vector | None, /
) -> tuple[float, float, float, float, float, float, float, bool]: ...
def error_quantile(
    share: float, y: _Vector, predicted: _Vector | None, weight: _Vector | None, /
) -> float: ...

# ranking.cc
_Ranked = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]

def ranking_score(
    kind: int,
    labels: _Vector,
    positive: int,
    scores: _Vector,
    weight: _Vector | None,
    max_fpr: float,
    /,
) -> tuple[float, bool, bool]: ...
def ranking_columns(
    kind: int, labels: NDArray[Any], scores: NDArray[Any], weight: _Vector | None, max_fpr: float, /
) -> _Ranked: ...
def ranking_rows(kind: int, labels: NDArray[Any], scores: NDArray[Any], max_fpr: float, /) -> _Ranked: ...
def roc_auc_pairs(labels: _Vector, scores: NDArray[Any], /) -> NDArray[np.float64]: ...
def curve_points(
    labels: _Vector,
    positive: int,
    scores: _Vector,
    weight: _Vector | None,
    drop: int,
    drop_first: int,
    first: int,
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...
def trapezoid_area(x: _Vector, y: _Vector, /) -> tuple[float, bool, bool]: ...

# class_scores.cc
def probability_loss_sums(
    kind: int,
    labels: _Vector,
    classes: list[int],
    probabilities: NDArray[Any],
    weight: _Vector | None,
    /,
) -> tuple[float, float, bool, bool, bool]: ...
def row_score_sums(
    labels: _Vector, scores: NDArray[Any], k: int, weight: _Vector | None, /
) -> tuple[float, float, bool]: ...

# indicator.cc
_Sums = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
_SparseSets = tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int64], int]

def two_values(matrix: NDArray[Any], /) -> tuple[float, float] | None: ...
def indicator_label_sums(
    truth: NDArray[Any], predicted: NDArray[Any], weight: _Vector | None, /
) -> _Sums: ...
def indicator_row_sums(truth: NDArray[Any], predicted: NDArray[Any], /) -> _Sums: ...
def sparse_label_sums(truth: _SparseSets, predicted: _SparseSets, weight: _Vector | None, /) -> _Sums: ...
def sparse_row_sums(truth: _SparseSets, predicted: _SparseSets, /) -> _Sums: ...

# metric_states.cc
class _MetricState:
    TYPE_ID: ClassVar[int]
    def __init__(self, config: str, /) -> None: ...
    @property
    def config(self) -> str: ...
    def to_bytes(self) -> bytes: ...
    def merge(self, other: Any, /) -> None: ...
    @staticmethod
    def from_bytes(data: bytes, /) -> Any: ...

class _PairState(_MetricState):
    def update(self, y_true: _Vector, y_pred: _Vector, weight: _Vector | None, /) -> None: ...

class AccuracyState(_PairState):
    def equal(self) -> float: ...
    def total(self) -> float: ...

class ConfusionState(_PairState):
    def matrix(self) -> tuple[NDArray[np.int64], NDArray[Any]]: ...

class RegressionState(_PairState):
    def __init__(self, config: str, sums: int, term: int, parameter: float, /) -> None: ...
    def same_kind(self, other: RegressionState, /) -> bool: ...
    def rows(self) -> int: ...
    def weight(self) -> float: ...
    def errors(self) -> NDArray[np.float64]: ...
    def targets(self) -> NDArray[np.float64]: ...
    def constants(self) -> NDArray[np.float64]: ...
    def target_spreads(self) -> NDArray[np.float64]: ...
    def distance_spreads(self) -> NDArray[np.float64]: ...

class BinnedAucState(_MetricState):
    def __init__(self, config: str, linear: bool, bins: int, low: float, high: float, /) -> None: ...
    def update(self, labels: _Vector, positive: int, scores: _Vector, /) -> None: ...
    def same_bins(self, other: BinnedAucState, /) -> bool: ...
    def rows(self) -> int: ...
    def compute(self) -> tuple[float, float, bool, bool]: ...

class LogLossState(_MetricState):
    def update(
        self, labels: _Vector, classes: list[int], probabilities: _Vector, weight: _Vector | None, /
    ) -> tuple[bool, bool, bool]: ...
    def weight(self) -> float: ...
    def loss(self) -> float: ...

class RankingState(_MetricState):
    def update(self, labels: _Vector, positive: int, scores: _Vector, weight: _Vector | None, /) -> None: ...
    def has_positives(self) -> bool: ...
    def has_negatives(self) -> bool: ...
    def score(self, kind: int, max_fpr: float, /) -> float: ...

# profile.cc
class _ColumnState(_MetricState):
    def update(self, values: NDArray[Any], /) -> None: ...
    def empty(self) -> Any: ...
    @property
    def rows(self) -> int: ...
    @property
    def missing(self) -> int: ...
    @property
    def counts(self) -> NDArray[np.uint64]: ...

class HistogramState(_ColumnState):
    @overload
    def __init__(self, config: str, /) -> None: ...
    @overload
    def __init__(self, config: str, edges: Sequence[float], /) -> None: ...
    @property
    def edges(self) -> list[float]: ...
    @property
    def below(self) -> int: ...
    @property
    def above(self) -> int: ...

class CategoryState(_ColumnState):
    @overload
    def __init__(self, config: str, /) -> None: ...
    @overload
    def __init__(self, config: str, values: Sequence[str] | Sequence[int], /) -> None: ...
    @property
    def vocabulary(self) -> list[str] | list[int]: ...
    @property
    def unseen(self) -> int: ...

class ProfileState:
    def __init__(self, columns: Sequence[HistogramState | CategoryState], /) -> None: ...
    def update(self, arrays: Sequence[NDArray[Any] | None], /) -> None: ...
    def merge(self, other: ProfileState, /) -> None: ...
    def empty(self) -> ProfileState: ...
    @property
    def columns(self) -> list[HistogramState | CategoryState]: ...

# sgd.cc
def sgd_fit(
    x: NDArray[_Float],
    y: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    train: NDArray[np.uint32] | None,
    validation: NDArray[np.uint32] | None,
    coef: NDArray[np.float64],
    averages: NDArray[np.float64],
    positives: list[float],
    class_weights: list[tuple[float, float]],
    step: float,
    options: dict[str, Any],
    /,
) -> list[tuple[int, bool, list[float]]]: ...
def sparse_sgd_fit(
    values: NDArray[_Float],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    train: NDArray[np.uint32] | None,
    validation: NDArray[np.uint32] | None,
    coef: NDArray[np.float64],
    averages: NDArray[np.float64],
    positives: list[float],
    class_weights: list[tuple[float, float]],
    step: float,
    options: dict[str, Any],
    /,
) -> list[tuple[int, bool, list[float]]]: ...
def logarithms(values: NDArray[_Float], /) -> NDArray[_Float]: ...

# mini_batch.cc
def mini_batch_fit(
    x: NDArray[_Float],
    y: NDArray[_Float],
    weight: NDArray[_Float] | None,
    options: dict[str, Any],
    start: list[float],
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, str, list[float]]: ...

# sparse.cc
def sparse_predict(
    values: NDArray[_Float],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    coef: NDArray[_Float],
    intercept: NDArray[_Float],
    /,
) -> NDArray[_Float]: ...
def sparse_fit(
    values: NDArray[_Float],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    options: dict[str, Any],
    start: list[float],
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, str, NDArray[np.float64]]: ...
def sparse_least_squares(
    values: NDArray[_Float],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    intercept: bool,
    alpha: list[float],
    cutoff: float,
    max_iterations: int,
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, bool, bool]: ...

# elastic_net.cc
_FoldPlan = tuple[NDArray[np.int32] | None, int, list[tuple[NDArray[np.float64], NDArray[np.float64]]]]
_DescentOptions = tuple[bool, float, int, bool, int]
_Solutions = list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], list[int], list[bool]]]

class ElasticNetData:
    @overload
    def __init__(
        self,
        x: NDArray[_Float],
        y: NDArray[_Float],
        weight: NDArray[np.float64] | None,
        intercept: bool,
        folds: _FoldPlan,
        /,
    ) -> None: ...
    @overload
    def __init__(
        self,
        values: NDArray[_Float],
        columns: NDArray[np.int32],
        starts: NDArray[np.int64],
        column_count: int,
        y: NDArray[_Float],
        weight: NDArray[np.float64] | None,
        intercept: bool,
        folds: _FoldPlan,
        /,
    ) -> None: ...
    def largest_product(self, target: int, positive: bool, /) -> float: ...
    def solve(
        self, alphas: list[float], l1_ratio: float, options: _DescentOptions, start: list[float], /
    ) -> _Solutions: ...
    def solve_training(
        self, alphas: list[float], l1_ratio: float, options: _DescentOptions, /
    ) -> _Solutions: ...
    def errors(
        self, alphas: list[list[float]], l1_ratio: list[float], options: _DescentOptions, /
    ) -> list[tuple[NDArray[np.float64], NDArray[np.float64], list[bool]]]: ...

# huber.cc
def huber_fit(
    x: NDArray[Any],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    epsilon: float,
    l2: float,
    intercept: bool,
    tolerance: float,
    max_iterations: int,
    start: list[float],
    /,
) -> tuple[NDArray[np.float64], float, float, NDArray[np.bool_], int, bool]: ...
def sparse_huber_fit(
    values: NDArray[Any],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    epsilon: float,
    l2: float,
    intercept: bool,
    tolerance: float,
    max_iterations: int,
    start: list[float],
    /,
) -> tuple[NDArray[np.float64], float, float, NDArray[np.bool_], int, bool]: ...

# interior_point.cc
def quantile_fit(
    x: NDArray[Any],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    quantile: float,
    l1: float,
    intercept: bool,
    /,
) -> tuple[NDArray[np.float64], float, int, bool]: ...
def sparse_quantile_fit(
    values: NDArray[Any],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    quantile: float,
    l1: float,
    intercept: bool,
    /,
) -> tuple[NDArray[np.float64], float, int, bool]: ...
def hinge_fit(
    x: NDArray[Any],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    squared: bool,
    intercept: bool,
    intercept_scaling: float,
    tolerance: float,
    max_iterations: int,
    /,
) -> tuple[NDArray[np.float64], float, int, bool]: ...
def sparse_hinge_fit(
    values: NDArray[Any],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    squared: bool,
    intercept: bool,
    intercept_scaling: float,
    tolerance: float,
    max_iterations: int,
    /,
) -> tuple[NDArray[np.float64], float, int, bool]: ...

# logistic_cv.cc
def logistic_cv_fit(
    x: NDArray[Any],
    y: NDArray[Any],
    weight: NDArray[Any] | None,
    fold_of_row: NDArray[np.int32],
    folds: int,
    outputs: int,
    intercept: bool,
    l2: list[float],
    tolerance: float,
    max_iterations: int,
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32], list[str]]: ...
def logistic_cv_decisions(
    x: NDArray[Any],
    y: NDArray[Any],
    fold_of_row: NDArray[np.int32],
    coef: NDArray[Any],
    intercept: NDArray[Any],
    /,
) -> NDArray[Any]: ...
def logistic_cv_hits(
    x: NDArray[Any],
    y: NDArray[Any],
    weight: NDArray[Any] | None,
    fold_of_row: NDArray[np.int32],
    coef: NDArray[Any],
    intercept: NDArray[Any],
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...

# logistic.cc
def linear_fit(
    x: NDArray[Any],
    y: NDArray[Any],
    weight: NDArray[Any] | None,
    loss: str,
    outputs: int,
    intercept: bool,
    l2: float,
    solver: str,
    tolerance: float,
    max_iterations: int,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    start: list[float],
    l1: float = ...,
    intercept_l1: float = ...,
    intercept_penalty: float = ...,
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, str, NDArray[np.float64]]: ...
def exponentials(scores: NDArray[Any], /) -> NDArray[Any]: ...
def sparse_l1_fit(
    values: NDArray[Any],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    column_count: int,
    y: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    outputs: int,
    intercept: bool,
    l1: float,
    l2: float,
    intercept_l1: float,
    tolerance: float,
    max_iterations: int,
    start: list[float],
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, str, NDArray[np.float64]]: ...
def class_probabilities(scores: NDArray[Any], log: bool, /) -> NDArray[Any]: ...

# bootstrap.cc
_Order: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint32] | None, NDArray[np.float64] | None]

def bootstrap_cells(seed: int, resamples: int, strata: list[list[int]], /) -> NDArray[np.int64]: ...
def bootstrap_sums(
    seed: int, resamples: int, strata: list[int], columns: NDArray[np.float64], /
) -> NDArray[np.float64]: ...
def bootstrap_ranking(
    kind: int, seed: int, resamples: int, strata: list[int], orders: list[_Order], /
) -> NDArray[np.float64]: ...
def bootstrap_rows(seed: int, resample: int, strata: list[int], /) -> NDArray[np.int64]: ...
def jackknife_ranking(kind: int, order: _Order, /) -> NDArray[np.float64]: ...
def error_terms(term: int, parameter: float, y: _Vector, predicted: _Vector, /) -> NDArray[np.float64]: ...

# random.cc
def random_uniform(seed: int, stream: int, n: int, /) -> NDArray[np.float64]: ...
def random_normal(seed: int, stream: int, n: int, /) -> NDArray[np.float64]: ...
def random_permutation(seed: int, stream: int, n: int, /) -> NDArray[np.uint32]: ...

# graph.cc
_Dims: TypeAlias = tuple[int | None, ...]

class Node:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @property
    def op(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def outputs(self) -> tuple[str, ...]: ...
    @property
    def attributes(self) -> dict[str, Any]: ...

class Graph:
    def __init__(
        self,
        name: str,
        inputs: Sequence[tuple[str, str, Sequence[int | None]]],
        outputs: Sequence[str],
        nodes: Sequence[tuple[str, str, str, Sequence[str], Sequence[str], dict[str, Any]]],
        initializers: dict[str, NDArray[Any]],
        metadata: dict[str, str],
        /,
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> list[tuple[str, str, _Dims]]: ...
    @property
    def outputs(self) -> list[tuple[str, str, _Dims]]: ...
    @property
    def nodes(self) -> list[Node]: ...
    @property
    def initializers(self) -> dict[str, NDArray[Any]]: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    def type_of(self, name: str, /) -> tuple[str, _Dims] | None: ...
    def with_metadata(self, metadata: dict[str, str], /) -> Graph: ...

def read_onnx(bytes: bytes, /) -> Graph: ...
def read_onnx_file(path: str | bytes, /) -> Graph: ...
def write_onnx(graph: Graph, /) -> bytes: ...
def operator_version(domain: str, op: str, opset: int, /) -> int | None: ...

NEWEST_OPSETS: tuple[int, int]  # main, ai.onnx.ml

# program.cc
class Program:
    def __init__(self, graph: Graph, outputs: list[str], fuse: bool, /) -> None: ...
    def run(self, inputs: dict[str, NDArray[Any]], threads: int, /) -> dict[str, NDArray[Any]]: ...
    def describe(self) -> str: ...
    @property
    def block_rows(self) -> int: ...
    @property
    def scratch_bytes(self) -> int: ...

def operators() -> list[tuple[str, str, bool]]: ...

# model_type.cc
@disjoint_base
class Model:
    def __new__(
        cls,
        graph: Graph,
        predict: str,
        predict_proba: str,
        decision_function: str,
        columns: tuple[str, ...] | None,
        text_width: int,
        /,
    ) -> Self: ...
    @property
    def graph(self) -> Graph: ...
    def predict(self, X: Any, /) -> Any: ...
    def predict_proba(self, X: Any, /) -> Any: ...
    def decision_function(self, X: Any, /) -> Any: ...
    def predict_into(self, X: Any, out: _Buffer, /) -> _Buffer: ...
    def _run(
        self, method: str, arrays: tuple[NDArray[Any] | tuple[NDArray[Any], NDArray[Any]], ...], /
    ) -> Any: ...
    def _describe(self, method: str, /) -> str: ...

# trainer.cc

class TrainResult:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @property
    def loss(self) -> float: ...
    @property
    def metrics(self) -> list[float]: ...
    @property
    def steps(self) -> int: ...
    @property
    def bad_step(self) -> int | None: ...
    @property
    def bad_loss(self) -> float: ...
    def merge(self, other: TrainResult, /) -> None: ...

class Trainer:
    def __init__(
        self,
        graph: Graph,
        parameters: Sequence[tuple[str, bool, float, float, bool]],
        loss: dict[str, Any],
        metrics: Sequence[str],
        optimizer: dict[str, Any],
        seed: int,
        penalty_per_row: bool,
        /,
    ) -> None: ...
    iterations: int
    @property
    def dtype(self) -> str: ...
    @property
    def slot_names(self) -> list[str]: ...
    def run(
        self,
        x: NDArray[Any],
        y: NDArray[Any],
        weight: NDArray[np.float64] | None,
        order: NDArray[np.uint32] | None,
        batch_size: int,
        learning_rates: NDArray[np.float64],
        /,
    ) -> TrainResult: ...
    def gradient(self, x: NDArray[Any], y: NDArray[Any], weight: NDArray[np.float64] | None, /) -> float: ...
    def evaluate(
        self, x: NDArray[Any], y: NDArray[Any], weight: NDArray[np.float64] | None, /
    ) -> TrainResult: ...
    def penalty(self) -> float: ...
    def get_parameters(self) -> list[NDArray[Any]]: ...
    def set_parameters(self, values: list[NDArray[Any]], /) -> None: ...
    def gradients(self) -> list[NDArray[Any]]: ...
    def get_slots(self) -> list[list[NDArray[Any]]]: ...
    def set_slots(self, slots: list[list[NDArray[Any]]], /) -> None: ...
    def graph(self) -> Graph: ...
