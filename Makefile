# make demo    the whole story on this machine: an API server, a simulated VCO, the operator between them
#              CONTROL_PLANE=real plays it on etcd and kube-apiserver in place of velokube-sim kube
# make test    every check there is but image-check
# make sim     whole worlds with faults, each from a seed: SEEDS=10000 of them, or one to look at: SEED=42
# make defects whether those worlds find each of the deliberate defects of Tests/Defects
# make build   the programs: .build/debug/velokube and .build/debug/velokube-sim
# make image   the images velokube and velokube-sim, by docker, podman or buildah, whichever is there
# make image-check  builds them without a registry, on Debian and as root, and tries them
# make bench   what the release build takes: time, memory, operations a second (RESOURCES="100000" for a larger cluster)
# make tidy    the checks of style alone
.PHONY: demo test sim defects build image image-check bench tidy prepare
.DEFAULT_GOAL := build
CONTROL_PLANE ?= simulated

prepare:
	@scripts/prepare

build: prepare
	swift build

demo: build
	CONTROL_PLANE='$(CONTROL_PLANE)' scripts/demo

# The control plane comes before the build of the tests, so that a machine that cannot have one says so early.
test: prepare tidy
	scripts/control-plane >/dev/null
	swift build --build-tests
	scripts/with-control-plane scripts/check-manifests
	scripts/with-control-plane scripts/check-migration
	scripts/with-control-plane scripts/check-install
	scripts/with-control-plane scripts/check-admission
	scripts/with-control-plane scripts/check-monitoring
	scripts/check-docs
	scripts/with-control-plane $(SHELL) -c '$(run_tests)'

# A program is started for each right that is taken away: beside the worlds, whose clocks run many times as fast as ours,
# they would leave these too little of the processors.
run_tests = swift test --skip-build --skip LeastPrivilegeTests && swift test --skip-build --filter LeastPrivilegeTests

# Sources are changed meanwhile, and put back.
defects: prepare
	scripts/defects

SEEDS ?= 1000
sim: prepare
	swift build --build-tests
	VELOKUBE_SEEDS=$(SEEDS) VELOKUBE_SEED=$(SEED) swift test --skip-build --filter SeededWorldTests

image:
	scripts/image

image-check: prepare
	scripts/control-plane >/dev/null
	scripts/with-control-plane scripts/check-image

bench: prepare
	scripts/control-plane >/dev/null
	swift build -c release --product velokube
	swift build -c release --product velokube-sim
	swift build -c release --product velokube-bench
	scripts/bench

tidy: prepare
	scripts/check-tidy
	scripts/tidy
	git apply --check Tests/Defects/*.patch
	swift format lint --strict --recursive Package.swift Sources Tests
