# SPDX-License-Identifier: GPL-2.0-only
# synwarden: `make demo` shows it at work, `make test` proves it, `make help` lists the rest.

VERSION  := 0.1.0
PREFIX   ?= /usr/local
BUILD    := build
V        ?= 0
Q        := $(if $(filter 1,$(V)),,@)

# The newest clang from 14 up; its own clang may also be named: make CLANG=clang-17
CLANG    ?= $(firstword $(foreach v,22 21 20 19 18 17 16 15 14,$(shell command -v clang-$(v) 2>/dev/null)) clang)
BPFTOOL  ?= $(firstword $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool 2>/dev/null) bpftool)
CC       ?= cc
# Of the machine that it is built for: make CC=aarch64-linux-gnu-gcc SYSROOT=DIR BUILD=build/arm64
ARCH     := $(shell $(CC) -dumpmachine 2>/dev/null | sed 's/-.*//; s/x86_64/x86/; s/aarch64/arm64/; s/p.*pc64le/powerpc/; s/riscv64/riscv/')
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
SYSROOT  :=

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror
BPFFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) $(WARNINGS) -Wno-unused-parameter \
	    -ffile-prefix-map=$(CURDIR)=. -Iinclude -Ivmlinux $(if $(MULTIARCH),-I$(SYSROOT)/usr/include/$(MULTIARCH))
TARGET   := $(if $(SYSROOT),--sysroot=$(SYSROOT))
USERFLAGS = $(TARGET) $(CPPFLAGS) -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DWEB_DIR='"$(BUILD)/web"' \
	    -Iinclude -Iuser -I$(BUILD)
LIBS     := -lbpf -lelf -lz -lmicrohttpd -lgnutls -lcrypt -linih -lsystemd -lcap-ng -lseccomp -lncursesw -ltinfo \
	    -lpthread -lm

