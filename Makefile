# What a developer does with this project. Every target gets what it needs by itself; `make help` lists them.
SHELL := bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
PREFIX ?= $(HOME)/.local

.PHONY: help setup build generate lint lint-code test-unit test demo bench bench-start bench-payload-down bench-payload-cache bench-payload-up bench-scale bench-shield tools up down images clean-local install

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup:
	@deploy/local/bootstrap.sh

build: setup ## Bundle operator and agent, and make kubectl-maas, into dist/
	@node build.ts

generate: setup ## Write what is made from the sources: CRD, chart copy, reference documents
	@node src/bin/generate.ts

lint-code: setup ## Types, style and generated files; seconds
	@tsc --noEmit
	@biome check .
	@node src/bin/generate.ts --check

lint: lint-code ## lint-code, then the chart and its samples against a real API server
	@node deploy/local/lint-chart.ts

tools: setup ## Get kind, kubectl and Helm into the cache
	@node deploy/local/make-tools.ts

test-unit: tools ## Unit tests; seconds
	@vitest run --project unit

test: setup ## All tests, against real parts that it brings up
	@node deploy/local/test.ts

up: setup ## Bring up or mend the local world: Kubernetes, ZooKeeper, HDFS, images
	@node deploy/local/up.ts

down: setup ## Stop everything that `up` started; data and cache stay
	@node deploy/local/down.ts

images: setup ## Build the images from the sources as they are and give them to the cluster
	@node deploy/local/make-images.ts

clean-local: setup ## down, and remove the data of ZooKeeper, HDFS and the private engine
	@node deploy/local/down.ts --data

demo: setup ## One model, end to end, on a cluster of its own or (CLUSTER=existing) yours
	@node deploy/local/demo.ts

bench: bench-start bench-payload-down bench-payload-cache bench-payload-up ## All that is measured, against references taken in the same run

bench-start: setup ## How long it takes from apply until clients see a model; SIZES="1 10" ROUNDS=5
	@node test/bench/apply-to-visible.ts

bench-payload-down: setup ## How fast a payload comes into a pod, against curl; MB=800 FILES=5000 ROUNDS=5
	@node test/bench/payload-down.ts

bench-payload-cache: setup ## What a payload cache saves many instances on a node; MB=200 INSTANCES=10 ROUNDS=3
	@node test/bench/payload-cache.ts

bench-payload-up: up ## How fast a payload comes to HDFS, against curl; MB=800 FILES=1000 ROUNDS=5
	@node test/bench/payload-up.ts

bench-shield: setup ## What a shield before a model costs, against calls without it; ROUNDS=5 SECONDS=2
	@node test/bench/shield.ts

bench-scale: setup ## What many models cost the operator; SIZES="500 1000 2000"
	@node test/bench/scale.ts

install: setup ## kubectl-maas into $(PREFIX)/bin
	@node build.ts kubectl-maas
	@install -D -m 755 dist/kubectl-maas $(PREFIX)/bin/kubectl-maas
	@echo "installed $(PREFIX)/bin/kubectl-maas"
