"""`python -m benchmarks.serving.https`: what TLS costs. One row a request on kept connections, plain and over TLS 1.3.

Both servers stand side by side and are loaded in turns by wrk, which encrypts on the same cores. Needs wrk and openssl.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path

from .__main__ import wrk
from .own import model_file, one_row, serving


def certificate(work: Path) -> tuple[str, str]:
    """Files of a certificate (ECDSA, P-256) and its key."""
    paths = str(work / "cert.pem"), str(work / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=localhost", "-days", "1", "-out", paths[0], "-keyout", paths[1]]
    subprocess.run(command, check=True, capture_output=True)
    return paths


def cipher(port: int) -> str:
    """The protocol and cipher that a client is given."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-brief"]
    text = subprocess.run(command, input="", capture_output=True, text=True, check=True).stderr
    found = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    return f"{found['Protocol version']}, {found['Ciphersuite']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    body = one_row()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        model = model_file(work)
        cert, key = certificate(work)
        with serving(model) as (_, plain), serving(model, "--tls-cert", cert, "--tls-key", key) as (_, tls):
            print(f"{cipher(tls)}\n")
            print("| connections | HTTP | HTTPS | share |\n|---|---|---|---|")
            servers = (f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}")
            for connections in arguments.connections:
                turns = [
                    [wrk("small", body, connections, arguments.seconds, work, server) for server in servers]
                    for _ in range(arguments.turns)
                ]
                rates = [statistics.median(turn[i]["rate"] for turn in turns) for i in (0, 1)]
                tails = [statistics.median(turn[i]["p99"] for turn in turns) for i in (0, 1)]
                cells = [f"{rates[i]:,.0f}/s (p99 {1e3 * tails[i]:.2f} ms)" for i in (0, 1)]
                print(f"| {connections} | {cells[0]} | {cells[1]} | {rates[1] / rates[0]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
