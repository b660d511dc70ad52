# SPDX-License-Identifier: GPL-2.0
#
# make install and make uninstall; part of the Makefile at the top.
#
#	DESTDIR		everything goes below it, and nothing of this system is touched (no depmod, ldconfig, dkms)
#	PREFIX		of what is not a module: /usr/local
#	SYSCONFDIR	/etc
#	INSTALL_MOD_PATH	where lib/modules is: DESTDIR
#	STRATEGY	only these strategies; `none' is never installed
#	GNTDEV		the strategy that shall stand at /dev/xen/gntdev; nothing is decided without it
#	DKMS=1		the modules' sources go to DKMS, which builds them for each kernel, instead of the modules
#	DKMS_KERNEL	for this kernel instead of the running one

include userspace/version.mk
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
INSTALL_MOD_PATH ?= $(DESTDIR)

INSTALL_STRATEGIES := $(or $(STRATEGY),vmio mixedmap policy)
# A folder of its own, so that uninstall knows what is ours.
INSTALL_MOD_DIR := updates/gntmap
INSTALL_DKMS := /usr/src/gntmap-$(VERSION)
INSTALL_CONF := $(SYSCONFDIR)/modprobe.d/gntmap.conf
INSTALL_RULES := $(SYSCONFDIR)/udev/rules.d/60-gntmap.rules
INSTALL_RELEASE = $$($(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease)
# Which folders we made: the one that the userspace has too.
INSTALL_RECORD := $(PREFIX)/share/gntmap/folders
INSTALL_FOLDERS := userspace/install/folders.sh

.PHONY: install uninstall modules_install dkms_install conf_install userspace_install install_check

install: install_check
	$(MAKE) $(if $(DKMS),dkms_install,modules_install)
	$(MAKE) userspace_install conf_install

install_check:
	$(if $(filter none,$(STRATEGY) $(GNTDEV)),$(error `none' protects nothing: it is for experiments and never installed))
	$(if $(filter-out $(INSTALL_STRATEGIES),$(GNTDEV)),$(error GNTDEV=$(GNTDEV): not one of: $(INSTALL_STRATEGIES)))

# The folder's list of modules must not have `none' on it, which `make' has built too.
modules_install: install_check
	$(MAKE) modules STRATEGY='$(INSTALL_STRATEGIES)'
	$(INSTALL_FOLDERS) make '$(INSTALL_MOD_PATH)' $(INSTALL_RECORD) "/lib/modules/$(INSTALL_RELEASE)/$(INSTALL_MOD_DIR)"
	$(MAKE) -C $(KDIR) M=$(CURDIR) STRATEGY='$(INSTALL_STRATEGIES)' INSTALL_MOD_PATH=$(INSTALL_MOD_PATH) \
		INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) DEPMOD=true modules_install
	$(if $(DESTDIR),,depmod -b $(or $(INSTALL_MOD_PATH),/) "$(INSTALL_RELEASE)")

dkms_install: install_check
	$(INSTALL_FOLDERS) make '$(DESTDIR)' $(INSTALL_RECORD) $(INSTALL_DKMS)/driver $(INSTALL_DKMS)/include/uapi/xen
	install -m 644 Kbuild COPYING $(DESTDIR)$(INSTALL_DKMS)/
	install -m 644 driver/*.[ch] $(DESTDIR)$(INSTALL_DKMS)/driver/
	install -m 644 include/uapi/xen/gntmap.h $(DESTDIR)$(INSTALL_DKMS)/include/uapi/xen/
	sed 's/@VERSION@/$(VERSION)/' userspace/install/dkms.conf.in >$(DESTDIR)$(INSTALL_DKMS)/dkms.conf
	$(if $(DESTDIR),,dkms add gntmap/$(VERSION))
	$(if $(DESTDIR),,dkms install gntmap/$(VERSION) $(addprefix -k ,$(DKMS_KERNEL)))

userspace_install:
	$(MAKE) -C userspace install O=$(CURDIR)/build/userspace DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

conf_install: install_check
	$(INSTALL_FOLDERS) make '$(DESTDIR)' $(INSTALL_RECORD) $(dir $(INSTALL_RULES) $(if $(GNTDEV),$(INSTALL_CONF)))
	install -m 644 userspace/install/60-gntmap.rules $(DESTDIR)$(INSTALL_RULES)
	$(if $(GNTDEV),sed 's/@STRATEGY@/$(GNTDEV)/g' userspace/install/modprobe.conf.in >$(DESTDIR)$(INSTALL_CONF))

# What is loaded stays loaded.
uninstall:
	$(RM) $(DESTDIR)$(INSTALL_RULES) $(DESTDIR)$(INSTALL_CONF)
	$(if $(DESTDIR),,[ ! -d $(INSTALL_DKMS) ] || ! command -v dkms >/dev/null || dkms remove gntmap/$(VERSION) --all)
	$(RM) -r $(DESTDIR)$(INSTALL_DKMS)
	for dir in $(INSTALL_MOD_PATH)/lib/modules/*/$(INSTALL_MOD_DIR); do \
		[ -d "$$dir" ] || continue; \
		rm -rf "$$dir"; \
		release=$${dir%/$(INSTALL_MOD_DIR)}; \
		$(if $(DESTDIR),:,depmod -b $(or $(INSTALL_MOD_PATH),/) "$${release##*/}"); \
	done
	$(if $(filter-out $(DESTDIR),$(INSTALL_MOD_PATH)),$(INSTALL_FOLDERS) remove '$(INSTALL_MOD_PATH)' $(INSTALL_RECORD))
	$(MAKE) -C userspace uninstall O=$(CURDIR)/build/userspace DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
