"""Ours: one thread for requests, as the others have."""

import os
import threading

from maas_engine.serving import Server

if __name__ == "__main__":
    models = {name: f"{os.environ['MODELS']}/{name}.onnx" for name in ("small", "wide")}
    Server(models, port=int(os.environ["PORT"]), threads=1).start()
    threading.Event().wait()
