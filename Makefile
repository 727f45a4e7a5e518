# Two commands do it all: `make run` and `make test`. The Dockerfile and .ci/run use the same targets.
PYTHON ?= python3
# plain HOST and PORT, from the command line or the environment, stand for the settings of those names
SERVE_ENV := $(if $(HOST),DIGITPAD_HOST=$(HOST)) $(if $(PORT),DIGITPAD_PORT=$(PORT))
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
UV_LOCK := $(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

.PHONY: run test test-long chaos bench bench-peers bench-serve lint format install install-dev lock default-model teaching-model messages screenshots clean

run: install ## serve on http://HOST:PORT
	$(SERVE_ENV) $(PY) -m app serve

# two processes, each with one thread of BLAS; bytecode is kept, as the tests start hundreds of servers and trainings
PYTEST := PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist worksteal

test: install-dev browser clients postgres ## run the tests, but for the long ones; any of them with ARGS="tests/nn -k adam"
	$(PYTEST) $(or $(ARGS),-m "not slow")

test-long: install-dev browser clients postgres ## run the long tests: chaos, fuzzing, axe, whole stories in a browser, the documents, the wheel
	$(PYTEST) -m slow $(ARGS)

bench: install-dev ## measure speed and memory; nothing else should run meanwhile
	$(PY) -m benchmarks

bench-peers: install ## install PyTorch, Keras, JAX and scikit-learn beside, for benchmarks.train; one that fails is named there
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip --quiet install --require-hashes -r requirements.lock
	$(PY) -c "import tomllib; [print(p.split(';')[0]) for p in tomllib.load(open('pyproject.toml','rb'))['project']['optional-dependencies']['bench']]" \
		| while read -r peer; do .venv-bench/bin/python -m pip --quiet install "$$peer" || echo "$$peer could not be installed"; done
	$(PY) -m benchmarks.train

bench-serve: install ## install LitServe, BentoML and Gradio beside, and measure /predict beside them
	$(PYTHON) -m venv .venv-bench-serve
	$(PY) -c "import tomllib; print(*tomllib.load(open('pyproject.toml','rb'))['dependency-groups']['serve-peers'], sep='\n')" \
		| .venv-bench-serve/bin/python -m pip --disable-pip-version-check --quiet install -r /dev/stdin
	$(PY) -m benchmarks.predict

lint: install-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/hadolint Dockerfile

format: install-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

default-model: install ## train the shipped model anew (needs MNIST and pendigits: the cache, DIGITPAD_DATA_DIR or the network)
	$(PY) -m app default-model
	$(PY) -m benchmarks.robust --write mnist-mlp
	$(PY) -m benchmarks.hands --write mnist-mlp

teaching-model: install ## train the small model of "Look inside" anew (needs MNIST: the cache, DIGITPAD_DATA_DIR or the network)
	$(PY) -m app teaching-model

messages: install-dev ## gather the texts of the pages, and bring the catalogues in app/i18n/locale up to date
	$(PY) -m app.i18n.extract

screenshots: install-dev browser ## every page in both languages, 390 and 1280 px, light and dark, into build/screenshots
	$(PY) -m tests.e2e.screenshots

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "digitpad needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "digitpad needs Python's venv (Debian: apt install python3-venv)"; exit 1; }

$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.installed

.PHONY: browser
browser: install-dev
	@sh tests/support/install-browser.sh $(PY)

.PHONY: postgres test-postgres
postgres:
	@sh tests/cluster/install-postgres.sh

test-postgres: install-dev postgres ## run the tests of runs and of their API with PostgreSQL instead of SQLite
	DIGITPAD_TEST_POSTGRES=1 $(PYTEST) -m "not slow" $(or $(ARGS),tests/runs tests/web/api)

lock: install-dev ## pin the newest versions that pyproject.toml allows
	$(UV_LOCK) --upgrade --extra metrics --extra onnx --extra qr -o requirements.lock
	$(UV_LOCK) --upgrade --extra metrics --extra test --extra docs --extra lint -c requirements.lock -o requirements-dev.lock
	$(subst pip compile pyproject.toml,pip compile --group clients,$(UV_LOCK)) --upgrade -o requirements-clients.lock
	$(subst pip compile pyproject.toml,pip compile --group audit,$(UV_LOCK)) --upgrade -o requirements-audit.lock
	$(UV_LOCK) --upgrade --extra onnx --group fuzz -c requirements.lock -o requirements-fuzz.lock

.PHONY: audit
audit: install-dev .venv-audit/.installed ## look for known advisories of what `make run` installs; skipped where nothing can be asked
	$(PY) -m tests.packaging.audit .venv-audit/bin/pip-audit requirements.lock

.venv-audit/.installed: requirements-audit.lock
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $< && touch $@

.PHONY: wheel container-check
wheel: install-dev ## build the wheel and the source distribution into dist/
	$(PY) -m hatchling build

container-check: install-dev ## run every line of the Dockerfile in a clean folder, and the server from it, without a container engine
	$(PY) -m tests.packaging.container

.PHONY: clients
clients: .venv-clients/.installed ## the real clients of the Open Inference Protocol, for tests/web/api/test_inference_v2.py

.venv-clients/.installed: requirements-clients.lock
	@$(PYTHON) -m venv .venv-clients
	@.venv-clients/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $< && touch $@ \
		|| { rm -rf .venv-clients; echo "the clients cannot be installed on this Python; their tests are skipped"; }

.PHONY: docs
docs: install-dev ## build the documents into build/docs; what is undocumented or a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --quiet

chaos: install-dev ## kill and freeze servers and trainings at ROUNDS=225 random moments
	DIGITPAD_CHAOS_MOMENTS=$$((($(or $(ROUNDS),225) + 8) / 9)) $(PY) -m pytest -q tests/chaos $(ARGS)

.PHONY: fuzz
fuzz: install-dev .venv-fuzz/.installed ## fuzz every parser under atheris for SECONDS=600 in all, then every call; PARSERS="onnx npz" chooses
	SECONDS=$(or $(SECONDS),600) .venv-fuzz/bin/python -m tests.hostile.fuzz $(PARSERS)
	DIGITPAD_FUZZ_EXAMPLES=$(or $(EXAMPLES),500) $(PYTEST) tests/hostile/test_fuzz.py tests/hostile/test_wire.py

.venv-fuzz/.installed: requirements-fuzz.lock
	@$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $< && touch $@

clean:
	rm -rf $(VENV) build dist
