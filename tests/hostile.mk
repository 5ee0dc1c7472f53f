# SPDX-License-Identifier: GPL-2.0-only
# Hostile input. Each tests/fuzz/fuzz_NAME.h becomes build/fuzz/NAME, with libFuzzer, sanitizers and coverage.

# Debian's own clang, as its libclang-rt-dev has the runtime.
FUZZ_CLANG   ?= clang
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.h,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.h))
# What the targets call; the rest of the program is linked as it is.
FUZZ_ROOMS   := address auth conf conf_lines config guests http json negotiate options packed parse print reply secrets
FUZZ_OBJECTS := $(FUZZ_ROOMS:%=$(BUILD)/fuzz/user/%.o)
FUZZ_PLAIN   := $(filter-out $(FUZZ_ROOMS:%=$(BUILD)/user/%.o),$(ROOMS))
SANITIZERS   := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_FLAGS    = -O1 -g $(USERFLAGS) $(SANITIZERS) -fprofile-instr-generate -fcoverage-mapping

# How many frames the filter and tshark are to agree on, and with which random numbers.
FRAMES ?= 1000000
SEED   ?= $(shell date +%s)

.PHONY: differential fuzz

differential: deps-test ## a million frames through the filter program and through tshark: FRAMES=1000000 SEED=N
	$(AGAIN) $(BUILD)/synwarden $(BUILD)/tests/differential
	$(Q)python3 tests/differential.py $(FRAMES) $(SEED)

fuzz: deps-test ## look for inputs that break a property: FUZZ_SECONDS=60 for each target
	$(AGAIN) $(FUZZ_TARGETS)
	$(Q)tests/fuzz.sh $(FUZZ_SECONDS)

$(BUILD)/fuzz/user/%.o: user/%.c | tools
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  FUZZ  $@"
	$(Q)$(FUZZ_CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(BUILD)/fuzz/%: tests/fuzz/engine.c tests/fuzz/fuzz_%.h $(FUZZ_OBJECTS) $(FUZZ_PLAIN)
	@[ $(V) = 1 ] || echo "  FUZZ  $@"
	$(Q)$(FUZZ_CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -DFUZZ_HEADER='"fuzz_$*.h"' -DFUZZ_TARGET=fuzz_$* -MMD -MP \
		$< $(FUZZ_OBJECTS) $(FUZZ_PLAIN) $(LIBS) -o $@

# Its own code alone: what it is linked to is built once for all tests.
$(BUILD)/tests/fuzz: private CFLAGS += $(SANITIZERS)

-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_TARGETS:%=%.d)
