"""A real PostgreSQL for the tests: its own folder, port and socket, gone when the tests end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    # Processes get killed in tests, the machine does not: what the system holds is as good as on the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
}


def find_programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs; Debian keeps them off the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: float(path.parts[4]))
    found = shutil.which("initdb")
    if found is not None:
        folders.append(Path(found).resolve().parent)
    return next((folder for folder in reversed(folders) if (folder / "postgres").exists()), None)


class PostgresServer:
    """A running server; `stop` and `start` are for tests of a database that is down."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = _user_to_run_as()
        self.folder = Path(tempfile.mkdtemp(prefix="maas-pg-"))  # short: a socket's path has 107 bytes
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = open(self.folder / "log", "wb")  # noqa: SIM115
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        try:
            self._run("initdb", "--auth=trust", "--username=maas", "--encoding=UTF8", "--locale=C.UTF-8",
                      "--no-sync", "--pgdata", str(self.folder / "data"))  # fmt: skip
            self.start()
        except BaseException:
            self.close()
            raise

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return self._address(database).replace("postgresql:", "postgresql+psycopg:")

    def create_database(self, template: str | None = None) -> str:
        """Make a database, empty or a copy of another that is not in use, and return its URL."""
        name = f"test_{secrets.token_hex(8)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}")
        return self.url(name)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        options += [f"-cport={self.port}", f"-cunix_socket_directories={self.folder}"]
        self._process = subprocess.Popen(
            self._command("postgres", "-D", str(self.folder / "data"), *options),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            start_new_session=True,  # Ctrl-C is for pytest, which then stops it in order
        )
        until = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("PostgreSQL did not start:\n" + self.log())
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server at once, as a machine that fails would."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT, PostgreSQL's immediate shutdown
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _address(self, database: str) -> str:
        return f"postgresql://maas@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self._address("postgres"), connect_timeout=10):
                return True
        except psycopg.OperationalError:
            return False

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._programs / program), *arguments]
        if shutil.which("setpriv") is None:
            return command
        # The server ends with pytest, also when pytest is killed.
        options = ["--pdeathsig", "QUIT"]
        if self._user is not None:
            options += [f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups"]
        return ["setpriv", *options, *command]

    def _run(self, program: str, *arguments: str) -> None:
        command = self._command(program, *arguments)
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        if result.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{result.stdout}{result.stderr}")


def _user_to_run_as() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in USERS if name in known)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
