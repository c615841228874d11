#!/bin/bash
# Installs the system packages the build needs and the machine lacks:
# system_packages.sh PYTHON [bench|clients|fuzz|test|wrk]
# Only Debian and Ubuntu are automatic; elsewhere it names the packages and stops.
set -euo pipefail
python=${1:-python3}

fail() { echo "system_packages: $*" >&2; exit 1; }

command -v "$python" >/dev/null || fail "no $python found: install Python 3.10 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$python is older than 3.10"

has_library() { command -v pkg-config >/dev/null && pkg-config --exists "$@"; }
has_header() { echo "#include <$1>" | g++ -E -x c++ - >/dev/null 2>&1; }
has_postgres() { command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
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
has_header simdjson.h || missing+=(libsimdjson-dev)
has_header boost/asio.hpp || missing+=(libboost-dev)
has_header openssl/ssl.h || missing+=(libssl-dev)
has_header zlib.h || missing+=(zlib1g-dev)
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=("$(basename "$python")-venv")
has_python_headers || missing+=("$(basename "$python")-dev")
[ "${2:-}" != bench ] || has_library benchmark || missing+=(libbenchmark-dev)
[[ "${2:-}" != @(wrk|clients) ]] || command -v wrk >/dev/null || missing+=(wrk)
[ "${2:-}" != clients ] || command -v h2load >/dev/null || missing+=(nghttp2-client)
[ "${2:-}" != clients ] || command -v curl >/dev/null || missing+=(curl)
[ "${2:-}" != fuzz ] || command -v clang++ >/dev/null || missing+=(clang libclang-rt-dev)
[ "${2:-}" != test ] || has_postgres || missing+=(postgresql)

if [ ${#missing[@]} -gt 0 ]; then
  echo "system_packages: missing ${missing[*]}"
  command -v apt-get >/dev/null || fail "no apt-get here. Install the same things with your own package manager:
  Fedora  sudo dnf install gcc-c++ make pkgconf python3-devel highway-devel protozero-devel gtest-devel simdjson-devel boost-devel openssl-devel zlib-devel google-benchmark-devel postgresql-server
  macOS   brew install pkgconf highway protozero googletest simdjson boost openssl zlib google-benchmark postgresql
  conda   conda install -c conda-forge cxx-compiler make pkg-config libhwy protozero gtest simdjson libboost-headers openssl zlib benchmark postgresql"
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo: run 'apt-get install ${missing[*]}' as root"
    sudo=(sudo)
  fi
  # The tests start a server of their own: Debian's shall make no cluster and start none.
  config=/etc/postgresql-common/createcluster.conf
  if [[ " ${missing[*]} " == *" postgresql "* && ! -e $config ]]; then
    "${sudo[@]}" mkdir -p "${config%/*}"
    echo "create_main_cluster = false" | "${sudo[@]}" tee "$config" >/dev/null
  fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

[ "$(g++ -dumpversion | cut -d. -f1)" -ge 12 ] || fail "g++ 12 or newer is needed, found $(g++ -dumpversion)"
