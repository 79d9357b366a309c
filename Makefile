# From a fresh clone, with Python 3.11 or newer, each of these prepares what it needs.

PYTHON = $(shell scripts/pythons | head -n 1)

EVIDENCE = \
  tests/contract/test_interleavings.py tests/contract/test_machine.py \
  tests/contract/test_stress.py tests/contract/test_why.py \
  tests/django/pushed/test_live_server.py tests/fundamentals/test_operators.py \
  tests/pubsub/test_asgi.py tests/service/test_hostile_wire.py \
  tests/service/test_openapi.py tests/unit/test_cron.py

.PHONY: help demo etl serve django console pictures docs test evidence bench clean

help:
	@echo 'make demo    parse all files of the standard library, kill the worker half-way, lose nothing'
	@echo 'make etl     a workflow over the time zones of this machine: fan-out, retries, an approval'
	@echo 'make serve   a service with pictures and thumbnails of them; PORT=8000 unless given'
	@echo 'make django  a newsletter on Django; PUSH=1: its tasks by Pub/Sub, emulated; PORT=8000'
	@echo 'make console the console, from its source in console/: with Node 20.19 or newer, and npm'
	@echo 'make pictures  take the pictures of the console in docs/pictures/ again; with Chromium'
	@echo 'make docs    the guide as a site, in site/; PORT=8001: and serve it there'
	@echo 'make test    everything, on every Python that is installed'
	@echo 'make evidence  the tests that try what comes, for most of an hour'
	@echo 'make bench   the figures of docs/speed.md, beside other queues: most of an hour'
	@echo 'make clean   remove what these have made'

demo:
	@scripts/environment "$(PYTHON)" .venv
	@.venv/bin/python examples/census.py

etl:
	@scripts/environment "$(PYTHON)" .venv
	@.venv/bin/python examples/etl.py

serve:
	@scripts/environment "$(PYTHON)" .venv-service '[service]'
	@.venv-service/bin/python examples/service/main.py $(if $(PORT),--port $(PORT))

django:
	@scripts/environment "$(PYTHON)" .venv-django '[django,gcp]'
	@.venv-django/bin/python examples/newsletter/run.py $(if $(PORT),--port $(PORT)) \
	  $(if $(PUSH),--push)

console:
	@scripts/environment "$(PYTHON)" .venv-service '[service]'
	@scripts/console .venv-service/bin/python

pictures: console
	@scripts/environment "$(PYTHON)" .venv-pictures '[service]'
	@.venv-pictures/bin/python -m pip --quiet --disable-pip-version-check install \
	  --constraint constraints.txt playwright
	@.venv-pictures/bin/python scripts/pictures.py
	@.venv-pictures/bin/python scripts/screens.py

docs:
	@scripts/environment "$(PYTHON)" .venv-docs '[docs]'
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet
	@echo 'The site is in site/: open site/index.html, or serve it with make docs PORT=8001.'
	@$(if $(PORT),.venv-docs/bin/python -m http.server --bind 127.0.0.1 --directory site $(PORT))

test:
	@scripts/test

evidence:
	@scripts/environment "$(PYTHON)" .venv-evidence '[test]'
	@.venv-evidence/bin/python -m pytest --long --numprocesses 2 --quiet -rP \
	  -o faulthandler_timeout=0 $(EVIDENCE)
	@.venv-evidence/bin/python -m pytest --long --numprocesses 2 --quiet -m long

bench:
	@scripts/environment "$(PYTHON)" .venv-bench '[bench]'
	@scripts/console .venv-bench/bin/python
	@.venv-bench/bin/python -m bench $(BENCH)

clean:
	rm -rf .venv .venv-* site src/rotulus/console/static console/build console/node_modules .bench .demo .pytest_cache .ruff_cache .mypy_cache .hypothesis
