# The verbs of the project, but for those that measure it: bench/bench.mk. `make help` lists all, and each works from a
# fresh clone.
PYTHON  ?= python3
# The version that a server answers with, until another is named; `make promote` changes it.
DEFAULT := $(or $(shell sed -n 's/^default //p' model-store/versions 2>/dev/null),1.0)
VERSION ?= $(DEFAULT)
# A version remembers what it was made of: until DATA, PRESET or TRAIN_ARGS is given again, that holds.
-include build/$(VERSION)/made-of.mk
# A version that `make update` made of another one is only trained when a command line says of what.
UPDATED := $(if $(filter command,$(foreach name,DATA PRESET TRAIN_ARGS,$(firstword $(origin $(name))))),,$(UPDATED_FROM))
DATA    ?= build/demo
PRESET  ?= default
# Further options of the training, as in TRAIN_ARGS="--seed 1"; `make train-help` lists them.
TRAIN_ARGS ?=
# What `make update` takes in, into which version, and how to read it; `make update-help` lists the options.
RATINGS ?=
FROM    ?= $(DEFAULT)
UPDATE_ARGS ?=
# What `make canary` tries VERSION with: a file of bodies, a line each (drawn where empty), and its share of them.
REQUESTS ?=
SHARE   ?= 0.1
MODE    ?= shadow
# PROCESSES=2 trains in so many processes of this host.
PROCESSES ?=
# REPORT_ARGS=--reference trains the reference network for its line of the report, which takes a minute.
REPORT_ARGS ?=
# on: the server asks for tokens, and its later starts too, until AUTH=off is given.
AUTH    ?=
BODY    ?= {"user_id": 1, "top_k": 3}

# A value as one word of the shell, whatever it holds.
quoted = '$(subst ','\'',$(1))'

ifneq ($(shell printf '%s' $(call quoted,$(VERSION)) | grep -cxE '[A-Za-z0-9][A-Za-z0-9._-]*'),1)
$(error VERSION: got "$(VERSION)", allowed: letters, digits, and . _ - after the first)
endif

# Where a version was served before, a model store without its record is not mounted, or is another one: no version is
# made anew and served in that one's place, unless a command line names it.
ifneq ($(and $(filter serve run package,$(MAKECMDGOALS)),$(filter file,$(origin VERSION)),$(wildcard .run/default)),)
ifeq ($(wildcard model-store/versions),)
$(error model-store/versions is gone, and version $(file < .run/default) was served from there: bring the model store back, or name a version to begin anew: make $(MAKECMDGOALS) VERSION=$(VERSION))
endif
endif

# Where the server asks for tokens, the header that carries one; through a pipe, since other users see a command's words.
AUTH_HEADER := $(if $(wildcard key_file.json),.venv/bin/python -m ops.auth header |,</dev/null)

