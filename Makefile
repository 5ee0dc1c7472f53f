# SPDX-License-Identifier: GPL-2.0-only
# synwarden: `make demo` shows it, `make test` tests it, `make help` lists the other targets.

VERSION  := 0.2.0
PREFIX   ?= /usr/local
BUILD    := build
V        ?= 0
# 0: without `fetch` and `sync`, and so without libcurl and libyajl; `make clean` between the two
FETCH    ?= 1
Q        := $(if $(filter 1,$(V)),,@)

# The newest clang from 14 up; its own clang may also be named: make CLANG=clang-17
CLANG    ?= $(firstword $(foreach v,22 21 20 19 18 17 16 15 14,$(shell command -v clang-$(v) 2>/dev/null)) clang)
BPFTOOL  ?= $(firstword $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool 2>/dev/null) bpftool)
CC       ?= cc
# Of the target machine: make CC=aarch64-linux-gnu-gcc SYSROOT=DIR BUILD=build/arm64
ARCH     := $(shell $(CC) -dumpmachine 2>/dev/null | sed 's/-.*//; s/x86_64/x86/; s/aarch64/arm64/; s/p.*pc64le/powerpc/; s/riscv64/riscv/')
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
SYSROOT  :=

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror
BPFFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) $(WARNINGS) -Wno-unused-parameter \
	    -ffile-prefix-map=$(CURDIR)=. -Iinclude -Ivmlinux $(if $(MULTIARCH),-I$(SYSROOT)/usr/include/$(MULTIARCH))
TARGET   := $(if $(SYSROOT),--sysroot=$(SYSROOT))
USERFLAGS = $(TARGET) $(CPPFLAGS) -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DWEB_DIR='"$(BUILD)/web"' \
	    $(if $(filter 0,$(FETCH)),-DWITHOUT_FETCH) -Iinclude -Iuser -I$(BUILD)
LIBS     := -lbpf -lelf -lz -lmnl -lmicrohttpd -lgnutls -lcrypt -lsystemd -lcap-ng -lseccomp -lpcap -lhttp_parser \
	    -lncursesw -ltinfo -lpthread -lm
# Of synwarden-net, besides those of the modules that it uses. GnuTLS's, as libcurl with OpenSSL 3 is not under GPL-2.0.
NET_LIBS := -Wl,--as-needed -lcurl-gnutls -lyajl

