"""Ours: one thread for requests, as the others have."""

import os
import sys

import busy  # noqa: F401

from maas_engine.cli import _serve

if __name__ == "__main__":
    models = [f"--model={name}={os.environ['MODELS']}/{name}.onnx" for name in ("small", "wide")]
    sys.exit(_serve.main([*models, "--port", os.environ["PORT"], "--threads", "1"]))
