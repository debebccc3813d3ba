# The verbs that measure the project. Most take minutes; docs/benchmarks.md has the figures.

# Further options of a benchmark, as in BENCH_ARGS=--write-nothing.
BENCH_ARGS ?=
# Further options of `make soak`, as in SOAK_ARGS="--overload-min 1 --requests 500000", which makes it shorter.
SOAK_ARGS ?=
# The servers that `make bench-peers` measures beside this project, as in PEERS="triton fastapi"; all of them if empty.
PEERS ?=
# The folders of ratings for `make bench-accuracy`.
DATA_DIRS ?= build/demo
# The folder of KMRD, for a race against the reference in `make bench-train`.
KMRD ?=

PEERS_WITH_ENVIRONMENT := $(patsubst bench/peers/%/requirements.txt,%,$(wildcard bench/peers/*/requirements.txt))
PEERS_READY = $(patsubst %,.venv-peers/%/ready,$(if $(PEERS),$(filter $(PEERS),$(PEERS_WITH_ENVIRONMENT)),$(PEERS_WITH_ENVIRONMENT)))

.PHONY: bench-serve bench-peers bench-costs bench-predictor bench-new-users bench-update bench-accuracy bench-train soak fuzz

bench-serve: $(ARTIFACT) ## measure VERSION against a stock TorchServe bundle (needs wrk, cc)
	$(PY) -m bench.serve --artifact $(ARTIFACT) $(BENCH_ARGS)
	$(PY) -m bench.growth --artifact $(ARTIFACT) $(filter --write-nothing,$(BENCH_ARGS))

bench-peers: $(ARTIFACT) ## measure VERSION against Triton, FastAPI, TorchServe, or PEERS (needs wrk, cc)
	$(if $(PEERS_READY),-@$(MAKE) --no-print-directory --keep-going $(PEERS_READY))
	$(PY) -m bench.peers --artifact $(ARTIFACT) $(if $(PEERS),--only ours $(filter-out ours,$(PEERS))) $(BENCH_ARGS)

bench-costs: $(ARTIFACT) .venv-peers/triton/ready ## measure the CPU time of an answer, against Triton, and its waiting times (needs wrk, cc)
	$(PY) -m bench.peers.costs --artifact $(ARTIFACT) $(BENCH_ARGS)
	$(PY) -m bench.waits --artifact $(ARTIFACT) $(BENCH_ARGS)

bench-predictor: $(ARTIFACT) ## measure VERSION in one process without a server, also on a GPU if there is one
	$(PY) -m bench.predictor --artifact $(ARTIFACT) $(BENCH_ARGS)

bench-new-users: $(DEMO) | .venv/serve ## measure errors for new users by their ratings: make bench-new-users DATA="folder folder ..."
	$(PY) -m bench.new_users $(DATA) $(BENCH_ARGS)

bench-update: $(DEMO) | .venv/serve ## measure an update against training anew, on DATA
	$(PY) -m bench.update $(DATA) $(BENCH_ARGS)

bench-accuracy: .venv/serve .venv-peers/surprise/ready .venv-peers/myfm/ready $(if $(filter build/demo,$(DATA_DIRS)),build/demo/rates.csv) ## compare errors on DATA_DIRS with Surprise and myfm
	$(PY) -m bench.accuracy $(DATA_DIRS) $(BENCH_ARGS)

bench-train: .venv/serve ## measure training by number of ratings, up to 10 million; KMRD=folder adds a race
	$(PY) -m bench.train $(if $(KMRD),--kmrd $(call quoted,$(KMRD))) $(BENCH_ARGS)

soak: $(ARTIFACT) ## stress a server with overload and faults for 20 minutes (needs wrk, cc)
	$(PY) -m bench.soak --artifact $(ARTIFACT) $(SOAK_ARGS)

fuzz: .venv/dev ## test the handler with more than 100,000 random requests, which takes minutes
	HYPOTHESIS_PROFILE=long $(PY) -m pytest -rP tests/handler/test_fuzz.py

# Each peer has its own environment: Surprise needs numpy 1 and a C compiler, and myfm needs numpy 2.
define INSTALL_PEER
@echo 'installing $* into .venv-peers, once; this takes minutes'
$(PYTHON) -m venv --clear $(@D)
$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
@touch $@
endef
.venv-peers/%/ready: bench/peers-%.txt
	$(INSTALL_PEER)
.venv-peers/%/ready: bench/peers/%/requirements.txt
	$(INSTALL_PEER)
