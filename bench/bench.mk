# The verbs that measure the project, or try it hard. Most take minutes; README.md tells what they found.

# Further options of a benchmark, as in SOAK_ARGS="--overload-min 1 --requests 500000", which shortens `make soak`.
BENCH_ARGS ?=
SOAK_ARGS ?=
# Servers beside this project that `make bench-peers` measures; none: all of them.
PEERS ?=
# Folders that the accuracy is compared on.
DATA_DIRS ?= build/demo
# The folder of KMRD, for a race of the training on it.
KMRD ?=

PEERS_WITH_ENVIRONMENT := $(patsubst bench/peers/%/requirements.txt,%,$(wildcard bench/peers/*/requirements.txt))
PEERS_READY = $(patsubst %,.venv-peers/%/ready,$(if $(PEERS),$(filter $(PEERS),$(PEERS_WITH_ENVIRONMENT)),$(PEERS_WITH_ENVIRONMENT)))

.PHONY: bench-serve bench-peers bench-costs bench-predictor bench-new-users bench-update bench-accuracy bench-train soak fuzz

bench-serve: .venv/serve ## measure VERSION's model served here against a stock TorchServe bundle (needs wrk)
	$(PY) -m bench.serve --artifact "$$($(BUILD) artifact)" $(BENCH_ARGS)
	$(PY) -m bench.growth --artifact "$$($(BUILD) artifact)"

bench-peers: .venv/serve ## measure VERSION's model served here against PEERS, or FastAPI, LitServe, BentoML, MLServer, Ray Serve, Triton, TorchServe (needs wrk, a C compiler)
	$(if $(PEERS_READY),-@$(MAKE) --no-print-directory --keep-going $(PEERS_READY))
	$(PY) -m bench.peers --artifact "$$($(BUILD) artifact)" $(if $(PEERS),--only ours $(filter-out ours,$(PEERS))) $(BENCH_ARGS)

bench-costs: .venv/serve .venv-peers/triton/ready ## measure what an answer costs, by process, here and in Triton, and what it waits for (needs wrk, a C compiler)
	$(PY) -m bench.peers.costs --artifact "$$($(BUILD) artifact)" $(BENCH_ARGS)
	$(PY) -m bench.waits --artifact "$$($(BUILD) artifact)" $(BENCH_ARGS)

bench-predictor: .venv/serve ## measure VERSION's model in one process without a server, on the GPU too where there is one
	$(PY) -m bench.predictor --artifact "$$($(BUILD) artifact)"

bench-new-users: .venv/serve ## measure what a new user's ratings buy: make bench-new-users DATA="folder folder ..."
	@$(BUILD) demo
	$(PY) -m bench.new_users $(or $(DATA),build/demo)

bench-update: .venv/serve ## measure an update against training anew, on DATA
	@$(BUILD) demo
	$(PY) -m bench.update $(or $(DATA),build/demo)

bench-accuracy: .venv/serve .venv-peers/surprise/ready .venv-peers/myfm/ready ## compare errors on DATA_DIRS with Surprise's and myfm's
	@$(BUILD) demo
	$(PY) -m bench.accuracy $(DATA_DIRS) $(BENCH_ARGS)

bench-train: .venv/serve ## measure training by number of ratings (10 million of them take minutes); KMRD=folder adds a race
	$(PY) -m bench.train $(if $(KMRD),--kmrd $(call quoted,$(KMRD)))

soak: .venv/serve ## overload, millions of requests and faults under load: 20 minutes (needs wrk); SOAK_ARGS shortens
	$(PY) -m bench.soak --artifact "$$($(BUILD) artifact)" $(SOAK_ARGS)

fuzz: .venv/dev ## try the handler with more than 100,000 requests; takes minutes
	HYPOTHESIS_PROFILE=long $(PY) -m pytest -rP tests/handler/test_fuzz.py

# One environment per peer: Surprise needs numpy 1 and a C compiler, myfm needs numpy 2; servers are in bench/peers.
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
