# The commands of everyday work. `make` lists them; HACKING.txt and docs/ tell of them at length.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

# Most of what tests do is to wait, so there are more processes than two cores could do with.
WORKERS := -n 4 --dist loadscope

# Tests start thousands of programs, and each would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: demo
demo: demo-build $(if $(findstring --real,$(ARGS)),servers) ## services register, a consumer follows, one is killed; ARGS=--real or --asyncio
	@$(BIN)/python examples/demo.py $(ARGS)

.PHONY: demo-build
demo-build: export ZOOKEEPER_HASTY = 1
demo-build:
	@$(MAKE) $(SIDE_BY_SIDE) .venv/.installed extension

.PHONY: test
test: build servers other-servers kerberos prometheus ## run the tests; ARGS goes to pytest: make test ARGS='-n 0 -k links'
	@$(BIN)/python -m pytest $(WORKERS) $(ARGS)

.PHONY: test-tls
test-tls: export ZK_TEST_TARGETS = tls
test-tls: export ZK_TEST_SERVER = tls
test-tls: build servers ## binding, library, commands and pages with servers that accept nothing but TLS
	@$(BIN)/python -m pytest $(WORKERS) tests/binding tests/library tests/cli tests/docs/test_pages.py $(ARGS)

# A module is marked quick that tells much in little time, and tests that ask for Java are left out.
# Each process collects all tests, which takes seconds, so there are fewer of them.
.PHONY: quick
quick: export ZK_TEST_TARGETS = wire emulation
quick: build ## the tests that tell most in a minute: no Java, no root; ARGS goes to pytest
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m 'quick and not java' $(ARGS)

# tox finds interpreters on PATH, where pyenv puts only those that are switched on.
PYENV_VERSIONS := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.*/bin)
space := $(subst ,, )

.PHONY: test-all
test-all: build servers kerberos ## the binding's tests on Python 3.10 to 3.13; ARGS goes to tox
	@PATH="$(subst $(space),:,$(PYENV_VERSIONS)):$$PATH" $(BIN)/python -m tox run $(ARGS)

.PHONY: test-page
test-page: export ZK_TEST_PAGE = 1
test-page: build servers page ## the tests of the page for browsers, in Chromium
	@$(BIN)/python -m pytest tests/browse $(ARGS)

.PHONY: pictures
pictures: build page ## draw the pictures in docs/ anew
	@$(BIN)/python -m scripts.draw_pictures

.PHONY: docs
docs: build ## the documentation as pages for a browser: build/docs/index.html
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --doctree-dir build/doctrees docs build/docs
	@echo build/docs/index.html

.PHONY: lint
lint: build ## linters and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: asan
asan: build servers ## the binding's tests under AddressSanitizer and UndefinedBehaviorSanitizer; ARGS: files
	@$(BIN)/python scripts/run_sanitized.py $(WORKERS) $(ARGS)

.PHONY: asan-text
asan-text: build ## the same for what reads and writes tree text
	@$(BIN)/python scripts/run_sanitized.py --text $(WORKERS) $(ARGS)

.PHONY: asan-build
asan-build: build ## compile what these two run, which takes a minute or two
	@$(BIN)/python scripts/run_sanitized.py --build

.PHONY: fuzz
fuzz: build ## hostile servers spoil what they send, clients run under AddressSanitizer; ARGS: seconds, --seed N
	@$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: tsan
tsan: build ## the C core under ThreadSanitizer, in many threads, its connections cut; ARGS: rounds
	@$(BIN)/python scripts/run_tsan.py $(ARGS)

.PHONY: faults
faults: build servers ## 500 faults for real servers and clients, some minutes; ARGS=--short: one minute
	@$(BIN)/python -m tests.faults $(ARGS)

.PHONY: compare
compare: export ZK_TEST_OPERATIONS ?= 100000
compare: export ZK_TEST_FRAMES ?= 100000
compare: build servers ## our server and a real one, 100,000 random operations each way, and as many spoilt frames
	@$(BIN)/python -m pytest -o faulthandler_timeout=0 \
	    tests/testing/test_differential.py tests/testing/test_emulation_differential.py \
	    tests/testing/test_malformed.py $(ARGS)

.PHONY: bench
bench: build servers ## all benchmarks, an hour, into docs/; ARGS=--quick: minutes, into build/
	@$(BIN)/python benchmarks/performance.py $(ARGS)

