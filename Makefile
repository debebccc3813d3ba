# The verbs of the project. `make help` lists them, and each works from a fresh clone. What a verb does is decided in
# Python: ops/build for versions, ops/process for the server. bench/bench.mk has the verbs that measure.
PYTHON ?= python3
PY     := .venv/bin/python

# The variables that a user may give: `make serve DATA=ratings.csv`. GIVEN are those that were; make hands them on.
KNOWN := VERSION DATA PRESET TRAIN_ARGS RESUME PROCESSES CLUSTER RATINGS FROM UPDATE_ARGS REPORT_ARGS SERVER AUTH PORT BODY FOLLOW \
         QUERY TABLE MOVIES_QUERY ITEM TAGS MODEL USERS MOVIES ITEMS MODULE MODULE_ARGS OUTPUT SCALE VECTORS ADOPT_ARGS \
         TOP_K OUT GENRES EXCLUDE_SEEN RANK_BY EXACT SCORE_ARGS \
         SHARE MODE REQUESTS WITH KEEP REFRESH_ARGS FORCE LOG_FORMAT PYTHON BENCH_ARGS SOAK_ARGS PEERS DATA_DIRS KMRD
given  = $(foreach name,$(1),$(if $(filter $(2),$(firstword $(origin $(name)))),$(name)))
GIVEN := $(call given,$(KNOWN),command environment)
STRANGE := $(filter-out $(KNOWN) MAKEFLAGS MFLAGS SHELL MAKE,$(call given,$(.VARIABLES),command))
nearest = $(shell $(PYTHON) -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1], sys.argv[2:], 1, 0))' \
	'$(1)' $(KNOWN))
ifneq ($(STRANGE),)
$(error no such variable: $(STRANGE); did you mean $(call nearest,$(firstword $(STRANGE)))? Allowed: $(KNOWN))
endif

# A value as one word of the shell, whatever it holds.
quoted = '$(subst ','\'',$(1))'
yes = $(filter 1 true yes on TRUE YES ON True Yes On,$($(1)))
option = $(if $($(2)),--$(1) $(call quoted,$($(2))))
version = $(call option,version,VERSION)
judged = $(call option,requests,REQUESTS) $(call option,data,DATA)

# What SERVER=asgi needs beside the rest.
ASGI = $(if $(filter asgi,$(SERVER)),.venv/asgi)
BUILD := GIVEN="$(GIVEN)" $(PY) -m ops.build

# Values are checked before a verb begins: ops/variables.py.
TYPED := $(strip $(call given,$(KNOWN),command))

.DEFAULT_GOAL := help
.PHONY: help help-bench setup data train train-help update update-help adopt adopt-help score score-help package serve run stop status logs open predict token rotate-keys
.PHONY: checked versions register promote rollback unregister canary compare refresh history report test test-quick frontend lint clean

help: ## list the verbs
	@{ grep -hE '^[a-z-]+:.*## ' Makefile | awk -F':.*## ' '{printf "  %-15s %s\n", $$1, $$2}'; \
	echo 'Variables: VERSION=1.1  DATA=folder or file  PRESET=default|mlp|reference  TRAIN_ARGS="--seed 1"'; \
	echo '           DATA=postgresql://user@host/db or a SQLite file, with QUERY or TABLE, MOVIES_QUERY'; \
	echo '           ITEM=product TAGS=categories: your own words  SHARE, MODE, REQUESTS (canary)'; \
	echo '           PORT=9090  RATINGS, FROM (update)  RESUME=1, PROCESSES=2, CLUSTER=auto (train, score)'; \
	echo '           SERVER=torchserve|asgi  AUTH=on|off (serve, run)  WITH (compare, report)  KEEP (refresh)'; \
	echo '           MODEL, USERS, MOVIES or ITEMS, MODULE, MODULE_ARGS, OUTPUT, SCALE, VECTORS (adopt)'; \
	echo '           OUT, TOP_K, USERS or RATINGS, GENRES, EXCLUDE_SEEN, RANK_BY, EXACT (score)'; \
	echo 'Further options: make train-help, update-help, adopt-help, score-help; CLUSTER=auto adds its own.'; } | cat || test $$? = 141

checked: .venv/serve
	@$(if $(TYPED),$(PY) -m ops.variables $(TYPED))

serve: .venv/serve checked $(ASGI) ## train and pack if necessary, start the server, show answers
	@$(BUILD) serve

run: .venv/serve checked $(ASGI) ## like serve, in the foreground; restart the server if it ends
	@$(BUILD) run

stop: ## stop the server that `make serve` or `make run` started
	@if [ -x $(PY) ]; then $(PY) -m ops.process.serve stop; else echo 'no environment, so no server'; fi

status: .venv/serve checked ## show what is served where, the versions, their workers, the last error
	@$(PY) -m ops.versions.status || test $$? = 3

logs: .venv/serve ## print the end of the server's log; FOLLOW=1 follows it
	@$(PY) -m ops.logs $(if $(call yes,FOLLOW),--follow) || test $$? = 141

open: .venv/serve ## open the page of the served model in a browser
	@$(PY) -m ops.page

predict: .venv/serve checked ## ask the server; BODY='{"user_id": 1, "movie_id": 2}'
	@$(PY) -m ops.predict $(version) $(call option,body,BODY)

