"""Metrics with scikit-learn's names, arguments, results, warnings and errors, and their mergeable states.

Each function scores arrays in one call. Each class is a state of the same metric: ``update`` it batch by batch,
``merge`` states made elsewhere, send them as bytes; ``compute`` gives the same bits however the rows were split.
"""

from __future__ import annotations

from maas_engine.metrics._agreement import (
    balanced_accuracy_score,
    class_likelihood_ratios,
    cohen_kappa_score,
    matthews_corrcoef,
)
from maas_engine.metrics._binned_auc import BinnedRocAuc, binned_roc_auc_score
from maas_engine.metrics._bootstrap import BootstrapResult, bootstrap
from maas_engine.metrics._class_scores import hinge_loss, top_k_accuracy_score
from maas_engine.metrics._classification import (
    accuracy_score,
    f1_score,
    fbeta_score,
    hamming_loss,
    jaccard_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
    zero_one_loss,
)
from maas_engine.metrics._confusion import confusion_matrix, multilabel_confusion_matrix
from maas_engine.metrics._curves import (
    auc,
    confusion_matrix_at_thresholds,
    det_curve,
    precision_recall_curve,
    roc_curve,
)
from maas_engine.metrics._deviance import mean_gamma_deviance, mean_poisson_deviance, mean_tweedie_deviance
from maas_engine.metrics._explained import (
    d2_absolute_error_score,
    d2_pinball_score,
    d2_tweedie_score,
    explained_variance_score,
    r2_score,
)
from maas_engine.metrics._label_states import (
    F1,
    ConfusionMatrix,
    Precision,
    PrecisionRecallFScoreSupport,
    Recall,
)
from maas_engine.metrics._log_loss import brier_score_loss, d2_brier_score, d2_log_loss_score, log_loss
from maas_engine.metrics._ranking import average_precision_score, roc_auc_score
from maas_engine.metrics._regression import (
    max_error,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_pinball_loss,
    mean_squared_error,
    mean_squared_log_error,
    median_absolute_error,
    root_mean_squared_error,
    root_mean_squared_log_error,
)
from maas_engine.metrics._regression_states import (
    R2,
    D2Tweedie,
    ExplainedVariance,
    MaxError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanGammaDeviance,
    MeanPinballLoss,
    MeanPoissonDeviance,
    MeanSquaredError,
    MeanSquaredLogError,
    MeanTweedieDeviance,
    RootMeanSquaredError,
    RootMeanSquaredLogError,
)
from maas_engine.metrics._report import classification_report
from maas_engine.metrics._states import Accuracy, AveragePrecision, LogLoss, RocAuc

__all__ = [
    "F1",
    "R2",
    "Accuracy",
    "AveragePrecision",
    "BinnedRocAuc",
    "BootstrapResult",
    "ConfusionMatrix",
    "D2Tweedie",
    "ExplainedVariance",
    "LogLoss",
    "MaxError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanGammaDeviance",
    "MeanPinballLoss",
    "MeanPoissonDeviance",
    "MeanSquaredError",
    "MeanSquaredLogError",
    "MeanTweedieDeviance",
    "Precision",
    "PrecisionRecallFScoreSupport",
    "Recall",
    "RocAuc",
    "RootMeanSquaredError",
    "RootMeanSquaredLogError",
    "accuracy_score",
    "auc",
    "average_precision_score",
    "balanced_accuracy_score",
    "binned_roc_auc_score",
    "bootstrap",
    "brier_score_loss",
    "class_likelihood_ratios",
    "classification_report",
    "cohen_kappa_score",
    "confusion_matrix",
    "confusion_matrix_at_thresholds",
    "d2_absolute_error_score",
    "d2_brier_score",
    "d2_log_loss_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "det_curve",
    "explained_variance_score",
    "f1_score",
    "fbeta_score",
    "hamming_loss",
    "hinge_loss",
    "jaccard_score",
    "log_loss",
    "matthews_corrcoef",
    "max_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_gamma_deviance",
    "mean_pinball_loss",
    "mean_poisson_deviance",
    "mean_squared_error",
    "mean_squared_log_error",
    "mean_tweedie_deviance",
    "median_absolute_error",
    "multilabel_confusion_matrix",
    "precision_recall_curve",
    "precision_recall_fscore_support",
    "precision_score",
    "r2_score",
    "recall_score",
    "roc_auc_score",
    "roc_curve",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
    "top_k_accuracy_score",
    "zero_one_loss",
]