# The dashboard is packed into the program, with Debian's Chart.js and its licence.
DASHBOARD     := user/endpoint/dashboard
CHART_JS      := /usr/share/javascript/chart.js/chart.min.js
CHART_LICENCE := /usr/share/doc/libjs-chart.js/copyright
WEB      := $(patsubst $(DASHBOARD)/%,$(BUILD)/web/%.gz,$(wildcard $(DASHBOARD)/*)) \
	    $(BUILD)/web/chart.min.js.gz $(BUILD)/web/chart.copyright.txt.gz

PICTURES := dashboard dashboard-dark phone-dark top

# `make test-asan`: any finding ends the program. As a shared library, UBSan would not know the file for its reports.
ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	      -static-libasan -static-libubsan

NET_SOURCES := user/net.c $(wildcard user/fetch/*.c user/sync/*.c)
SOURCES  := $(filter-out $(NET_SOURCES) $(if $(filter 0,$(FETCH)),user/cmd/net.c),$(wildcard user/*.c user/*/*.c))
OBJECTS  := $(SOURCES:user/%.c=$(BUILD)/user/%.o)
NET_OBJECTS := $(NET_SOURCES:user/%.c=$(BUILD)/user/%.o)
PROGRAMS := $(BUILD)/synwarden $(if $(filter 0,$(FETCH)),,$(BUILD)/synwarden-net)
# The tests link the program without its main().
MODULES  := $(filter-out $(BUILD)/user/main.o,$(OBJECTS))
NET_TESTS := fetch sync_answer sync_lists sync_state
NO_TESTS := tests/%.bpf.c tests/fuzz/engine.c $(if $(filter 0,$(FETCH)),$(NET_TESTS:%=tests/unit/%.c))
TESTS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out $(NO_TESTS),$(wildcard tests/*/*.c)))

DEPS      := clang llvm libbpf-dev libelf-dev zlib1g-dev bpftool libmnl-dev libmicrohttpd-dev libgnutls28-dev libcrypt-dev \
	     libncurses-dev libsystemd-dev libcap-ng-dev libseccomp-dev libpcap-dev libhttp-parser-dev libjs-chart.js gcc make \
	     linux-libc-dev iproute2 $(if $(filter 0,$(FETCH)),,libcurl4-gnutls-dev libyajl-dev)
DEPS_DEMO := libcmocka-dev nginx-light curl jq ethtool util-linux procps
DEPS_TEST := $(DEPS_DEMO) git libxml2-utils xdp-tools wrk python3 nftables iptables \
	     libbpf-tools tmux prometheus openssl chromium clang-format clang-tidy cppcheck shellcheck valgrind \
	     systemd mandoc man-db zsh libclang-rt-dev tshark tcpdump strace bc perl fail2ban apache2-bin
DEPS_TEST_LONG := crowdsec
DEPS_DEB  := debhelper fakeroot lintian
DEPS_TEST_DEB := debootstrap systemd-container
DEPS_TEST_KERNELS := qemu-system-x86 cpio kmod busybox-static
DEPS_TEST_ARM64 := qemu-system-arm gcc-aarch64-linux-gnu libc6-dev-arm64-cross

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps deps-test deps-test-long demo test test-long tests test-kernels kernels-table test-asan test-memory soak faults bench bench-table pictures
.PHONY: docs lint fmt clean help tools

all: $(PROGRAMS) ## build the programs (build/synwarden, build/synwarden-net); V=1 shows the commands, FETCH=0: without the second

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# Names a missing tool or header with the Debian package that has it, before the first compiler error does.
tools:
	@need() { command -v "$$1" >/dev/null 2>&1 || { echo "$$1 is missing: apt-get install $$2 (or: make deps)" >&2; exit 1; }; }; \
	head() { echo "#include <$$1>" | $(CC) $(TARGET) -E - >/dev/null 2>&1 || { echo "<$$1> is missing: apt-get install $$2 (or: make deps)" >&2; exit 1; }; }; \
	need $(CC) gcc; need $(CLANG) clang; need $(BPFTOOL) bpftool; \
	head bpf/libbpf.h libbpf-dev; head libelf.h libelf-dev; head zlib.h zlib1g-dev; head ncurses.h libncurses-dev; \
	head libmnl/libmnl.h libmnl-dev; head microhttpd.h libmicrohttpd-dev; head gnutls/gnutls.h libgnutls28-dev; head crypt.h libcrypt-dev; \
	head systemd/sd-daemon.h libsystemd-dev; head cap-ng.h libcap-ng-dev; \
	head seccomp.h libseccomp-dev; head pcap/pcap.h libpcap-dev; head http_parser.h libhttp-parser-dev; \
	[ $(FETCH) = 0 ] || { head curl/curl.h libcurl4-gnutls-dev; head yajl/yajl_parse.h libyajl-dev; }; \
	[ -e $(CHART_JS) ] || { echo "$(CHART_JS) is missing: apt-get install libjs-chart.js (or: make deps)" >&2; exit 1; }

deps: ## install what building needs (Debian)
	$(Q).ci/install.sh $(DEPS)

deps-test: deps ## also install what testing needs
	$(Q).ci/install.sh $(DEPS_TEST)

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

$(BUILD)/user/kernel/programs.o: $(BUILD)/synwarden.skel.h

$(BUILD)/user/endpoint/dashboard.o: $(WEB)

$(BUILD)/web/%.gz: $(DASHBOARD)/%
	@mkdir -p $(@D); gzip -9nc $< > $@

$(BUILD)/web/chart.min.js.gz: $(CHART_JS)
	@mkdir -p $(@D); gzip -9nc $< > $@

$(BUILD)/web/chart.copyright.txt.gz: $(CHART_LICENCE)
	@mkdir -p $(@D); gzip -9nc $< > $@

$(CHART_JS) $(CHART_LICENCE): | tools

$(BUILD)/synwarden: $(OBJECTS)
	@[ $(V) = 1 ] || echo "  LINK  $@"
	$(Q)$(CC) $(TARGET) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# Of the modules it takes what it uses.
$(BUILD)/modules.a: $(MODULES)
	@rm -f $@
	$(Q)$$($(CC) -print-prog-name=ar) rcs $@ $^

$(BUILD)/synwarden-net: $(NET_OBJECTS) $(BUILD)/modules.a
	@[ $(V) = 1 ] || echo "  LINK  $@"
	$(Q)$(CC) $(TARGET) $(CFLAGS) $(LDFLAGS) $^ $(NET_LIBS) $(LIBS) -o $@

# Each tests/KIND/NAME.c is a program. Those with a NAME.bpf.c beside them include its skeleton.
$(foreach t,$(wildcard tests/*/*.bpf.c),$(eval $(BUILD)/$(t:.bpf.c=): $(BUILD)/$(t:.bpf.c=.skel.h)))

$(BUILD)/tests/%: tests/%.c $(MODULES) | tools
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  TEST  $@"
	$(Q)$(CC) $(CFLAGS) $(USERFLAGS) -Itests -I$(BUILD)/tests -MMD -MP $< $(MORE) $(MODULES) -lcmocka $(LIBS) -o $@