PY       := .venv/bin/python
TRAINER  := $(if $(PROCESSES),.venv/bin/torchrun --standalone --nproc-per-node $(PROCESSES) -m,$(PY) -m)
ARTIFACT := build/$(VERSION)/ncf.pt
ARCHIVE  := model-store/ncf-$(VERSION).mar
DEMO     := $(if $(filter build/demo,$(DATA)),build/demo/rates.csv)
CODE     := $(wildcard model/*.py train/*.py train/*.template train/readers/*.py)
SERVED   := $(wildcard model/*.py handler/*)

BENCH_VERBS := $(dir $(firstword $(MAKEFILE_LIST)))bench/bench.mk

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup data train train-help update update-help package serve run stop predict token rotate-keys versions register promote rollback unregister canary test test-quick lint clean report force

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) $(BENCH_VERBS) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'
	@echo 'Variables: DATA=folder or file of ratings, VERSION=1.0, PRESET=default|mlp|reference, TRAIN_ARGS="..."'
	@echo '           RATINGS=folder or file of new ratings, FROM=1.0, UPDATE_ARGS="..." (update)'
	@echo '           SHARE=0.1, MODE=shadow|canary, REQUESTS=file of JSON lines (canary)'
	@echo 'A version remembers its DATA, PRESET and TRAIN_ARGS until they are given again (DATA=build/demo, TRAIN_ARGS=).'

setup: .venv/serve .venv/dev ## make the environment in .venv: to train, to serve, to test

serve: $(ARCHIVE) ## train, pack, start TorchServe, and show answers
	@$(PY) -m ops.process.serve start --version $(VERSION)$(if $(AUTH), --auth $(call quoted,$(AUTH)))

predict: ## ask the server: make predict BODY='{"user_id": 1, "movie_id": 2}'
	@$(AUTH_HEADER) curl -sS 127.0.0.1:8080/predictions/ncf -H @- -H 'Content-Type: application/json' -d $(call quoted,$(BODY)) && echo

stop: ## stop the server that `make serve` or `make run` started
	@if [ -x $(PY) ]; then $(PY) -m ops.process.serve stop; else echo 'no environment, so no server'; fi

run: $(ARCHIVE) ## keep a server up in the foreground until Ctrl-C: started again whenever it ends
	@$(PY) -m ops.process.supervise --version $(VERSION)$(if $(AUTH), --auth $(call quoted,$(AUTH)))

data: .venv/serve ## download KMRD-small into data/kmrd-small
	$(PY) -m train.download data/kmrd-small

train: $(ARTIFACT) ## train DATA into build/VERSION

train-help: .venv/serve ## list the options of the training
	@$(PY) -m train --help

report: $(ARTIFACT) ## write build/VERSION/report.html: errors, calibration, baselines, data
	$(PY) -m train.report --folder build/$(VERSION) --data $(call quoted,$(DATA)) $(REPORT_ARGS)

package: $(ARCHIVE) ## pack build/VERSION into model-store/ncf-VERSION.mar

update: .venv/serve ## take the new RATINGS into version FROM, without training, as VERSION; and pack it
	$(if $(RATINGS),,$(error RATINGS: give a folder or file of new ratings: make update RATINGS=new.csv VERSION=1.1))
	$(if $(filter $(FROM),$(VERSION)),$(error VERSION: got $(VERSION), which is the one to update; give the new one a name: make update RATINGS=new.csv VERSION=1.1))
	$(PY) -m train.update --ratings $(call quoted,$(RATINGS)) --base "build/$(FROM)/ncf.pt" --out build/$(VERSION) --version $(VERSION) $(UPDATE_ARGS)
	@echo 'UPDATED_FROM := $(FROM)' > build/$(VERSION)/made-of.mk
	$(PACK) --beside

update-help: .venv/serve ## list the options of the update
	@$(PY) -m train.update --help

versions: .venv/serve ## list the versions that the server holds
	@$(PY) -m ops.versions list

register: .venv/serve ## add VERSION to the running server, beside the others
	@$(PY) -m ops.versions register --version $(VERSION)

promote: .venv/serve ## make VERSION the default, now and at the next start
	@$(PY) -m ops.versions promote --version $(VERSION)

rollback: .venv/serve ## make what was the default before the default again
	@$(PY) -m ops.versions rollback

unregister: .venv/serve ## remove VERSION from the running server, once it has answered what it was asked
	@$(PY) -m ops.versions unregister --version $(VERSION)

canary: .venv/serve ## try the registered VERSION with a SHARE of requests: make canary VERSION=1.1 SHARE=0.1
	@$(PY) -m ops.trial --version $(VERSION) --share $(SHARE) --mode $(MODE) $(if $(REQUESTS),--requests $(call quoted,$(REQUESTS)))

token: .venv/serve ## print the key of inference, where the server was started with AUTH=on
	@$(PY) -m ops.auth token

rotate-keys: .venv/serve ## replace the keys of inference and management; the old ones end at once
	@$(PY) -m ops.auth rotate

test: .venv/dev ## run every test, the end-to-end ones with a real TorchServe included, in two processes
	$(PY) -m pytest -n 2

test-quick: .venv/dev ## run the tests that need no server
	$(PY) -m pytest -n 2 -m "not e2e"

lint: .venv/dev ## check style (ruff), types (mypy, strict) and what is unsafe (bandit)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m bandit --quiet --recursive --configfile pyproject.toml model handler train ops bench
	$(PY) -m mypy

clean: ## stop the server and remove all that was made, but not .venv
	@if [ -x $(PY) ]; then $(PY) -m ops.process.serve stop; fi
	rm -rf build model-store logs .run key_file.json

include $(BENCH_VERBS)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed, this is %s: make PYTHON=python3.11 ..." % sys.version)'
	$(PYTHON) -m venv .venv

.venv/serve: pyproject.toml constraints.txt | .venv/bin/python
	@echo 'installing the environment into .venv, once; this takes minutes'
	$(PY) -m pip install --quiet --disable-pip-version-check 'pip==26.3'
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt --group serve --group train
	@touch $@

.venv/dev: .venv/serve
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev
	@touch $@

build/demo/rates.csv: train/demo.py | .venv/serve
	$(PY) -m train.demo build/demo

ifneq ($(UPDATED),)
$(ARTIFACT):
	$(error $@ is gone: make it again with `make update`, or name the DATA to train on)
else
# What a training is asked for, and the state of its data. It is newer than the artifact only where that was made of
# something else; what a failed training was asked for is forgotten.
define ASKED
DATA ?= $(DATA)
PRESET ?= $(PRESET)
TRAIN_ARGS ?= $(TRAIN_ARGS)
endef
export ASKED
build/$(VERSION)/asked-for.mk: $(DEMO) force
	@mkdir -p $(@D)
	@{ printf '%s\n' "$$ASKED"; ls -lLd --time-style=full-iso $(call quoted,$(DATA)) $(call quoted,$(DATA))/* $(wildcard $(TRAIN_ARGS)) 2>/dev/null | cksum | sed 's/^/# data: /'; } > $@.new
	@if cmp -s $@.new $(@D)/made-of.mk; then touch -r $(@D)/made-of.mk $@.new; fi; mv $@.new $@

$(ARTIFACT): build/$(VERSION)/asked-for.mk $(CODE) | .venv/serve
	$(TRAINER) train --preset $(PRESET) --data $(call quoted,$(DATA)) --out build/$(VERSION) --version $(VERSION) $(TRAIN_ARGS) $(if $(RESUME),--resume)
	@cp build/$(VERSION)/asked-for.mk build/$(VERSION)/made-of.mk
	@touch $@
endif

define PACK
$(PY) -m train.package --artifact $(ARTIFACT) --version $(VERSION)
@touch $(ARCHIVE)
@$(PY) -m ops.store --version $(VERSION)
endef
$(ARCHIVE): $(ARTIFACT) $(SERVED)
	$(PACK) $(if $(UPDATED),--beside)
