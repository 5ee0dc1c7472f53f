# SPDX-License-Identifier: GPL-2.0-only
# Hostile input. Each tests/fuzz/NAME.h (but fuzz.h) becomes build/fuzz/NAME, with libFuzzer, sanitizers and coverage.

# Debian's own clang, as its libclang-rt-dev has the runtime.
FUZZ_CLANG   ?= clang
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(patsubst tests/fuzz/%.h,$(BUILD)/fuzz/%,$(filter-out tests/fuzz/fuzz.h $(if $(filter 0,$(FETCH)),tests/fuzz/stream.h),$(wildcard tests/fuzz/*.h)))
# What the targets call; the rest of the program is linked as it is.
FUZZ_MODULES := config/config_file config/kinds config/lines config/options config/run_options config/settings \
		config/values \
		segments/headers segments/http_line segments/http_reader segments/infer segments/ladder_json segments/ladder_svg \
		segments/ladder_text segments/marks \
		segments/view segments/words server/admission server/auth server/clients \
		server/daemon server/host \
		server/gzip_page server/negotiate server/reply server/secrets server/server text/address text/clean text/json text/print \
		$(if $(filter 0,$(FETCH)),,sync/answer sync/decision sync/notes sync/said)
FUZZ_OBJECTS := $(FUZZ_MODULES:%=$(BUILD)/fuzz/user/%.o)
FUZZ_PLAIN   := $(filter-out $(FUZZ_MODULES:%=$(BUILD)/user/%.o),$(MODULES))
SANITIZERS   := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_FLAGS    = -O1 -g $(USERFLAGS) -Itests $(SANITIZERS) -fprofile-instr-generate -fcoverage-mapping

# How many frames the filter and tshark are to agree on, and with which random numbers.
FRAMES ?= 1000000
SEED   ?= $(shell date +%s)

.PHONY: differential fuzz

differential: deps-test ## a million frames through the filter program and through tshark: FRAMES=1000000 SEED=N
	$(AGAIN) $(BUILD)/synwarden $(BUILD)/tests/fuzz/differential
	$(Q)python3 tests/fuzz/differential.py $(FRAMES) $(SEED)

fuzz: deps-test ## look for inputs that break a property: FUZZ_SECONDS=60 for each target
	$(AGAIN) $(FUZZ_TARGETS)
	$(Q)tests/fuzz/run.sh $(FUZZ_SECONDS)

$(BUILD)/fuzz/user/%.o: user/%.c | tools
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  FUZZ  $@"
	$(Q)$(FUZZ_CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(BUILD)/fuzz/%: tests/fuzz/engine.c tests/fuzz/%.h $(FUZZ_OBJECTS) $(FUZZ_PLAIN)
	@[ $(V) = 1 ] || echo "  FUZZ  $@"
	$(Q)$(FUZZ_CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -DFUZZ_HEADER='"$*.h"' -DFUZZ_TARGET=fuzz_$* -MMD -MP \
		$< $(FUZZ_OBJECTS) $(FUZZ_PLAIN) $(NET_LIBS) $(LIBS) -o $@

# Its own code alone: what it is linked to is built once for all tests.
$(BUILD)/tests/fuzz/seeds: private CFLAGS += $(SANITIZERS)

-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_TARGETS:%=%.d)
