# A thin front of Meson. On a fresh Debian 12 with make and apt: `make run` or `make test`, nothing else.
#
#   make build   build/posthorn            make test    everything, under ASan and UBSan, and the real jail
#   make run     the demo, four sites      make bench   speed, as ratios in one run
#   make fuzz    all fuzzers (FUZZ_SECONDS each)        make sim     many seeds of the simulation (SIM_SEEDS)
#   make fault   the power cut under FAULT_MESSAGES messages; stores killed and damaged; every process failed at every fault point, in streams of 1000
#   make stutter   the whole-program tests on a machine that stutters (STUTTER_SEEDS)
#   make deb     the Debian package, into build-deb/
#   make lint    house rules, clang build  make format  clang-format    make conformance   cases and failures by id

SHARED ?= $(wildcard $(abspath ../shared))
FUZZ_SECONDS ?= 30
SIM_SEEDS ?= 1000
FAULT_MESSAGES ?= 100000
STUTTER_SEEDS ?= 1 2 3
JOBS ?= $(shell nproc)
export CCACHE_DIR ?= $(HOME)/.cache/ccache

.PHONY: deb test-package all build run test system stutter bench fuzz sim fault lint format conformance clean deps kill-test
all: build

deps:
	@tools/install-deps build

build: build/build.ninja
	@ninja -C build -j $(JOBS) posthorn | tail -n 1

build/build.ninja:
	@tools/install-deps build
	@meson setup build --buildtype=release -Ddebug=true -Db_ndebug=false -Dshared="$(SHARED)" >/dev/null

build-asan/build.ninja:
	@tools/install-deps build test
	@meson setup build-asan --buildtype=debugoptimized -Doptimization=1 -Dc_args="-g1 -fno-pie" -Dc_link_args=-no-pie -Db_staticpic=false -Dwerror=false -Db_sanitize=address,undefined -Dshared="$(SHARED)" >/dev/null

build-fuzz/build.ninja:
	@tools/install-deps build fuzz
	@CC=clang meson setup build-fuzz --buildtype=debugoptimized -Dfuzz=true -Db_lundef=false \
		-Db_sanitize=address,undefined -Dshared="$(SHARED)" >/dev/null

build-clang/build.ninja:
	@tools/install-deps build fuzz
	@CC=clang meson setup build-clang --buildtype=debugoptimized -Dshared="$(SHARED)" >/dev/null

run: build
	@build/posthorn demo

test: build build-asan/build.ninja
	@tools/install-deps build test deb browser
	@tools/run-tests "$(SHARED)"

# The whole-program tests in the release build: all their rounds, of which `make test` takes a share under the sanitizers.
system: build
	@tools/install-deps build test browser
	@ninja -C build -j $(JOBS) >/dev/null
	@POSTHORN_SEED=$${POSTHORN_SEED:-$$(date +%s)} meson test -C build --no-rebuild --suite system --print-errorlogs

# The same in the sanitized build, once for each seed, while processes of their MTAs now and then do not run for some ms.
stutter: build-asan/build.ninja
	@tools/install-deps build test browser
	@ninja -C build-asan -j $(JOBS) >/dev/null
	@bad=0; for seed in $(STUTTER_SEEDS); do echo "POSTHORN_STUTTER=$$seed"; \
		POSTHORN_STUTTER=$$seed meson test -C build-asan --no-rebuild --suite system --print-errorlogs || bad=1; done; exit $$bad

# The package on two hosts made for it, along docs/first-link.md. Part of `make test` too; with lintian installed it judges as well.
test-package: build
	@tools/install-deps build test deb
	@tests/package/first_link.py build/posthorn

bench: build
	@tools/install-deps build bench
	@ninja -C build -j $(JOBS) >/dev/null
	@tests/bench/run build

fuzz: build-fuzz/build.ninja
	@tools/install-deps build fuzz
	@tools/run-fuzzers build-fuzz $(FUZZ_SECONDS)

sim: build-asan/build.ninja
	@ninja -C build-asan -j $(JOBS) tests/sim/sim >/dev/null
	@ASAN_OPTIONS=detect_leaks=0 build-asan/tests/sim/sim --seeds $(SIM_SEEDS)

fault: build
	@tools/install-deps build test
	@ninja -C build -j $(JOBS) posthorn tests/fault/points tests/fault/power store_play_test check_damage_test >/dev/null
	@build/store_play_test && build/check_damage_test
	@build/tests/fault/power --messages $(FAULT_MESSAGES)
	@tests/fault/kill build/posthorn build/tests/fault/points --full --jobs $(JOBS)
	@tests/fault/postoffices build/posthorn --full

lint: build-clang/build.ninja
	@tools/check-includes
	@tools/check-house
	@tools/failures --check
	@ninja -C build-clang -j $(JOBS) >/dev/null && echo "clang: clean"

format:
	@git ls-files '*.[ch]' | grep -v _table.h | xargs clang-format -i

conformance: build/build.ninja
	@[ -x build-asan/tpkt_test ] || ninja -C build -j $(JOBS) >/dev/null
	@SHARED=$(SHARED) tools/conformance
	@SHARED=$(SHARED) tools/failures

deb:
	@tools/install-deps build deb
	@JOBS=$(JOBS) packaging/make-deb build-deb

clean:
	@rm -rf build-deb build build-asan build-fuzz build-clang
