# SPDX-License-Identifier: GPL-2.0-only
# The installed files and their places, and the Debian package. Part of the Makefile.

# Where synwarden, in $(PREFIX)/sbin, looks for it
LIBDIR       = $(PREFIX)/lib/synwarden
UNITDIR     ?= $(PREFIX)/lib/systemd/system
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BASHDIR     ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR      ?= $(PREFIX)/share/zsh/site-functions
MANDIR      ?= $(PREFIX)/share/man
DOCDIR      ?= $(PREFIX)/share/doc/synwarden
EXAMPLES    := $(DOCDIR)/examples

# Beside each other as here, so that links between them work; pictures stay in the repository.
DOCUMENTS := README.md SECURITY.md CHANGELOG.md $(wildcard docs/*.md)

# MODE:FILE:PLACE
INSTALLED = 755:$(BUILD)/synwarden:$(PREFIX)/sbin/synwarden \
	$(if $(filter 0,$(FETCH)),,755:$(BUILD)/synwarden-net:$(LIBDIR)/synwarden-net) \
	644:$(BUILD)/man/synwarden.8:$(MANDIR)/man8/synwarden.8 \
	644:$(BUILD)/man/synwarden.conf.5:$(MANDIR)/man5/synwarden.conf.5 \
	644:$(BUILD)/completion/bash:$(BASHDIR)/synwarden \
	644:$(BUILD)/completion/zsh:$(ZSHDIR)/_synwarden \
	644:contrib/systemd/synwarden.service:$(UNITDIR)/synwarden.service \
	$(if $(filter 0,$(FETCH)),,644:contrib/systemd/synwarden-sync.service:$(UNITDIR)/synwarden-sync.service) \
	$(if $(filter 0,$(FETCH)),,644:contrib/systemd/synwarden.sysusers:$(SYSUSERSDIR)/synwarden.conf) \
	644:contrib/systemd/synwarden.socket:$(UNITDIR)/synwarden.socket \
	644:contrib/systemd/synwarden.tmpfiles:$(TMPFILESDIR)/synwarden.conf \
	$(foreach d,$(DOCUMENTS),644:$d:$(DOCDIR)/$d) \
	644:contrib/synwarden.conf:$(EXAMPLES)/synwarden.conf \
	644:contrib/fail2ban/synwarden.conf:$(EXAMPLES)/fail2ban/synwarden.conf \
	755:contrib/nftables/import.sh:$(EXAMPLES)/nftables/import.sh \
	755:contrib/nftables/export.sh:$(EXAMPLES)/nftables/export.sh \
	644:contrib/grafana/synwarden.json:$(EXAMPLES)/grafana/synwarden.json \
	644:contrib/prometheus/synwarden.rules.yml:$(EXAMPLES)/prometheus/synwarden.rules.yml \
	644:contrib/prometheus/synwarden.rules.test.yml:$(EXAMPLES)/prometheus/synwarden.rules.test.yml
# Removed with the last file in them.
OWN_DIRS  = $(LIBDIR) $(DOCDIR)/docs $(EXAMPLES)/fail2ban $(EXAMPLES)/nftables $(EXAMPLES)/grafana $(EXAMPLES)/prometheus $(EXAMPLES) $(DOCDIR)
GENERATED = $(BUILD)/man/synwarden.8 $(BUILD)/man/synwarden.conf.5 $(BUILD)/completion/bash $(BUILD)/completion/zsh

.PHONY: install uninstall generated deb test-deb

$(BUILD)/man/%: contrib/man/%.in contrib/man/fill.awk contrib/generate.sh $(PROGRAMS)
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  MAN   $@"
	$(Q)contrib/generate.sh $(BUILD)/synwarden man $< >$@

$(BUILD)/completion/%: contrib/completion/synwarden.%.in contrib/completion/zsh.awk contrib/generate.sh $(PROGRAMS)
	@mkdir -p $(@D); [ $(V) = 1 ] || echo "  GEN   $@"
	$(Q)contrib/generate.sh $(BUILD)/synwarden $* >$@

generated: $(GENERATED) # manual pages and completions

install: $(PROGRAMS) $(GENERATED) ## install below DESTDIR/PREFIX
	$(Q)for f in $(INSTALLED); do (IFS=:; set -- $$f; install -D -m "$$1" "$$2" "$(DESTDIR)$$3") || exit 1; done
	$(Q)sed -i 's|/usr/sbin/synwarden|$(PREFIX)/sbin/synwarden|' $(DESTDIR)$(UNITDIR)/synwarden*.service
	$(Q)sed -i 's|/usr/share/doc/synwarden|$(DOCDIR)|' $(DESTDIR)$(MANDIR)/man8/synwarden.8

uninstall: ## remove the installed files
	$(Q)for f in $(INSTALLED); do rm -f "$(DESTDIR)$${f##*:}"; done
	$(Q)for d in $(OWN_DIRS); do rmdir "$(DESTDIR)$$d" 2>/dev/null || true; done

# The package is built from a copy of the tree, whose debian/ gets its version and its dependencies from the Makefile.
COMMA   := ,
EMPTY   :=
DEB_DEPS = $(subst $(EMPTY) $(EMPTY),$(COMMA) ,$(strip $(filter-out gcc make,$(DEPS))))
DEB_TREE = $(BUILD)/deb/synwarden-$(VERSION)

deb: deps ## build the Debian package (build/deb/*.deb)
	$(Q).ci/install.sh $(DEPS_DEB)
	$(Q)rm -rf $(BUILD)/deb && mkdir -p $(DEB_TREE)
	$(Q)tar -c --exclude=./$(BUILD) --exclude=./.git . | tar -x -C $(DEB_TREE)
	$(Q)cp -r contrib/debian $(DEB_TREE)/debian
	$(Q)sed -i 's/@VERSION@/$(VERSION)/; s/@BUILD_DEPENDS@/$(DEB_DEPS)/' $(DEB_TREE)/debian/changelog $(DEB_TREE)/debian/control
	$(Q)cd $(DEB_TREE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -b -uc -us -rfakeroot >../build.log 2>&1 || \
		{ tail -n 40 ../build.log; exit 1; }
	$(Q)ls $(BUILD)/deb/*.deb

test-deb: deb deps-test ## install, use and purge the package on a clean Debian, booted in a container
	$(AGAIN) $(BUILD)/tests/tools/flood
	$(Q).ci/install.sh $(DEPS_TEST_DEB)
	$(Q)tests/package/deb.sh
