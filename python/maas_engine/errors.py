"""The engine's errors: one stable class each, also catchable as the built-in that users expect."""

from __future__ import annotations


class MaasError(Exception):
    """Base of every error the engine raises on purpose; ``status`` is the HTTP status it maps to."""

    status = 500


class InvalidArgument(MaasError, ValueError):
    status = 400


class NotFinite(InvalidArgument):
    """An array holds NaN or infinity where finite numbers are needed."""


class MissingMethod(InvalidArgument, AttributeError):
    """A model without, say, probabilities: ``hasattr(model, "predict_proba")`` is False."""


class FormatError(MaasError, ValueError):
    status = 400


class NotFound(MaasError, KeyError):
    status = 404

    def __str__(self) -> str:  # KeyError would show the repr
        return Exception.__str__(self)


class Unsupported(MaasError, NotImplementedError):
    status = 501


class PermissionDenied(MaasError, PermissionError):
    status = 403


class Conflict(MaasError, RuntimeError):
    """What is there stands against it: a name that is taken, an alias that moved meanwhile."""

    status = 409


class Overloaded(MaasError, RuntimeError):
    status = 429


class Unavailable(MaasError, ConnectionError):
    """A database, a store or a server gives no answer."""

    status = 503


class DeadlineExceeded(MaasError, TimeoutError):
    status = 504


class Internal(MaasError, RuntimeError):
    status = 500


class ConvergenceWarning(UserWarning):
    """A solver stopped before it converged. The estimators warn with scikit-learn's class of this name."""


class UndefinedMetricWarning(UserWarning):
    """A metric is undefined for these rows; scikit-learn's class of this name is used where it is installed."""


class NumericsWarning(UserWarning):
    """A package's answers were recorded with other bits: by another version of the arithmetic, or another tier."""
