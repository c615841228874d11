#!/bin/bash
# The engine lives inside other people's processes: it neither prints nor ends them.
set -euo pipefail
cd "$(dirname "$0")/.."
pattern='std::(cout|cerr|clog)|\b(printf|fprintf|puts|fputs|perror)\(|\b(abort|_?exit|_Exit|quick_exit|terminate)\(|HWY_ABORT|HWY_ASSERT|\bassert\('
if grep -rnE "$pattern" cpp/maas; then
  echo "no_printing: the lines above print or end the process" >&2
  exit 1
fi
