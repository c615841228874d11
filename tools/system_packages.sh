#!/bin/bash
# Installs the system packages the build needs and the machine lacks: system_packages.sh PYTHON [bench]
# Only Debian and Ubuntu are automatic; elsewhere it names the packages and stops.
set -euo pipefail
python=${1:-python3}

fail() { echo "system_packages: $*" >&2; exit 1; }

command -v "$python" >/dev/null || fail "no $python found: install Python 3.10 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$python is older than 3.10"

has_library() { command -v pkg-config >/dev/null && pkg-config --exists "$@"; }
has_header() { echo "#include <$1>" | g++ -E -x c++ - >/dev/null 2>&1; }
has_python_headers() {
  "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}

missing=()
command -v g++ >/dev/null || missing+=(g++)
command -v pkg-config >/dev/null || missing+=(pkg-config)
has_library libhwy libhwy-contrib || missing+=(libhwy-dev)
has_header protozero/pbf_reader.hpp || missing+=(libprotozero-dev)
has_library gtest || missing+=(libgtest-dev)
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=("$(basename "$python")-venv")
has_python_headers || missing+=("$(basename "$python")-dev")
[ "${2:-}" != bench ] || has_library benchmark || missing+=(libbenchmark-dev)

if [ ${#missing[@]} -gt 0 ]; then
  echo "system_packages: missing ${missing[*]}"
  command -v apt-get >/dev/null || fail "no apt-get here. Install the same things with your own package manager:
  Fedora  sudo dnf install gcc-c++ make pkgconf python3-devel highway-devel protozero-devel gtest-devel google-benchmark-devel
  macOS   brew install pkgconf highway protozero googletest google-benchmark
  conda   conda install -c conda-forge cxx-compiler make pkg-config libhwy protozero gtest benchmark"
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo: run 'apt-get install ${missing[*]}' as root"
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

[ "$(g++ -dumpversion | cut -d. -f1)" -ge 12 ] || fail "g++ 12 or newer is needed, found $(g++ -dumpversion)"