.PHONY: wheel
wheel: dist/.built ## source distribution and self-contained wheel in dist/
	@ls dist/*

# By way of the source distribution: a wheel built in the tree may carry modules that are long gone
# from it, left over in build/.
SOURCES := $(shell find src -type f -not -name '*.so' -not -name '*.pyc' -not -path '*.egg-info/*')
dist/.built: $(SOURCES) setup.py pyproject.toml MANIFEST.in README.txt NOTICE.txt | .venv/.tools-installed
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation
	@touch $@

.PHONY: wheels
wheels: .venv/.release-installed ## wheels that an index takes, for each platform and Python, in build/release; ARGS='--target aarch64 --python 3.12'
	@scripts/install-system-packages $(PYTHON) wheels
	@$(BIN)/python -m scripts.wheels $(ARGS)

.PHONY: release-check
release-check: build .venv/.release-installed ## all that is looked at before a release goes out, an hour; ARGS='--only metadata'
	@scripts/install-system-packages $(PYTHON) wheels
	@$(BIN)/python -m scripts.release_check $(ARGS)

.venv/.release-installed: pyproject.toml constraints.txt | .venv/.installed
	@scripts/pip $(PYTHON) install --quiet $(LOCKED) $(PIP)
	@$(BIN)/python -m pip install --quiet $(LOCKED) --group release
	@touch $@

# What changed is compiled, which is nothing most of the time. Otherwise one processor does nothing but the
# longest file, so packages are installed meanwhile.
.PHONY: build
build: ## everything that is missing: Debian packages, .venv, the extension
	@$(MAKE) $(SIDE_BY_SIDE) .venv/.tools-installed extension

SIDE_BY_SIDE := --no-print-directory --jobs=2

.PHONY: extension
extension: | .venv/.compilable
	@$(BIN)/python setup.py --quiet build_ext --inplace --parallel 2

# The group `build`, for a pip that is too old for groups. The demonstration does with the pip that comes
# with Python, and compiles only what it imports of the others.
BUILD_TOOLS = $(shell sed -n "s/^build = \[\(.*\)\]/\1/p" pyproject.toml | tr '",' "' ")
PIP = $(filter 'pip%,$(BUILD_TOOLS))

.venv/.compilable: pyproject.toml constraints.txt | system
	@echo 'Installing into .venv what is missing there, and compiling: half a minute ...' >&2
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear --without-pip .venv
	@scripts/pip $(PYTHON) install --quiet --no-compile $(LOCKED) $(filter-out $(PIP),$(BUILD_TOOLS))
	@touch $@

# The package, in place. `extension` compiles: an installer would do so in a folder of its own, and throw
# the object files away.
PACKAGE := --quiet --no-build-isolation --editable
.venv/.tools-installed .venv/.installed: export ZOOKEEPER_EXTENSIONS = elsewhere

# At a lower priority, for it is the compiler that is waited for.
.venv/.installed: .venv/.compilable
	@nice -n 5 scripts/pip $(PYTHON) install $(LOCKED) $(PACKAGE) .
	@touch $@

# What tests, linters and benchmarks take, and the demonstration does not.
.venv/.tools-installed: .venv/.installed
	@echo 'Installing into .venv what tests and linters need: a minute ...' >&2
	@scripts/pip $(PYTHON) install --quiet $(LOCKED) $(PIP)
	@$(BIN)/python -m pip install --quiet $(LOCKED) --group dev
	@$(BIN)/python -m pip install $(LOCKED) $(PACKAGE) '.[test]'
	@touch $@

# One release of each tool, for all Pythons: what passes today passes tomorrow.
LOCKED := --constraint constraints.txt

.PHONY: lock
lock: .venv/.tools-installed ## write constraints.txt anew: the latest releases of all tools
	@$(BIN)/python -m pip install --quiet $(LOCKED) --group lock
	@$(BIN)/python -m uv --quiet pip compile --universal --python-version 3.10 --upgrade \
	    --extra test --extra netifaces --extra zope-event --extra kerberos --group dev --group page --group release --group lock \
	    --no-annotate --custom-compile-command 'make lock' --output-file constraints.txt \
	    pyproject.toml

# In an environment of its own, as the lock is for .venv.
.PHONY: latest
latest: build ## without the lock: the tests of what leans on others' libraries, with their latest releases
	@$(PYTHON) -m venv --clear build/latest
	@build/latest/bin/python -m pip install --quiet --upgrade pip
	@build/latest/bin/python -m pip install --quiet --group build
	@build/latest/bin/python -m pip install --quiet --no-build-isolation --editable '.[test]'
	@build/latest/bin/python -m pytest $(WORKERS) tests/cli/test_formats.py tests/cli/test_completion.py tests/cli/test_shell.py \
	    tests/pure/test_templates.py \
	    tests/monitor tests/metrics tests/docs/test_rendering.py tests/library/test_http_adapters.py tests/aio $(ARGS)

.PHONY: system
system:
	@scripts/install-system-packages $(PYTHON)

.PHONY: servers
servers: ## the real server, which takes Java: for the tests
	@scripts/install-system-packages $(PYTHON) server

.PHONY: other-servers
other-servers: ## older and newer releases of the real server, into build/servers: for the tests
	@scripts/fetch-servers

.PHONY: kerberos
kerberos: .venv/.kerberos-installed ## a Kerberos KDC, and what clients need: for the tests
	@scripts/install-system-packages $(PYTHON) kerberos

.PHONY: prometheus
prometheus: ## Prometheus and promtool, below build/: for the tests
	@scripts/unpack-prometheus

# The package compiles for minutes, the more so where the compiler optimises: only what needs it has it
# installed.
.venv/.kerberos-installed: pyproject.toml constraints.txt | .venv/.tools-installed
	@scripts/install-system-packages $(PYTHON) kerberos
	@CFLAGS=-O0 $(BIN)/python -m pip install --quiet $(LOCKED) --no-build-isolation gssapi
	@touch $@

.PHONY: balancers
balancers: ## haproxy and nginx: for the tests of zk render
	@scripts/install-system-packages $(PYTHON) balancers

.PHONY: rolling
rolling: build balancers ## a hundred rolling restarts behind haproxy and nginx, under load; ARGS: how many
	@$(BIN)/python -m tests.balancers $(ARGS)

.PHONY: page
page: .venv/.page-installed
	@scripts/install-system-packages $(PYTHON) page

# axe-core is locked by a file of npm's, and put beside what pip installs: nothing of it is packaged.
.venv/.page-installed: pyproject.toml constraints.txt tests/browse/axe/package-lock.json | .venv/.tools-installed
	@scripts/install-system-packages $(PYTHON) page
	@$(BIN)/python -m pip install --quiet $(LOCKED) --group page
	@mkdir -p .venv/axe && cp tests/browse/axe/package*.json .venv/axe
	@npm ci --silent --ignore-scripts --no-audit --no-fund --prefix .venv/axe
	@touch $@

.PHONY: clean
clean: ## remove what was built, but not .venv
	rm -rf build dist src/*.egg-info src/zookeeper/*.so
