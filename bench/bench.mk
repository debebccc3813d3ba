# The verbs that measure the project. Most take minutes; docs/benchmarks.md has the figures.

# Further options of a benchmark, as in BENCH_ARGS=--write-nothing.
BENCH_ARGS ?=
# Further options of `make soak`, as in SOAK_ARGS="--overload-min 1 --requests 500000", which makes it shorter.
SOAK_ARGS ?=
# The servers that `make bench-peers` measures beside this project, as in PEERS="triton fastapi"; all of them if empty.
PEERS ?=
# The folders of ratings for `make bench-accuracy` and `make bench-ranking`.
DATA_DIRS ?= build/demo
# The folder of KMRD, for a race against the reference in `make bench-train`, and for `make gpu-check`.
KMRD ?=

PEERS_WITH_ENVIRONMENT := $(patsubst bench/peers/%/requirements.txt,%,$(wildcard bench/peers/*/requirements.txt))
PEERS_READY = $(patsubst %,.venv-peers/%/ready,$(if $(PEERS),$(filter $(PEERS),$(PEERS_WITH_ENVIRONMENT)),$(PEERS_WITH_ENVIRONMENT)))

RANKING_PEERS := implicit rectools lenskit

.PHONY: bench-serve bench-peers bench-costs bench-predictor bench-new-users bench-update bench-accuracy bench-ranking bench-train gpu-check gpu-bundle soak fuzz

bench-serve: .venv/serve ## measure VERSION against a stock TorchServe bundle (needs wrk, cc)
	$(PY) -m bench.serve --artifact "$$($(BUILD) artifact)" $(BENCH_ARGS)
	$(PY) -m bench.growth --artifact "$$($(BUILD) artifact)" $(filter --write-nothing,$(BENCH_ARGS))

bench-peers: .venv/serve .venv/asgi ## measure VERSION against Triton, FastAPI, TorchServe, or PEERS (needs wrk, cc)
	$(if $(PEERS_READY),-@$(MAKE) --no-print-directory --keep-going $(PEERS_READY))
	$(PY) -m bench.peers --artifact "$$($(BUILD) artifact)" $(if $(PEERS),--only ours $(filter-out ours,$(PEERS))) $(BENCH_ARGS)

bench-costs: .venv/serve .venv-peers/triton/ready ## measure the CPU time of an answer, against Triton (needs wrk, cc)
	$(PY) -m bench.peers.costs --artifact "$$($(BUILD) artifact)" $(BENCH_ARGS)

bench-predictor: .venv/serve ## measure VERSION in one process without a server, also on a GPU if there is one
	$(PY) -m bench.predictor --artifact "$$($(BUILD) artifact)" $(BENCH_ARGS)

bench-new-users: .venv/serve ## measure errors for new users by their ratings: make bench-new-users DATA="folder folder ..."
	@$(BUILD) demo
	$(PY) -m bench.new_users $(or $(DATA),build/demo) $(BENCH_ARGS)

bench-update: .venv/serve ## measure an update against training anew, on DATA
	@$(BUILD) demo
	$(PY) -m bench.update $(or $(DATA),build/demo) $(BENCH_ARGS)

bench-accuracy: .venv/serve .venv-peers/surprise/ready .venv-peers/myfm/ready ## compare errors on DATA_DIRS with Surprise and myfm
	@$(BUILD) demo
	$(PY) -m bench.accuracy $(DATA_DIRS) $(BENCH_ARGS)
	$(PY) -m bench.accuracy $(DATA_DIRS) --split time $(BENCH_ARGS)

bench-ranking: .venv/serve $(RANKING_PEERS:%=.venv-peers/%/ready) ## compare recommendations on DATA_DIRS with implicit, LensKit and RecTools
	@$(BUILD) demo
	$(PY) -m bench.ranking $(DATA_DIRS) $(BENCH_ARGS)

bench-train: .venv/serve ## measure training by number of ratings, up to 10 million; KMRD=folder adds a race
	$(PY) -m bench.train $(if $(KMRD),--kmrd $(call quoted,$(KMRD))) $(BENCH_ARGS)

gpu-check: .venv/dev ## test, train and measure on a GPU within eight minutes; KMRD=folder trains on KMRD
	$(PY) -m bench.gpu --artifact "$$($(BUILD) artifact)" $(if $(KMRD),--kmrd $(call quoted,$(KMRD))) $(BENCH_ARGS)

gpu-bundle: .venv/serve ## make a folder that checks the GPU path on a machine without network and Java; KMRD=folder adds KMRD
	$(PY) -m bench.gpu.carry --artifact "$$($(if $(KMRD),DATA=$(call quoted,$(KMRD)) GIVEN="DATA $(GIVEN)" $(PY) -m ops.build,$(BUILD)) artifact)" \
		$(if $(KMRD),--kmrd $(call quoted,$(KMRD))) $(BENCH_ARGS)

soak: .venv/serve ## stress a server with overload and faults for 30 minutes (needs wrk, cc)
	$(PY) -m bench.soak --artifact "$$($(BUILD) artifact)" $(SOAK_ARGS)

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
