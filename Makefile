# krait: build, install, check, test. Everything is built into $(OUTPUT); `make help` lists the goals.

OUTPUT ?= build
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d

CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),$(wildcard /usr/sbin/bpftool),bpftool)
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
VMLINUX_H ?= vmlinux.h
V ?= 0
SAN ?= 0
STATIC ?= 0
WERROR ?= 0

# CROSS_COMPILE=aarch64-linux-gnu- ARCH=arm64 builds for aarch64, with the libraries of SYSROOT.
ifneq ($(CROSS_COMPILE),)
CC := $(CROSS_COMPILE)gcc
endif
ifneq ($(SYSROOT),)
CC += --sysroot=$(SYSROOT)
PKG_CONFIG := PKG_CONFIG_LIBDIR=$(firstword $(wildcard $(SYSROOT)/usr/lib/*/pkgconfig)) $(PKG_CONFIG)
endif
ARCH ?= $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

VERSION := 0.1.0
# The date of the version, for manual pages.
DATE := 2026-11-29
O := $(abspath $(OUTPUT))
Q := $(if $(filter 1,$(V)),,@)
msg = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

# Sources by layer (README, "How to read the code"); new files must be added here.
BASE := base/aside base/beside base/buf base/caps base/err base/gzip base/hmap base/jsonread base/jsonwrite base/num base/nursery base/proto base/strpool base/term base/utf8 base/vec
PROC := proc/account proc/cgroup proc/cgroupfs proc/ehtable proc/elf proc/elfsource proc/engines proc/host proc/kallsyms proc/maps proc/mountinfo proc/procfs proc/rmem proc/runtime proc/served proc/source proc/symtab proc/task
# No command uses these yet, so krait is linked without them.
NATIVE := native/cfa native/chunk native/cursor native/debugfile native/demangle native/ehframe native/gap native/hostwalk native/image native/methods native/naming native/natfiles native/rule native/space native/symbols
PY := py/a64 py/asyncdebug py/asynctask py/code py/codefetch py/codetype py/coro py/decode py/detect py/gil py/idents py/layout py/linetable py/locals py/loop py/pyfile py/pyname py/pyobject py/pystr py/pyversion py/stackread py/tasklist py/taskplace py/threadname py/tlsvar py/value py/walk py/window
SYM := sym/parked sym/plumbing sym/sym sym/syscall
MODEL := model/frame model/labels model/leaf model/profile model/series model/share model/stacks model/state model/where
FORMAT := format/ending format/file format/folded format/format format/frames format/groups format/jsonl format/label format/names format/path format/pprof format/speedscope format/stream format/text format/html/graph format/html/html format/html/top format/krait/block format/krait/journal format/krait/recording format/krait/restore format/krait/store format/table/columns format/table/functions format/table/source format/table/table format/table/tally
LOAD := load/btfnames load/events load/faulting load/kern load/natvisit load/perf load/probe load/wall
SESSION := session/books session/census session/checks session/child session/chosen session/containers session/doctor session/frames session/hang session/inspector session/kernstacks session/layouts session/limits session/look session/merge session/named session/natives session/natwork session/places session/privilege session/procs session/programs session/reader session/reading session/reasons session/retries session/sampler session/samples session/session session/snapshot session/survey session/taskplaces session/tasks
CLI := cli/cli cli/completion cli/help cli/kind cli/man cli/rows cli/users
CMD := cmd/by cmd/main cmd/outputs cmd/process cmd/doctor/doctor cmd/dump/dump cmd/dump/json cmd/dump/run cmd/dump/tasks cmd/dump/text cmd/list/list cmd/list/print cmd/record/capture cmd/record/record cmd/record/run cmd/record/say cmd/report/report
LIBS := $(BASE) $(PROC) $(PY) $(NATIVE) $(SYM) $(MODEL) $(FORMAT) $(LOAD) $(SESSION) $(CLI)
BPF := maps sampler kernel native lifecycle switch visit drain cgroup
BESIDE := maps cgroup natvisit
ALONE := probe faulting faulting_plain natvisit
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

WARN := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings -Wshadow \
	-Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(WARN) -D_GNU_SOURCE -DKRAIT_VERSION='"$(VERSION)"' -DKRAIT_DATE='"$(DATE)"' \
	-I$(O) -Iuser -I. \
	$(CFLAGS) $(SAN_$(SAN)) -MMD -MP
SAN_0 :=
SAN_1 := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
BPF_CFLAGS := -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Wno-unused-parameter \
	$(if $(filter 1,$(WERROR)),-Werror) -D__TARGET_ARCH_$(ARCH) -I$(dir $(VMLINUX_H)) -Ibpf
# Libraries are linked statically, so that krait runs where they are not installed.
STATIC_LIBS := -lbpf -lelf -lz -llzma -liberty -ljansson $(shell $(PKG_CONFIG) --static --libs libelf 2>/dev/null | \
	tr ' ' '\n' | grep -x -- -lzstd)
LDLIBS_0 := -Wl,-Bstatic $(STATIC_LIBS) -Wl,-Bdynamic -lm
LDLIBS_1 := -static $(STATIC_LIBS) -lm

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all clean help man completions install uninstall deps record test unit e2e e2e-build truth bench bench-scale fuzz \
	fuzz-build check check-format arm64 check-headers check-layers check-shell check-vmlinux \
	check-depfiles check-warnings verifier tags bpf-objects check-arm64 matrix static bench-storm \
	bench-containers bench-report bench-page bench-wall bench-large gate gate-check

all: $(O)/krait

help:
	@printf '%s\n' \
		'all (default)   $(OUTPUT)/krait         STATIC=1: fully static   V=1: show commands' \
		'arm64           $(OUTPUT)/arm64/krait   fully static, for aarch64 (installs a cross compiler if it must)' \
		'record          install what is missing, build, record this host for 10 s (root)' \
		'test            every test, reduced forms (root)' \
		'unit            unit tests under ASan and UBSan (no root)' \
		'e2e             end-to-end tests (root); e2e-build: what they need' \
		'truth           the long accuracy runs (root)' \
		'matrix          every interpreter on every kernel: tests/MATRIX.md (root, QEMU); KERNELS="host 6.1": only these' \
		'bench           what a sample costs (root)' \
		'bench-scale     start, memory and cost with 500 Pythons and 5,000 others (root)' \
		'bench-containers   the filter for containers, and 500 of them (root)' \
		'bench-report    a recording of an hour of 1,000 processes: its size, what reading it costs' \
		'bench-storm     short processes: what they cost, what of them is missed (root)' \
		'bench-page      what the flame graph costs a browser, up to 300,000 stacks' \
		'bench-large     start, memory and losses with up to 128 CPUs, emulated' \
		'bench-wall      wall-clock mode with up to 4,000 sleeping threads (root)' \
		'fuzz            fuzz targets, FUZZ_SECONDS=600 each; FUZZ="elf maps": only these' \
		'check           format, warnings, headers, layers, scripts, depfiles, vmlinux.h, aarch64' \
		'gate            compare the cost with tools/gate/gate.csv and the commit before (root)' \
		'gate-check      does the gate fail on planted regressions, and only on them? (root)' \
		'verifier        compare the verifier cost with tools/verifier.csv (root)' \
		'man, completions   manual pages; completions for $(SHELLS)' \
		'install, uninstall   PREFIX=$(PREFIX) DESTDIR=' \
		'clean           remove $(OUTPUT)'

# --- kernel side ------------------------------------------------------------------------------

$(O)/bpf/%.tmp.bpf.o: bpf/%.bpf.c | $(O)/bpf
	$(call msg,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@

$(O)/bpf/krait.bpf.o: $(BPF:%=$(O)/bpf/%.tmp.bpf.o)
	$(call msg,LINK-BPF,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

# Definitions of maps must come before their uses.
$(O)/bpf/natvisit.bpf.o: $(BESIDE:%=$(O)/bpf/%.tmp.bpf.o)
	$(call msg,LINK-BPF,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(filter-out %/natvisit.bpf.o,$(ALONE:%=$(O)/bpf/%.bpf.o)): %.bpf.o: %.tmp.bpf.o
	$(call msg,LINK-BPF,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(O)/%.skel.h: $(O)/bpf/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

bpf-objects: $(O)/bpf/krait.bpf.o $(ALONE:%=$(O)/bpf/%.bpf.o)

# --- user side --------------------------------------------------------------------------------

SKELS := $(O)/krait.skel.h $(ALONE:%=$(O)/%.skel.h) $(O)/syscalls.inc
OBJS := $(addprefix $(O)/user/,$(addsuffix .o,$(LIBS) $(CMD)))

# Names of the system calls of the target architecture, by number.
$(O)/syscalls.inc: | $(O)/bpf
	$(call msg,GEN,$@)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) $(CFLAGS) -dM -E - | LC_ALL=C sort | \
		sed -n 's/^#define __NR_\([a-z][a-z0-9_]*\) .*/[__NR_\1] = "\1",/p' | \
		grep -v '__NR_syscalls\|__NR_arch_specific_syscall' >$@

# Generated headers are order-only for the first build; later the depfiles have the dependencies.
$(O)/user/%.o: user/%.c | $(SKELS)
	$(call msg,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(O)/krait: $(OBJS) $(O)/.link-$(STATIC)
	$(call msg,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SAN_$(SAN)) $(LDFLAGS) $(OBJS) $(LDLIBS_$(STATIC)) -o $@

# Parts of the HTML output, as lists of bytes to #include; order-only, as above.
HTML := page.html page.css profile.js tree.js colours.js graph.js panel.js page.js
HTML_INC := $(HTML:%=$(O)/format/html/%.inc)
$(O)/format/html/%.inc: user/format/html/%
	$(call msg,EMBED,$<)
	@mkdir -p $(@D)
	$(Q)od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g' >$@

$(O)/user/format/html/html.o $(O)/san/format/html/html.o $(O)/fuzz/user/format/html/html.o: | $(HTML_INC)

# Switching STATIC relinks.
$(O)/.link-$(STATIC): | $(O)/bpf
	@rm -f $(O)/.link-*; touch $@

$(O)/bpf:
	@mkdir -p $@

# --- cross build --------------------------------------------------------------------------------

# In an output folder of its own; the libraries are Debian's, unpacked into the cache.
arm64:
	$(Q)tools/deps.sh cross
	$(Q)root=$$(tests/sysroot.sh arm64) && $(MAKE) --no-print-directory OUTPUT=$(O)/arm64 ARCH=arm64 \
		CROSS_COMPILE=aarch64-linux-gnu- SYSROOT=$$root STATIC=1 SAN=0 all

# --- manual pages and completions ---------------------------------------------------------------

# A page for krait and one for each command, generated from the option rows; the prose is in a .man
# file beside the command.
PAGES := krait krait-record krait-report krait-list krait-dump krait-doctor
MAN := $(PAGES:%=$(O)/man/%.1) $(O)/man/krait-formats.5
SHELLS := bash zsh fish
COMPLETIONS := $(SHELLS:%=$(O)/completion/krait.%)

PROSE := $(wildcard user/cmd/*.man user/cmd/*/*.man)
prose_of = $(filter %/$(1:krait-%=%).man,$(PROSE))
$(O)/man/%.1: $(O)/krait $(PROSE)
	$(call msg,MAN,$@)
	@mkdir -p $(@D)
	$(Q)$< --print-man $* | sed -e '/^\.\\" PROSE$$/{' -e 'r $(call prose_of,$*)' -e 'd' -e '}' >$@

$(O)/man/%.5: user/format/%.5.in
	$(call msg,MAN,$@)
	@mkdir -p $(@D)
	$(Q)sed -e 's/@DATE@/$(DATE)/' -e 's/@VERSION@/$(VERSION)/' $< >$@

$(O)/completion/krait.%: $(O)/krait
	$(call msg,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$< --print-completion $* >$@

man: $(MAN)
completions: $(COMPLETIONS)

install: $(O)/krait $(MAN) $(COMPLETIONS)
	$(call msg,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)install -D -m 755 $(O)/krait $(DESTDIR)$(BINDIR)/krait
	$(Q)for page in $(MAN); do \
		install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${page##*.} $$page || exit; done
	$(Q)install -D -m 644 $(O)/completion/krait.bash $(DESTDIR)$(BASHCOMPDIR)/krait
	$(Q)install -D -m 644 $(O)/completion/krait.zsh $(DESTDIR)$(ZSHCOMPDIR)/_krait
	$(Q)install -D -m 644 $(O)/completion/krait.fish $(DESTDIR)$(FISHCOMPDIR)/krait.fish

uninstall:
	$(Q)rm -f $(DESTDIR)$(BINDIR)/krait $(PAGES:%=$(DESTDIR)$(MANDIR)/man1/%.1) \
		$(DESTDIR)$(MANDIR)/man5/krait-formats.5 $(DESTDIR)$(BASHCOMPDIR)/krait \
		$(DESTDIR)$(ZSHCOMPDIR)/_krait $(DESTDIR)$(FISHCOMPDIR)/krait.fish

# --- first steps --------------------------------------------------------------------------------

deps:
	$(Q)tools/deps.sh build

# A second make finds the tools that deps has installed. Only the profile goes to standard output.
record: deps
	$(Q)$(MAKE) --no-print-directory all >&2
	$(Q)$(O)/krait record -d 10

# --- tests --------------------------------------------------------------------------------------

UNIT_BIN := $(UNIT:%=$(O)/unit/%)
UNIT_LIBS := $(filter-out $(filter-out load/btfnames,$(LOAD)) $(filter-out session/checks session/child session/frames session/limits session/look session/merge session/programs session/retries session/tasks,$(SESSION)) cmd/main,$(LIBS) $(CMD))
UNIT_OBJS := $(addprefix $(O)/san/,$(addsuffix .o,$(UNIT_LIBS)))

$(O)/san/%.o: user/%.c
	$(call msg,CC-SAN,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SAN_1) -O1 -c $< -o $@

# With an archive, a test links only the objects that it uses, and can replace others.
$(O)/san/libkrait.a: $(UNIT_OBJS)
	$(call msg,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(O)/unit/%: tests/unit/%.c $(O)/san/libkrait.a
	$(call msg,UNIT,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SAN_1) -O1 -Itests -MF $@.d -MT $@ $< $(O)/san/libkrait.a \
		-Wl,-Bstatic -lelf -lz -llzma -liberty -ljansson -Wl,-Bdynamic -lm -o $@

# Targets and other programs in C that the tests run.
TOOL_BIN := $(patsubst tests/targets/%.c,$(O)/targets/%,$(wildcard tests/targets/*.c))
$(O)/targets/%: tests/targets/%.c
	$(call msg,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -D_GNU_SOURCE -DKRAIT_VERSION='"$(VERSION)"' -O2 -g $(TOOL_FLAGS) -MMD -MP \
		-MF $@.d -MT $@ -I. -Iuser $(filter %.c %.o,$^) -lpthread $(TOOL_LIBS) -o $@

# manystacks uses krait's output formats.
$(O)/targets/manystacks: TOOL_FLAGS := $(SAN_$(SAN))
$(O)/targets/manystacks: TOOL_LIBS := -lz -ljansson -lm
$(O)/targets/manystacks: $(addprefix $(O)/user/,$(addsuffix .o,$(BASE) $(MODEL) $(FORMAT)))

# unwindrows prints what native frames are unwound by, unwindstep tries it at every instruction, and
# symbolize names them.
UNWIND := $(addprefix $(O)/targets/,unwindrows unwindstep symbolize)
$(UNWIND): TOOL_LIBS := -lelf -lz -llzma -liberty -ljansson -lm
$(UNWIND): $(addprefix $(O)/user/,$(addsuffix .o,$(BASE) $(PROC) $(NATIVE)))

# Fuzz targets need clang for libFuzzer, which instruments the edges of the code. The source's path
# is absolute, because a target finds its files through __FILE__ from any folder.
FUZZ_BIN := $(FUZZ:%=$(O)/fuzz/fuzz_%)
FUZZ_OBJS := $(addprefix $(O)/fuzz/user/,$(addsuffix .o,$(BASE) $(PROC) $(NATIVE) $(PY) $(MODEL) $(FORMAT)))
FUZZ_CFLAGS := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

$(O)/fuzz/user/%.o: user/%.c
	$(call msg,CC-FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c $< -o $@

$(O)/fuzz/libkrait.a: $(FUZZ_OBJS)
	$(call msg,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(O)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(O)/fuzz/libkrait.a
	$(call msg,FUZZ,$<)
	$(Q)$(CLANG) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer -Itests -MF $@.d -MT $@ $(abspath $<) \
		$(O)/fuzz/libkrait.a -lelf -lz -llzma -liberty -ljansson -lm -o $@

# Libraries with an interpreter's symbols, as input for the ELF reader.
FUZZ_ELF := $(addprefix $(O)/fuzz/,3.6.so 3.9.so 3.11.so 3.13.so 3.14.so 3.15.so)
$(O)/fuzz/3.6.so: HEX := 0x030608f0
$(O)/fuzz/3.9.so: HEX := 0x030912f0
$(O)/fuzz/3.11.so: HEX := 0x030b07f0
$(O)/fuzz/3.13.so: HEX := 0x030d05f0
$(O)/fuzz/3.14.so: HEX := 0x030e0af0
$(O)/fuzz/3.15.so: HEX := 0x030f02f0
$(O)/fuzz/%.so: tests/fuzz/interpreter.c
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -shared -fPIC -nostdlib -fno-toplevel-reorder -Wl,-z,noseparate-code -Wl,--build-id=none \
		-DHEX=$(HEX) -DTEXT='"$*.8"' -Itests $< -o $@

fuzz-build: $(FUZZ_BIN) $(FUZZ_ELF)

fuzz: fuzz-build
	$(Q)OUTPUT=$(O) FUZZ_ELF='$(FUZZ_ELF)' tests/fuzz/run.sh $(FUZZ)

unit: $(UNIT_BIN)
	$(Q)OUTPUT=$(O) tests/run.sh unit

test:
	$(Q)tools/deps.sh test
	$(Q)$(MAKE) --no-print-directory $(O)/krait static $(UNIT_BIN) $(TOOL_BIN)
	$(Q)OUTPUT=$(O) tests/run.sh unit build e2e

# Builds what end-to-end tests need, to run a single one by hand.
e2e-build: $(O)/krait static $(TOOL_BIN)

e2e: e2e-build
	$(Q)OUTPUT=$(O) tests/run.sh e2e

truth: $(O)/krait static $(TOOL_BIN)
	$(Q)OUTPUT=$(O) TRUTH=1 TEST_TIMEOUT=3600 tests/run.sh e2e

# A fully static binary, for guests and roots without the libraries. It has the same objects, unless
# those are for sanitizers, which need shared libraries.
ifeq ($(SAN),0)
static: $(O)/static/krait
else
static:
	$(Q)$(MAKE) --no-print-directory OUTPUT=$(O)/static STATIC=1 SAN=0 all
endif

$(O)/static/krait: $(OBJS)
	$(call msg,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(OBJS) $(LDLIBS_1) -o $@

matrix: static $(O)/krait $(TOOL_BIN)
	$(Q)OUTPUT=$(O) /usr/bin/python3 -u -B tests/matrix.py

bench: $(O)/krait $(TOOL_BIN)
	$(Q)OUTPUT=$(O) tools/bench.sh

SCALE = KRAIT=$(O)/krait SLEEPERS=$(O)/targets/sleepers python3 -u -B tools/bench/scale.py
bench-scale: $(O)/krait $(O)/targets/sleepers
	$(Q)$(SCALE)

# Writes a synthetic recording with krait's own code.
RECORDING_OBJS := $(addprefix $(O)/user/,$(addsuffix .o,$(BASE) $(MODEL) $(FORMAT)))
$(O)/bench/recording: tools/bench/recording.c $(RECORDING_OBJS)
	$(call msg,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MF $@.d -MT $@ $< $(RECORDING_OBJS) -lz -ljansson -lm -o $@

bench-report: $(O)/krait $(O)/bench/recording
	$(Q)KRAIT=$(O)/krait RECORDING=$(O)/bench/recording python3 -u -B tools/bench/report.py
bench-page: $(O)/targets/manystacks
	$(Q)OUTPUT=$(O) /usr/bin/python3 -u -B tools/bench/page.py

bench-large: static
	$(Q)KRAIT=$(O)/static/krait OUTPUT=$(O) /usr/bin/python3 -u -B tools/bench/large.py

bench-wall: $(O)/krait
	$(Q)KRAIT=$(O)/krait python3 -u -B tools/bench/wall.py

bench-storm: $(O)/krait
	$(Q)KRAIT=$(O)/krait python3 -u -B tools/bench/storm.py

verifier: $(O)/krait
	$(Q)OUTPUT=$(O) tools/verifier.sh

gate: $(O)/krait
	$(Q)OUTPUT=$(O) python3 -u -B tools/gate/gate.py $(GATE)

gate-check:
	$(Q)OUTPUT=$(O) tools/gate/plant.sh

bench-containers: $(O)/krait
	$(Q)KRAIT=$(O)/krait python3 -u -B tools/bench/containers.py

# --- checks -------------------------------------------------------------------------------------

C_FILES := $(shell find bpf user tests -name '*.[ch]' 2>/dev/null | sort)
SH_FILES := $(shell find tools tests .ci -name '*.sh' 2>/dev/null | sort) $(wildcard .ci/run)

check: check-format check-shell check-layers check-headers check-warnings check-vmlinux check-arm64 check-depfiles

check-format:
	$(call msg,FORMAT,$(words $(C_FILES)) files)
	$(Q)$(CLANG_FORMAT) --dry-run -Werror --ferror-limit=1 $(C_FILES)

check-shell:
	$(call msg,SHELL,$(words $(SH_FILES)) scripts)
	$(Q)shellcheck -x $(SH_FILES)

check-layers:
	$(call msg,LAYERS,user bpf)
	$(Q)tools/check_layers.sh

check-headers: $(SKELS)
	$(call msg,HEADERS,each alone)
	$(Q)CC='$(CC)' CLANG='$(CLANG)' BPF_CFLAGS='$(BPF_CFLAGS)' O='$(O)' tools/check_headers.sh

# Builds with warnings as errors in an output folder of its own, so that the usual one is untouched.
check-warnings:
	$(call msg,WARNINGS,as errors)
	$(Q)$(MAKE) --no-print-directory OUTPUT=$(O)/werror WERROR=1 all \
		$(NATIVE:%=$(O)/werror/user/%.o)

# Compiles the BPF programs against the full types of the running kernel.
check-vmlinux:
	$(call msg,VMLINUX,full dump)
	$(Q)BPFTOOL='$(BPFTOOL)' CLANG='$(CLANG)' BPF_CFLAGS='$(BPF_CFLAGS)' O='$(O)' tools/check_vmlinux.sh

# Builds the BPF side for aarch64, which needs no cross compiler but clang.
check-arm64:
	$(call msg,ARM64,kernel side)
	$(Q)$(MAKE) --no-print-directory OUTPUT=$(O)/arm64-bpf ARCH=arm64 WERROR=1 bpf-objects

check-depfiles:
	$(call msg,DEPFILES,edit and rebuild)
	$(Q)tools/check_depfiles.sh

tags:
	ctags -R bpf user

clean:
	rm -rf $(O)

# The depfile of each object; wildcards for folders would have to know their depth.
-include $(wildcard $(patsubst %.o,%.d,$(BPF:%=$(O)/bpf/%.tmp.bpf.o) $(ALONE:%=$(O)/bpf/%.tmp.bpf.o) \
	$(OBJS) $(NATIVE:%=$(O)/user/%.o) $(UNIT_OBJS) $(FUZZ_OBJS)) \
	$(addsuffix .d,$(UNIT_BIN) $(TOOL_BIN) $(FUZZ_BIN) $(O)/bench/recording))