# The dashboard stands packed in the program, with Debian's Chart.js and its licence.
CHART_JS      := /usr/share/javascript/chart.js/chart.min.js
CHART_LICENCE := /usr/share/doc/libjs-chart.js/copyright
WEB      := $(patsubst user/web/%,$(BUILD)/web/%.gz,$(wildcard user/web/*)) \
	    $(BUILD)/web/chart.min.js.gz $(BUILD)/web/chart.copyright.txt.gz

PICTURES := dashboard dashboard-dark phone-dark top

# `make test-asan`: any finding ends the program. As a shared library, UBSan would not know the file for its reports.
# Left out is what valgrind runs, which does not go together, and what looks at glibc's heap, in whose place there is
# another; and with ASAN_QUICK=1 what is about the kernel's side, or asks the user side little that others do not.
ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	      -static-libasan -static-libubsan
ASAN_SLOW  := challenge known packets segments source_limit port_budget verifier e2e_arming e2e_attack e2e_challenge e2e_config \
	      e2e_conns e2e_contrib e2e_crowd e2e_differential e2e_faults e2e_filter e2e_full e2e_gauges e2e_install \
	      e2e_interfaces e2e_killed e2e_known e2e_lifecycle e2e_limit e2e_metrics e2e_overflow e2e_page e2e_prometheus e2e_rps \
	      e2e_start e2e_tallies
ASAN_LEFT  := e2e_valgrind e2e_memory memory $(if $(ASAN_QUICK),$(ASAN_SLOW))

SOURCES  := $(wildcard user/*.c)
OBJECTS  := $(SOURCES:user/%.c=$(BUILD)/user/%.o)
# The tests link what the program is made of, but for its main().
ROOMS    := $(filter-out $(BUILD)/user/main.o,$(OBJECTS))
TESTS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out tests/%.bpf.c,$(wildcard tests/*.c)))

DEPS      := clang llvm libbpf-dev libelf-dev zlib1g-dev bpftool libmicrohttpd-dev libgnutls28-dev libcrypt-dev \
	     libinih-dev libncurses-dev libsystemd-dev libcap-ng-dev libseccomp-dev libjs-chart.js gcc make \
	     linux-libc-dev iproute2
DEPS_DEMO := libcmocka-dev nginx-light curl jq ethtool util-linux procps
DEPS_TEST := $(DEPS_DEMO) git xdp-tools wrk python3 nftables \
	     libbpf-tools tmux prometheus openssl chromium clang-format clang-tidy cppcheck shellcheck valgrind \
	     systemd mandoc man-db zsh libclang-rt-dev tshark strace
DEPS_DEB  := debhelper fakeroot lintian
DEPS_TEST_DEB := debootstrap systemd-container
DEPS_TEST_KERNELS := qemu-system-x86 cpio kmod busybox-static
DEPS_TEST_ARM64 := qemu-system-arm gcc-aarch64-linux-gnu libc6-dev-arm64-cross

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps deps-test demo test tests test-kernels kernels-table test-asan test-memory soak faults bench pictures
.PHONY: lint fmt clean help tools

all: $(BUILD)/synwarden ## build the program (build/synwarden); V=1 shows the commands

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# Names a missing tool or header with the Debian package that has it, before the first compiler error does.
tools:
	@need() { command -v "$$1" >/dev/null 2>&1 || { echo "$$1 is missing: apt-get install $$2 (or: make deps)" >&2; exit 1; }; }; \
	head() { echo "#include <$$1>" | $(CC) $(TARGET) -E - >/dev/null 2>&1 || { echo "<$$1> is missing: apt-get install $$2 (or: make deps)" >&2; exit 1; }; }; \
	need $(CC) gcc; need $(CLANG) clang; need $(BPFTOOL) bpftool; \
	head bpf/libbpf.h libbpf-dev; head libelf.h libelf-dev; head zlib.h zlib1g-dev; head ncurses.h libncurses-dev; \
	head microhttpd.h libmicrohttpd-dev; head gnutls/gnutls.h libgnutls28-dev; head crypt.h libcrypt-dev; \
	head ini.h libinih-dev; head systemd/sd-daemon.h libsystemd-dev; head cap-ng.h libcap-ng-dev; \
	head seccomp.h libseccomp-dev; \
	[ -e $(CHART_JS) ] || { echo "$(CHART_JS) is missing: apt-get install libjs-chart.js (or: make deps)" >&2; exit 1; }

deps: ## install what building needs (Debian)
	$(Q)tests/install.sh $(DEPS)

deps-test: deps ## install what testing needs besides
	$(Q)tests/install.sh $(DEPS_TEST)

$(BUILD)/%.bpf.o: bpf/%.bpf.c | tools
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  BPF   $@"
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/%.bpf.o: tests/%.bpf.c | tools
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  BPF   $@"
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< > $@

$(BUILD)/user/%.o: user/%.c | tools
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  CC    $@"
	$(Q)$(CC) $(CFLAGS) $(USERFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/user/guard.o: $(BUILD)/synwarden.skel.h

$(BUILD)/user/web.o: $(WEB)

$(BUILD)/web/%.gz: user/web/%
	@mkdir -p $(@D); gzip -9nc $< > $@

$(BUILD)/web/chart.min.js.gz: $(CHART_JS)
	@mkdir -p $(@D); gzip -9nc $< > $@

$(BUILD)/web/chart.copyright.txt.gz: $(CHART_LICENCE)
	@mkdir -p $(@D); gzip -9nc $< > $@

$(CHART_JS) $(CHART_LICENCE): | tools

$(BUILD)/synwarden: $(OBJECTS)
	@[ $(V) = 1 ] || echo "  LINK  $@"
	$(Q)$(CC) $(TARGET) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# Each tests/NAME.c is a program. Those with a tests/NAME.bpf.c beside them include its skeleton.
$(foreach t,$(wildcard tests/*.bpf.c),$(eval $(BUILD)/tests/$(notdir $(t:.bpf.c=)): $(BUILD)/tests/$(notdir $(t:.bpf.c=.skel.h))))

$(BUILD)/tests/%: tests/%.c $(ROOMS) | tools
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  TEST  $@"
	$(Q)$(CC) $(CFLAGS) $(USERFLAGS) -I$(BUILD)/tests -MMD -MP $< $(ROOMS) -lcmocka $(LIBS) -o $@

# What is to be built is asked of a second make, as the first one may have had to install its compiler.
AGAIN := +$(Q)$(MAKE) --no-print-directory

demo: deps ## install what is missing, then: a request, a flood, and the flood filtered
	$(Q)tests/install.sh $(DEPS_DEMO)
	$(AGAIN) all $(BUILD)/tests/flood
	$(Q)tests/demo.sh

test: deps-test ## install what is missing, then all tests; ends with "N passed, N failed"
	$(AGAIN) all tests
	$(Q)tests/run.sh

tests: $(TESTS) # the test programs

test-kernels: deps-test ## the same on Debian's other kernels, under qemu; KERNELS_QUICK=1 takes minutes
	$(Q)tests/install.sh $(DEPS_TEST_KERNELS) $(if $(KERNELS_QUICK),,$(DEPS_TEST_ARM64))
	$(AGAIN) all tests $(BUILD)/tests/flood.bpf.o
	$(Q)tests/kernels.sh

kernels-table: ## put what the last of them has measured into the README
	$(Q)tests/kernels.sh table

test-asan: deps-test ## all tests with AddressSanitizer and UBSan built in; ASAN_QUICK=1: a part, in a third of the time
	$(AGAIN) BUILD=$(BUILD)/asan CFLAGS='$(ASAN_FLAGS)' all tests
	$(Q)BUILD_DIR=$(BUILD)/asan LEAVE_OUT='$(ASAN_LEFT)' tests/run.sh

test-memory: deps-test ## every command that comes to an end, under valgrind: some minutes
	$(AGAIN) all tests
	$(Q)VALGRIND=all SCRIPT_SECONDS=1200 tests/run.sh e2e_valgrind

soak: deps-test ## an hour (SOAK_SECONDS) of everything: nothing may grow, no number be wrong; leaves build/soak/
	$(AGAIN) all tests
	$(Q)tests/soak.sh

faults: deps-test ## everything that may go wrong around it, in its long form: build/faults/README.md
	$(Q)tests/install.sh $(DEPS_TEST_KERNELS)
	$(AGAIN) all tests $(BUILD)/tests/flood.bpf.o
	$(Q)tests/faults.sh

bench: deps-test ## measure the packet path and the tracker, against their peers
	$(AGAIN) all tests
	$(Q)tests/bench.sh

pictures: deps-test ## take the README's pictures anew, from a run of the dashboard's test
	$(AGAIN) all $(BUILD)/tests/flood $(BUILD)/tests/flood.bpf.o $(BUILD)/tests/clients
	$(Q)tests/e2e_page.sh
	$(Q)for picture in $(PICTURES); do cp $(BUILD)/pictures/$$picture.png contrib/pictures/; done

lint: deps-test ## formatting, include rules, gcc's and clang's warnings, clang-tidy, cppcheck, shellcheck
	$(AGAIN) $(BUILD)/synwarden.skel.h $(WEB)
	$(Q)CLANG=$(CLANG) tests/lint.sh

include tests/hostile.mk

fmt: ## format the C sources
	$(Q)files=$$(git ls-files '*.c' '*.h') && clang-format -i $$files

include contrib/install.mk

clean: ## remove build/
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(TESTS:%=%.d) $(wildcard $(BUILD)/*.d $(BUILD)/tests/*.d)
