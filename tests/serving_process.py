"""A server in a process of its own, as an operator starts it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any


class ServingProcess:
    """``maas-engine serve`` on free ports. ``log``: its lines so far, as objects."""

    def __init__(
        self, *arguments: str, environment: dict[str, str] | None = None, limits: str = "true"
    ) -> None:
        """``limits``: what a shell says before it starts the server, such as ``ulimit -n 100``."""
        command = [sys.executable, "-m", "maas_engine", "serve", "--port", "0", *arguments]
        command = ["sh", "-c", f'{limits}; exec "$@"', "sh", *command]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
        )
        self.log: list[dict[str, Any]] = []
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        listening = self.wait_for("listening")
        self.port, self.tcp_port = listening["port"], listening["tcp_port"]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def wait_for(self, event: str, seconds: float = 60.0) -> dict[str, Any]:
        """The next line of that event."""
        end = time.monotonic() + seconds
        while (line := self._lines.get(timeout=max(0.0, end - time.monotonic()))) is not None:
            self.log.append(line)
            if line["event"] == event:
                return line
        raise AssertionError(f"it ended without {event!r}: {self.log}")

    def kill(self) -> None:
        """End it as a failing machine would: at once, with nothing said."""
        self.process.kill()
        self.__exit__(None, None, None)

    def memory(self) -> int:
        """Bytes of it that are in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.split("VmRSS:")[1].split()[0])

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def computed(self) -> float:
        """Seconds that its threads have computed."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(120)
        self._reader.join()
        while (line := self._lines.get()) is not None:
            self.log.append(line)
        return status

    def __enter__(self) -> ServingProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()