# Those of what is in synwarden-net
NET_MODULES := $(filter-out $(BUILD)/user/net.o,$(NET_OBJECTS))
NET_PROGRAMS := $(if $(filter 0,$(FETCH)),,$(NET_TESTS:%=$(BUILD)/tests/unit/%) $(BUILD)/tests/fuzz/seeds)
$(NET_PROGRAMS): $(NET_MODULES)
$(NET_PROGRAMS): MORE := $(NET_MODULES) $(NET_LIBS)

# A second make builds, because the first one may have had to install its compiler.
AGAIN := +$(Q)$(MAKE) --no-print-directory

demo: deps ## install what is missing, then: a request, a flood, and the flood filtered
	$(Q).ci/install.sh $(DEPS_DEMO)
	$(AGAIN) all $(BUILD)/tests/tools/flood
	$(Q)tests/demo.sh

test: deps-test ## install what is missing, then the tests; ends with "N passed, N failed"
	$(AGAIN) all tests
	$(Q)tests/run.sh

# Its package registers with CrowdSec's central service, and without a network fails to install, unless this file has text.
deps-test-long: deps-test
	$(Q)mkdir -p /etc/crowdsec; [ -s /etc/crowdsec/online_api_credentials.yaml ] || echo '{}' >/etc/crowdsec/online_api_credentials.yaml
	$(Q).ci/install.sh $(DEPS_TEST_LONG)

test-long: deps-test-long ## the long forms of the tests that have one
	$(AGAIN) all tests
	$(Q)tests/run.sh --long

tests: $(TESTS) # the test programs

test-kernels: deps-test ## the same on Debian's other kernels, under qemu; KERNELS_QUICK=1 takes minutes
	$(Q).ci/install.sh $(DEPS_TEST_KERNELS) $(if $(KERNELS_QUICK),,$(DEPS_TEST_ARM64))
	$(AGAIN) all tests $(BUILD)/tests/tools/flood.bpf.o
	$(Q)tests/kernels/run.sh

kernels-table: ## put the table of the last test-kernels into docs/measurements.md
	$(Q)tests/kernels/run.sh table

test-asan: deps-test ## all tests with AddressSanitizer and UBSan built in; ASAN_QUICK=1: a part, in a third of the time
	$(AGAIN) BUILD=$(BUILD)/asan CFLAGS='$(ASAN_FLAGS)' all tests
	$(Q)BUILD_DIR=$(BUILD)/asan WITHOUT='no-asan$(if $(ASAN_QUICK), asan-slow)' tests/run.sh

test-memory: deps-test ## every command that terminates, under valgrind: some minutes
	$(AGAIN) all tests
	$(Q)LONG=1 SCRIPT_SECONDS=1200 tests/run.sh e2e/valgrind

soak: deps-test ## an hour (SOAK_SECONDS) of load, reloads and crashes: nothing may grow; leaves build/soak/
	$(AGAIN) all tests
	$(Q)tests/soak/run.sh

faults: deps-test ## the list of faults and their checks, in long form: build/faults/README.md
	$(Q).ci/install.sh $(DEPS_TEST_KERNELS)
	$(AGAIN) all tests $(BUILD)/tests/tools/flood.bpf.o
	$(Q)tests/faults.sh

bench: deps-test ## measure the packet path and the tracker, against their peers
	$(AGAIN) all tests
	$(Q)tests/bench/run.sh
	$(Q)tests/run.sh --timed

bench-table: ## put the tables of the last bench into docs/measurements.md
	$(Q)tests/bench/run.sh table

docs: $(PROGRAMS) ## fill the generated tables of README.md and docs/ from the program
	$(Q)contrib/generate.sh $(BUILD)/synwarden docs README.md $(wildcard docs/*.md)

pictures: deps-test ## retake the pictures of the documents, from a run of the dashboard's test and a capture
	$(AGAIN) all $(BUILD)/tests/tools/flood $(BUILD)/tests/tools/flood.bpf.o $(BUILD)/tests/tools/clients
	$(Q)tests/e2e/page.sh
	$(Q)for picture in $(PICTURES); do cp $(BUILD)/pictures/$$picture.png contrib/pictures/; done
	$(Q)tests/tools/captures.py $(BUILD)/pictures open_close
	$(Q)$(BUILD)/synwarden ladder --read $(BUILD)/pictures/open_close.pcap --svg contrib/pictures/ladder.svg

lint: deps-test ## format, lengths, includes, documents, words, links, compilers, clang-tidy, cppcheck, shellcheck
	$(AGAIN) $(BUILD)/synwarden.skel.h $(WEB)
	$(Q)CLANG=$(CLANG) .ci/lint.sh

include tests/fuzz/fuzz.mk

fmt: ## format the C sources
	$(Q)files=$$(git ls-files '*.c' '*.h') && clang-format -i $$files

include contrib/install.mk

clean: ## remove build/
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(NET_OBJECTS:.o=.d) $(TESTS:%=%.d) $(wildcard $(BUILD)/*.d $(BUILD)/tests/*/*.bpf.d)
