"""A real S3 server for the tests: moto in a process of its own, on a port that the system chooses."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIATESTSONLY",
    "AWS_SECRET_ACCESS_KEY": "do-not-print-this",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class S3Server:
    """A running server; `stop` and `start` are for tests of a store that is down. Stopping loses the buckets."""

    def __init__(self) -> None:
        self._log = Path(tempfile.mkdtemp(prefix="maas-s3-")) / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, on the port that it had before, and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        if shutil.which("setpriv") is not None:
            command = [
                "setpriv",
                "--pdeathsig",
                "KILL",
                *command,
            ]  # it ends with pytest, also one that is killed
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + 60
        while (found := re.search(r"Running on http://127\.0\.0\.1:(\d+)", self._log.read_text())) is None:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the S3 server did not start:\n" + self._log.read_text())
            time.sleep(0.02)
        self.port = int(found[1])

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._log.parent, ignore_errors=True)
