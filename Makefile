# One command a habit. Every target sets up what it needs; `make help` lists them.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := build/release
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# The venv's own cmake, ninja and clang-format come before the system's.
export PATH := $(CURDIR)/$(BIN):$(PATH)

SOURCES := $(shell find cpp cmake -type f 2>/dev/null) CMakeLists.txt pyproject.toml
CPP_TESTS := $(shell find tests/cpp tests/fuzz -type f 2>/dev/null)
CPP_FILES = $(shell git ls-files 'cpp/*.h' 'cpp/*.cc' 'tests/*.h' 'tests/*.cc' 'benchmarks/*.h' 'benchmarks/*.cc' 'examples/*.h' 'examples/*.c' 'examples/*.cpp')

.PHONY: help
help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# --- set-up ---------------------------------------------------------------------------------------------

.PHONY: deps
deps: ## Install missing system packages and make .venv (done by the other targets too)
deps: $(STAMPS)/build

$(STAMPS)/venv: tools/system_packages.sh
	tools/system_packages.sh $(PYTHON)
	@echo "make: creating $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"
	@mkdir -p $(@D) && touch $@

# One stamp a dependency group of pyproject.toml.
$(STAMPS)/%: $(STAMPS)/venv pyproject.toml
	@echo "make: installing the '$*' group into $(VENV)"
	$(PIP) --group $*
	@touch $@

.PHONY: build
build: ## Build the extension (build/release) and install the package into .venv
build: $(STAMPS)/installed

$(STAMPS)/installed: $(STAMPS)/build $(SOURCES)
	@echo "make: building the engine (a few minutes the first time)"
	$(PIP) --no-build-isolation -C build-dir=$(BUILD) -e ".[train,registry,serve]"
	@touch $@

# The C++ tests, in the same folder, so that nothing is compiled twice.
$(STAMPS)/cpp_tests: $(STAMPS)/installed $(CPP_TESTS)
	@echo "make: building the C++ tests (some minutes the first time)"
	cmake -DMAAS_TESTS=ON $(BUILD) >$(BUILD)/configure.log || { cat $(BUILD)/configure.log; exit 1; }
	cmake --build $(BUILD)
	@touch $@

# --- everyday -------------------------------------------------------------------------------------------

.PHONY: demo
demo: build $(STAMPS)/demo ## Train and judge models beside scikit-learn; register one, serve it, ask it
	$(BIN)/python examples/demo.py
	$(BIN)/python examples/process.py
	$(BIN)/python examples/serving.py

.PHONY: examples
examples: build ## Train networks on real tables, beside scikit-learn
	for program in digits_classifier diabetes_regressor anomaly_autoencoder categorical_embedding; do \
		$(BIN)/python examples/$$program.py || exit 1; done

