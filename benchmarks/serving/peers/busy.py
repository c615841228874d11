"""What computes in Python beside the server, where BUSY says so: a thread of its own, or a process of its session.

The session is the same, since Linux shares the cores between sessions first and then among their threads.
"""

import os
import subprocess
import sys
import threading

WORK = "while True: sum(range(1000))"

if os.environ.get("BUSY") == "thread":
    threading.Thread(target=exec, args=(WORK,), daemon=True).start()
elif os.environ.get("BUSY") == "process":
    subprocess.Popen([sys.executable, "-c", WORK])
