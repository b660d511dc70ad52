# SPDX-License-Identifier: GPL-2.0
# What people type. `make help` lists it, README.md explains it.

KDIR ?= /lib/modules/$(shell uname -r)/build

.PHONY: all modules userspace compare check bench clients clients-volume check-unprotected check-dkms check-debug check-pressure check-lockdown check-races findings fuzz unit vm-run vm-shell readme clean help

all: modules userspace

# STRATEGY=name builds the core and that strategy only (Kbuild reads it).
modules:
	@[ -d $(KDIR) ] || { echo '$(KDIR) is not there: install the headers of this kernel, or name some with KDIR=' >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) W=1 modules

# The library and the tool.
userspace:
	$(MAKE) -C userspace O=$(CURDIR)/build/userspace

# install, uninstall and what they take
include userspace/install/install.mk

# The test bed. Its scripts install what is missing on the host, or say what to install.
compare:
	tests/$(if $(HOST),host.sh compare,compare.sh)

check:
	tests/$(if $(HOST),host.sh check,check.sh)

# The measurement; nothing else should run on the machine. Its figures differ from machine to machine, the ratios less so.
bench:
	tests/bench.sh

# QEMU, libxenvchan, Xen's daemons: on each strategy, in every cell.
clients:
	tests/clients/clients.sh

clients-volume:
	STRATEGY="$(or $(STRATEGY),mixedmap)" CLIENTS='vchan-guest vchan-dom0' MEGABYTES=150 tests/clients/clients.sh

# The NUMA tests notice when a strategy's protection is taken out.
check-unprotected:
	tests/unprotected.sh

# The same on a kernel with KASAN, lockdep, kmemleak and the like, which is built first.
check-debug:
	tests/debug.sh

check-pressure:
	tests/pressure.sh

# After the modules were loaded: an unsigned one is refused from then on.
check-lockdown:
	tests/lockdown.sh

check-races:
	tests/races.sh

fuzz:
	tests/fuzz.sh

# A real dkms add, build, install and remove on Debian's kernels.
check-dkms:
	tests/build/dkms.sh

# What the kernel's own driver makes of the same teardown: tests/findings.md.
findings:
	tests/findings.sh

unit:
	$(MAKE) -C tests/unit check

vm-run:
	tests/vm/vm.sh run

vm-shell:
	tests/vm/vm.sh shell

# Needs build/report of a `make compare KERNEL='6.1 6.12 7.2'`; takes the figures of a `make bench` too, if there are any.
readme:
	tests/dom0/report.sh -r README.md strategies
	tests/dom0/report.sh -r tests/gup.md gup
	[ ! -s build/report/bench-summary.md ] || tests/bench/report.sh -r README.md

clean:
	rm -rf build
	[ ! -d $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean

help:
	@echo 'make [KDIR=dir] [STRATEGY=name]  modules (all, or the core and one strategy), library, gntmap'
	@echo 'make install [GNTDEV=strategy]   all but `none'"'"'; GNTDEV takes the place of xen-gntdev. DESTDIR=, PREFIX=, DKMS=1'
	@echo 'make uninstall                   leaves nothing'
	@echo 'make compare                     the strategies side by side in a real dom0; report in build/report/'
	@echo 'make check                       all tests; the last line is N passed, N failed, N skipped'
	@echo 'make bench                       speed and memory against in-tree gntdev and the bare hypercalls; figures in build/report/'
	@echo 'make clients                     real clients on every strategy; report in build/report/'
	@echo 'make clients-volume              300 MB through libxenvchan in each cell'
	@echo 'make check-unprotected           the tests notice a strategy without its protection'
	@echo 'make check-debug                 all tests on a kernel with KASAN, lockdep, kmemleak; it is built first, once'
	@echo 'make check-pressure              memory, cgroups and Xen tables that run out, a CPU that goes'
	@echo 'make check-races                 races on CPUs that run at once, with a kernel that preempts itself'
	@echo 'make check-lockdown              tests in a kernel that is locked down after the modules were loaded'
	@echo 'make fuzz [SEED=n] [OPS=n]       random operations against a model; EPISODE=n shows one of a seed'
	@echo "make check-dkms                  DKMS builds and installs on each kernel, in a chroot"
	@echo "make findings                    teardown with the kernel's own driver, a boot for each test; read tests/findings.md"
	@echo 'make unit                        the tests that need no dom0'
	@echo "make vm-run CMD='...'            a command in a fresh dom0; OVERLAY=dir, TIMEOUT=seconds"
	@echo 'make vm-shell                    a fresh dom0 with a console'
	@echo 'make readme                      the last comparison becomes the tables in README.md and tests/gup.md'
	@echo
	@echo 'KERNEL: 6.1, 6.12, 7.2, newest or a release; MODE: pv, pvh; one or a quoted list. HOST=1: this machine is the dom0.'