data: .venv/serve ## download KMRD-small into data/kmrd-small
	$(PY) -m train.dataset.download data/kmrd-small

train: .venv/serve checked ## train a version on DATA
	@$(BUILD) train

train-help: .venv/serve
	@$(PY) -m train$(if $(CLUSTER),.$(if $(filter local,$(CLUSTER)),parts,cluster)) --help

report: .venv/serve checked ## write build/VERSION/report.html: errors, baselines, pictures; WITH=1.0 compares
	@$(if $(WITH),$(PY) -m ops.canary.compare $(version) $(call option,with,WITH) $(judged))
	@$(BUILD) report

package: .venv/serve checked ## pack a version into model-store; FROM=1.0 packs 1.0 as VERSION
	@$(BUILD) package

update: .venv/serve checked ## make VERSION from version FROM and new RATINGS, without training
	@$(BUILD) update

update-help: .venv/serve
	@$(PY) -m train.update --help

adopt: .venv/serve checked ## make a version from a network trained elsewhere: MODEL, USERS, MOVIES
	@$(BUILD) adopt

adopt-help: .venv/serve
	@$(PY) -m train.adopt --help

score: .venv/serve checked ## write the best movies of every user into the folder OUT; TOP_K=10
	@$(BUILD) score

score-help: .venv/serve
	@$(PY) -m score$(if $(filter-out local,$(CLUSTER)),.cluster) --help

versions: .venv/serve ## list the versions on the server
	@$(PY) -m ops.versions list

register: .venv/serve checked ## add VERSION to the running server, beside the others
	@$(PY) -m ops.versions register $(version)

promote: .venv/serve checked ## make VERSION the default, now and at the next start
	@$(PY) -m ops.versions promote $(version)

rollback: .venv/serve ## restore the previous default version
	@$(PY) -m ops.versions rollback

unregister: .venv/serve checked ## remove VERSION from the server once its requests are answered
	@$(PY) -m ops.versions unregister $(version)

canary: .venv/serve checked ## send a SHARE of requests to VERSION too, compare the answers, give a verdict
	@$(PY) -m ops.canary $(version) $(call option,share,SHARE) $(call option,mode,MODE) $(judged)

compare: .venv/serve checked ## say whether VERSION should replace WITH, and why; needs no server
	@$(PY) -m ops.canary.compare $(version) $(call option,with,WITH) $(judged)

refresh: .venv/serve checked ## make a version with the new ratings, judge it, promote it if it is better; KEEP=5
	@$(PY) -m ops.refresh $(judged) $(call option,keep,KEEP) $(REFRESH_ARGS)

history: .venv/serve ## list and plot all versions: data, errors, rankings, verdicts, times as default
	@$(PY) -m ops.refresh.history

token: .venv/serve ## print the key for predictions of a server with AUTH=on
	@$(PY) -m ops.auth token

rotate-keys: .venv/serve ## replace the keys; the old ones stop working at once
	@$(PY) -m ops.auth rotate

clean: ## stop the server and delete what was made; versions only with FORCE=1
	@if [ -x $(PY) ]; then $(BUILD) clean; \
	elif [ "$(call yes,FORCE)" = "" ] && ls -d build/*/ncf.pt model-store/*.mar 2>/dev/null | sed 's/^/  /' | grep .; then \
		echo 'clean: this would delete these versions; nothing was deleted: `make clean FORCE=1` deletes them' >&2; exit 1; \
	else rm -rf build model-store logs .run key_file.json; fi

help-bench: ## list the verbs that measure the project
	@grep -hE '^[a-z-]+:.*## ' bench/bench.mk | awk -F':.*## ' '{printf "  %-15s %s\n", $$1, $$2}' || test $$? = 141

setup: .venv/serve .venv/dev ## install everything, tests and linters included
# Three processes, also on two cores: a test waits while a server starts, a key expires or a queue drains.
test: .venv/dev ## run every test, with real servers, in three processes
	$(PY) -m pytest -n 3
test-quick: .venv/dev ## run the tests that need no server
	$(PY) -m pytest -n 2 -m "not e2e"
frontend: .venv/dev
	$(PY) -m ops.frontend.build
lint: .venv/dev ## check style (ruff), types (mypy) and unsafe code (bandit)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m bandit --quiet --recursive --configfile pyproject.toml model handler train score ops bench
	$(PY) -m mypy

include bench/bench.mk

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 15) else "Python 3.11 to 3.14 is needed, this is %s: make PYTHON=python3.11 ..." % sys.version)'
	$(PYTHON) -m venv .venv

PIP := $(PY) -m pip install --quiet --disable-pip-version-check
.venv/serve: pyproject.toml constraints.txt | .venv/bin/python
	@echo 'Installing into .venv, once: 0.4 GB to download, 1.7 GB on disk, with a CPU build of torch.'
	@echo 'On Linux the package index has the CUDA build of torch, which takes several GB. This takes minutes.'
	$(PIP) 'pip==26.3'
	$(PIP) -c constraints.txt --group serve --group train
	$(PY) -m ops.frontend.cache
	@touch $@

.venv/asgi: .venv/serve
	$(PIP) -c constraints.txt --group asgi
	@touch $@

.venv/dev: .venv/serve
	$(PIP) -c constraints.txt --group dev
	@touch $@