.PHONY: test
test: $(STAMPS)/cpp_tests $(STAMPS)/test ## Run every C++ and Python test
	tools/system_packages.sh $(PYTHON) test
	$(BIN)/ctest --test-dir $(BUILD) --output-on-failure --parallel 2
	$(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: wheel
wheel: build $(STAMPS)/wheel ## Make a wheel for other machines, the libraries it needs inside but OpenSSL (dist/)
	rm -rf build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -C build-dir=$(BUILD) -w build/wheel .
	$(BIN)/auditwheel repair --exclude libssl.so.3 --exclude libcrypto.so.3 -w dist build/wheel/*.whl

.PHONY: test-wheel
test-wheel: wheel $(STAMPS)/test ## Test the wheel in a fresh environment, and programs built against it
	MAAS_WHEEL=$$(ls -t dist/*.whl | head -1) $(BIN)/python -m pytest tests/e2e/test_wheel.py

.PHONY: test-onnx
test-onnx: build $(STAMPS)/test ## Run ONNX's own backend test-suite (part of test)
	$(BIN)/python -m pytest tests/python/test_onnx_backend.py -v

.PHONY: test-faults
test-faults: build $(STAMPS)/test ## Kill processes, fill disks, stop servers, at every step (minutes)
	$(BIN)/python -m pytest -m faults

.PHONY: soak
soak: build $(STAMPS)/test ## Load a server with everything at once for 10 minutes: right answers, level memory
	MAAS_SOAK_SECONDS=600 $(BIN)/python -m pytest -s tests/python/test_soak.py

.PHONY: test-clients
test-clients: build $(STAMPS)/test build/clients/kserve/installed build/clients/mlserver/installed ## Ask the server with others' clients
	tools/system_packages.sh $(PYTHON) clients
	$(BIN)/python -m pytest -m "clients or not clients" tests/python/test_server_clients.py

# An environment of its own a client: their requirements clash. The versions are those that were tried.
build/clients/kserve/installed: CLIENT := kserve==0.15.2
build/clients/mlserver/installed: CLIENT := mlserver==1.7.1
build/clients/%/installed: Makefile
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check install --quiet $(CLIENT)
	@touch $@

.PHONY: operators
operators: build $(STAMPS)/test ## Write the tables of docs/operators.md from the code
	$(BIN)/python tools/write_operators.py

.PHONY: lint
lint: build $(STAMPS)/test $(STAMPS)/lint ## Check formatting, types, layers and the stub
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@clang-format --dry-run --Werror $(CPP_FILES)
	$(BIN)/mypy
	MYPYPATH=python $(BIN)/stubtest maas_engine._core maas_engine._server --allowlist tools/stubtest_allowlist.txt
	$(BIN)/lint-imports
	tools/no_printing.sh

.PHONY: format
format: $(STAMPS)/lint ## Format Python and C++
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	clang-format -i $(CPP_FILES)

# --- benchmarks -----------------------------------------------------------------------------------------

.PHONY: bench
bench: build $(STAMPS)/bench ## Compare with the peers, quick set (under 10 minutes)
	$(BIN)/python -m benchmarks.compare --quick

.PHONY: bench-full
bench-full: build $(STAMPS)/bench $(STAMPS)/peers ## Compare with more peers, every case
	$(BIN)/python -m benchmarks.compare

.PHONY: bench-registry
bench-registry: build $(STAMPS)/mlflow ## Time the registry beside MLflow's
	$(BIN)/python -m benchmarks.compare.registry

.PHONY: bench-serving
bench-serving: build ## Time the server beside uvicorn, FastAPI, mosec, MLServer, KServe and Triton
	tools/system_packages.sh $(PYTHON) wrk
	$(BIN)/python -m benchmarks.serving

.PHONY: bench-serving-proof
bench-serving-proof: build ## Time what TLS, idle connections and busy Python cost the server
	tools/system_packages.sh $(PYTHON) wrk
	$(BIN)/python -m benchmarks.serving.https
	$(BIN)/python -m benchmarks.serving.idle
	$(BIN)/python -m benchmarks.serving.busy

.PHONY: bench-python
bench-python: build $(STAMPS)/bench ## Time our own Python paths (pytest-benchmark)
	$(BIN)/python -m pytest benchmarks/python --benchmark-only

.PHONY: bench-cpp
bench-cpp: $(STAMPS)/build ## Time the C++ kernels (Google Benchmark)
	tools/system_packages.sh $(PYTHON) bench
	cmake -G Ninja -S . -B build/bench -DMAAS_PYTHON=OFF -DMAAS_BENCHMARKS=ON
	cmake --build build/bench
	build/bench/maas_bench --benchmark_min_time=0.2

.PHONY: bench-embed
bench-embed: build $(STAMPS)/bench ## Time one row in C++ and C beside ONNX Runtime's C interface
	tools/system_packages.sh $(PYTHON) bench
	cmake -G Ninja -S . -B build/bench -DMAAS_PYTHON=OFF -DMAAS_BENCHMARKS=ON
	cmake --build build/bench --target one_row
	$(BIN)/python -m benchmarks.embed build/bench/one_row

# --- checks that take longer ----------------------------------------------------------------------------

.PHONY: asan tsan
asan: $(STAMPS)/build ## C++ tests under the address and undefined-behaviour sanitizers
tsan: $(STAMPS)/build ## C++ tests under the thread sanitizer
asan tsan:
	cmake --preset $@
	cmake --build --preset $@
	ctest --preset $@

.PHONY: fuzz
fuzz: $(STAMPS)/build $(STAMPS)/test ## Run every fuzz target for a minute (clang)
	tools/system_packages.sh $(PYTHON) fuzz
	cmake --preset $@
	cmake --build --preset $@
	$(BIN)/python tests/fuzz/make_onnx_seeds.py build/fuzz/onnx_fuzz_corpus
	$(BIN)/python tests/fuzz/make_server_seeds.py build/fuzz/conversation_fuzz_corpus build/fuzz/infer_fuzz_corpus
	for target in build/fuzz/*_fuzz; do \
		mkdir -p "$${target}_corpus"; "$$target" -max_total_time=60 "$${target}_corpus" || exit 1; \
	done

.PHONY: clean
clean: ## Remove what was built, .venv included
	rm -rf build dist $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +
