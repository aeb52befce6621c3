/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_open() reads the headers once, with libelf, and keeps bounded copies of the few that matter.
 * Later calls read the bytes that these point to (elfsource.h):
 *
 *   file   [ Ehdr | Phdr ... | .dynsym .dynstr | text, data | .symtab .strtab | Shdr ... ]
 *   kept     PT_LOAD, PT_DYNAMIC, PT_NOTE; offset and size of both tables and their strings
 *
 *   memory [ Ehdr | Phdr ... ] ─► PT_DYNAMIC ─► DT_SYMTAB, DT_STRTAB, DT_STRSZ; the number of symbols
 *            comes from DT_HASH, or from the last chain of DT_GNU_HASH
 *
 * An "offset" is a file offset, or for memory a virtual address without the bias, so that the same
 * functions read both.
 *
 * Invariant: a kept range may lie outside the file; reading it may fail.
 */
#include "proc/elf.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#elif defined(__riscv)
#define OWN_MACHINE EM_RISCV
#else
#error "which e_machine do programs of this architecture have?"
#endif

enum {
	MAX_LOADS = 64,         /* linkers make 2 to 6 */
	MAX_SECTIONS = 4096,    /* sections read; linked files have some 40 */
	MAX_TABLE = 512 << 20,  /* bytes of a table or of its strings; large programs have 200 MB */
	MAX_DYNAMIC = 64 << 10, /* bytes of PT_DYNAMIC; 500 are usual */
	MAX_BUCKETS = 1 << 20,  /* in a symbol hash table; large libraries have 60,000 */
	MAX_CHAIN = 1 << 16,    /* symbols in its last bucket; 1 to 5 are usual */
	MAX_NOTES = 4,          /* note segments read; linkers make 1 or 2 */
	MAX_NOTE = 4096,        /* bytes read of each; 100 are usual */
	MAX_NAME = 127,         /* the start of a library's name */
};

/* Symbol tables, in the order of lookup. */
enum { DYNSYM, SYMTAB, TABLES };

struct elf_file {
	struct elf_source from;
	uint16_t machine;
	bool fixed; /* ET_EXEC: loaded at its own addresses */
	size_t n_loads;
	GElf_Phdr loads[MAX_LOADS];
	struct range dynamic;
	uint64_t dynamic_vaddr;
	GElf_Phdr eh_table; /* PT_GNU_EH_FRAME; size 0: none */
	size_t n_notes;
	GElf_Phdr notes[MAX_NOTES];
	struct symtab tables[TABLES];
};

/* --- open ------------------------------------------------------------------------------------ */

static int open_error(struct err *err, int fd, int code, const char *cause)
{
	char link[32], path[256] = "?";
	ssize_t n;

	if (!err)
		return code;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n >= 0)
		path[n] = '\0';
	return err_set(err, code, "elf: '%s': %s; ignored", path, cause);
}

/*
 * Checks the first 64 bytes before libelf sees them. A count too large for the header is stored in
 * section 0, and libelf would allocate memory for it.
 */
static const char *header_fault(const Elf64_Ehdr *h, uint16_t machine)
{
	if (memcmp(h->e_ident, ELFMAG, SELFMAG))
		return "not an ELF file";
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return "not 64-bit little-endian ELF";
	if (h->e_machine != machine)
		return "made for another machine";
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return "neither a program nor a library";
	if (!h->e_phnum || h->e_phnum == PN_XNUM || h->e_phentsize != sizeof(Elf64_Phdr))
		return "absurd program headers";
	if (!h->e_shnum && h->e_shoff)
		return "absurd section headers";
	return NULL;
}

static int read_segments(struct elf_file *e, Elf *elf, size_t n)
{
	GElf_Phdr ph;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, i, &ph))
			return -EINVAL;
		if (ph.p_type == PT_DYNAMIC) {
			e->dynamic = (struct range){ ph.p_offset, ph.p_filesz };
			e->dynamic_vaddr = ph.p_vaddr;
		}
		if (ph.p_type == PT_GNU_EH_FRAME)
			e->eh_table = ph;
		if (ph.p_type == PT_NOTE && e->n_notes < MAX_NOTES)
			e->notes[e->n_notes++] = ph;
		if (ph.p_type != PT_LOAD)
			continue;
		if (e->n_loads == MAX_LOADS)
			return -E2BIG;
		e->loads[e->n_loads++] = ph;
	}
	return e->n_loads ? 0 : -EINVAL;
}

/* Skips a symbol table whose strings cannot be read. */
static void read_symtab(Elf *elf, const GElf_Shdr *sh, struct symtab *ret)
{
	Elf_Scn *scn = elf_getscn(elf, sh->sh_link);
	GElf_Shdr strs;

	if (!scn || !gelf_getshdr(scn, &strs) || strs.sh_type != SHT_STRTAB)
		return;
	if (sh->sh_entsize != sizeof(Elf64_Sym) || sh->sh_size > MAX_TABLE ||
	    strs.sh_size > MAX_TABLE)
		return;
	ret->syms = (struct range){ sh->sh_offset, sh->sh_size };
	ret->strs = (struct range){ strs.sh_offset, strs.sh_size };
}

static void read_sections(struct elf_file *e, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t i;

	for (i = 0; i < MAX_SECTIONS && (scn = elf_nextscn(elf, scn)); i++) {
		if (!gelf_getshdr(scn, &sh))
			return;
		if (sh.sh_type == SHT_DYNSYM)
			read_symtab(elf, &sh, &e->tables[DYNSYM]);
		if (sh.sh_type == SHT_SYMTAB)
			read_symtab(elf, &sh, &e->tables[SYMTAB]);
	}
}

static void end_elf(Elf **elf)
{
	elf_end(*elf);
}

/* Fills @e from the headers. Returns NULL, or a description of the fault. */
static const char *read_headers(struct elf_file *e)
{
	_cleanup_(end_elf) Elf *elf = NULL;
	const char *fault;
	Elf64_Ehdr h;

	if (elf_source_read(&e->from, 0, &h, sizeof(h)))
		return "too short for an ELF file";
	fault = header_fault(&h, e->machine);
	if (fault)
		return fault;
	e->fixed = h.e_type == ET_EXEC;
	elf_version(EV_CURRENT);
	elf = elf_begin(e->from.fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return "damaged headers";
	if (read_segments(e, elf, h.e_phnum))
		return "truncated or absurd program headers";
	read_sections(e, elf);
	return NULL;
}

struct elf_file *elf_open(int fd, struct err *err)
{
	return elf_open_for(fd, OWN_MACHINE, err);
}

struct elf_file *elf_open_for(int fd, uint16_t machine, struct err *err)
{
	struct elf_file *e = calloc(1, sizeof(*e));
	const char *fault;

	if (!e) {
		open_error(err, fd, -ENOMEM, "out of memory");
		close(fd);
		return NULL;
	}
	e->from.fd = fd;
	e->machine = machine;
	fault = read_headers(e);
	if (fault) {
		open_error(err, fd, -ENOEXEC, fault);
		elf_close(e);
		return NULL;
	}
	return e;
}

/* --- the dynamic section ---------------------------------------------------------------------- */

/* The value of the first entry with this tag; 0: none. */
static uint64_t dynamic_value(const Elf64_Dyn *dyn, size_t n, int64_t tag)
{
	size_t i;

	for (i = 0; i < n && dyn[i].d_tag != DT_NULL; i++)
		if (dyn[i].d_tag == tag)
			return dyn[i].d_un.d_val;
	return 0;
}

/* The dynamic section, which the caller frees, and its number of entries; NULL: missing or absurd. */
static Elf64_Dyn *dynamic_read(struct elf_file *e, size_t *ret_n)
{
	_free_ Elf64_Dyn *dyn = NULL;

	*ret_n = e->dynamic.size / sizeof(Elf64_Dyn);
	if (!*ret_n || e->dynamic.size > MAX_DYNAMIC)
		return NULL;
	dyn = malloc(e->dynamic.size);
	if (!dyn || elf_source_read(&e->from, e->dynamic.offset, dyn, e->dynamic.size))
		return NULL;
	return take_ptr(dyn);
}

/* Does the whole range lie in the memory of one segment? */
static bool is_loaded(const struct elf_file *e, uint64_t vaddr, uint64_t len)
{
	const GElf_Phdr *ph;
	uint64_t at;

	for (ph = e->loads; ph < e->loads + e->n_loads; ph++) {
		at = vaddr - ph->p_vaddr;
		if (vaddr >= ph->p_vaddr && at <= ph->p_memsz && len <= ph->p_memsz - at)
			return true;
	}
	return false;
}

/* Takes the bias off an address in the dynamic section: some loaders relocate them in memory. */
static uint64_t dynamic_address(const struct elf_file *e, uint64_t value)
{
	return e->from.pid && !is_loaded(e, value, 1) && is_loaded(e, value - e->from.bias, 1)
		       ? value - e->from.bias
		       : value;
}

/* --- open memory ------------------------------------------------------------------------------ */

/* Sets the bias from the segment that holds the start of the file. */
static const char *find_bias(struct elf_file *e, uint64_t start)
{
	const GElf_Phdr *ph;

	for (ph = e->loads; ph < e->loads + e->n_loads; ph++) {
		if (ph->p_offset >= (uint64_t)sysconf(_SC_PAGESIZE) || !ph->p_filesz)
			continue;
		e->from.bias = start + ph->p_offset - ph->p_vaddr;
		return e->fixed && e->from.bias ? "not where it says" : NULL;
	}
	return "absurd program headers";
}

static const char *keep_segments(struct elf_file *e, const Elf64_Phdr *ph, size_t n)
{
	for (size_t i = 0; i < n; i++, ph++) {
		if (ph->p_type == PT_DYNAMIC) {
			e->dynamic = (struct range){ ph->p_vaddr, ph->p_memsz };
			e->dynamic_vaddr = ph->p_vaddr;
		}
		if (ph->p_type == PT_GNU_EH_FRAME)
			e->eh_table = *ph;
		if (ph->p_type == PT_NOTE && e->n_notes < MAX_NOTES)
			e->notes[e->n_notes++] = *ph;
		if (ph->p_type == PT_LOAD && e->n_loads < MAX_LOADS)
			e->loads[e->n_loads++] = *ph;
	}
	return e->n_loads ? NULL : "absurd program headers";
}

/* The last symbol is at the end of the chain that starts last. 0: not a valid table. */
static uint64_t count_gnu_hash(const struct elf_file *e, uint64_t at)
{
	uint32_t head[4], last = 0, link; /* head: buckets, first symbol, filter words, ... */
	uint64_t buckets, chains;
	_free_ uint32_t *bucket = NULL;

	if (elf_source_read(&e->from, at, head, sizeof(head)) || !head[0] ||
	    head[0] > MAX_BUCKETS || head[2] > MAX_BUCKETS)
		return 0;
	buckets = at + sizeof(head) + 8ULL * head[2];
	chains = buckets + 4ULL * head[0];
	bucket = malloc(4ULL * head[0]);
	if (!bucket || elf_source_read(&e->from, buckets, bucket, 4ULL * head[0]))
		return 0;
	for (uint32_t i = 0; i < head[0]; i++)
		last = bucket[i] > last ? bucket[i] : last;
	if (last < head[1])
		return head[1]; /* the hash table is empty */
	for (uint64_t i = last; i - last < MAX_CHAIN; i++) {
		if (elf_source_read(&e->from, chains + 4 * (i - head[1]), &link, 4))
			return 0;
		if (link & 1)
			return i + 1;
	}
	return 0;
}

static uint64_t count_symbols(const struct elf_file *e, const Elf64_Dyn *dyn, size_t n)
{
	uint64_t hash = dynamic_address(e, dynamic_value(dyn, n, DT_HASH));
	uint64_t gnu = dynamic_address(e, dynamic_value(dyn, n, DT_GNU_HASH));
	uint32_t head[2]; /* buckets, symbols */

	if (hash && !elf_source_read(&e->from, hash, head, sizeof(head)))
		return head[1];
	return gnu ? count_gnu_hash(e, gnu) : 0;
}

/* With absurd sizes or addresses there are no symbols. */
static void read_dynsym(struct elf_file *e)
{
	size_t n;
	_free_ Elf64_Dyn *dyn = dynamic_read(e, &n);
	struct symtab t = {};

	if (!dyn)
		return;
	t.syms.offset = dynamic_address(e, dynamic_value(dyn, n, DT_SYMTAB));
	t.strs.offset = dynamic_address(e, dynamic_value(dyn, n, DT_STRTAB));
	t.strs.size = dynamic_value(dyn, n, DT_STRSZ);
	t.syms.size = count_symbols(e, dyn, n);
	if (t.syms.size > MAX_TABLE / sizeof(Elf64_Sym) || t.strs.size > MAX_TABLE)
		return;
	t.syms.size *= sizeof(Elf64_Sym);
	if (is_loaded(e, t.syms.offset, t.syms.size) && is_loaded(e, t.strs.offset, t.strs.size))
		e->tables[DYNSYM] = t;
}

/* Returns NULL, or a description of the fault. */
static const char *read_memory(struct elf_file *e, uint64_t start)
{
	Elf64_Phdr ph[MAX_LOADS];
	const char *fault;
	Elf64_Ehdr h;

	e->from.bias = start; /* for the headers, which are at the start of the file */
	if (elf_source_read(&e->from, 0, &h, sizeof(h)))
		return "not readable";
	fault = header_fault(&h, e->machine);
	if (fault)
		return fault;
	if (h.e_phnum > MAX_LOADS ||
	    elf_source_read(&e->from, h.e_phoff, ph, h.e_phnum * sizeof(*ph)))
		return "truncated or absurd program headers";
	e->fixed = h.e_type == ET_EXEC;
	fault = keep_segments(e, ph, h.e_phnum);
	if (!fault)
		fault = find_bias(e, start);
	if (!fault)
		read_dynsym(e);
	return fault;
}

struct elf_file *elf_open_memory(pid_t pid, uint64_t start, struct err *err)
{
	struct elf_file *e = calloc(1, sizeof(*e));
	const char *fault;

	if (!e) {
		err_set(err, -ENOMEM, "elf: out of memory");
		return NULL;
	}
	e->from.fd = -1;
	e->from.pid = pid;
	e->machine = OWN_MACHINE;
	fault = read_memory(e, start);
	if (!fault)
		return e;
	err_set(err, -ENOEXEC, "elf: process %d, %#llx: %s", pid, (unsigned long long)start, fault);
	free(e);
	return NULL;
}

void elf_detach(struct elf_file *e)
{
	close_fd(&e->from.fd);
	e->from.fd = -1;
}

uint16_t elf_machine(const struct elf_file *e)
{
	return e->machine;
}

void elf_close(struct elf_file *e)
{
	if (!e)
		return;
	elf_detach(e);
	free(e);
}

/* --- symbols --------------------------------------------------------------------------------- */

int elf_symbols(struct elf_file *e, const char *const *names, struct elf_sym *ret, size_t n)
{
	return symtab_find(&e->from, e->tables, TABLES, names, ret, n);
}

/* --- sections --------------------------------------------------------------------------------- */

/* All section headers, in one read; the caller frees them. */
static Elf64_Shdr *section_headers(struct elf_file *e, unsigned int *ret_n, unsigned int *ret_names)
{
	_free_ Elf64_Shdr *all = NULL;
	Elf64_Ehdr h;

	if (e->from.pid || elf_source_read(&e->from, 0, &h, sizeof(h)) ||
	    h.e_shentsize != sizeof(*all) || h.e_shstrndx >= h.e_shnum || h.e_shnum > MAX_SECTIONS)
		return NULL;
	all = calloc(h.e_shnum, sizeof(*all));
	if (!all || elf_source_read(&e->from, h.e_shoff, all, h.e_shnum * sizeof(*all)))
		return NULL;
	*ret_n = h.e_shnum;
	*ret_names = h.e_shstrndx;
	return take_ptr(all);
}

static bool find_section(struct elf_file *e, const char *name, Elf64_Shdr *ret)
{
	enum { MOST = 1 << 20 }; /* bytes of names; linked files have some 400 */
	size_t len = strlen(name) + 1;
	_free_ Elf64_Shdr *all = NULL;
	_free_ char *text = NULL;
	unsigned int n, names;
	size_t size;

	all = section_headers(e, &n, &names);
	if (!all || all[names].sh_size > MOST)
		return false;
	size = all[names].sh_size;
	text = malloc(size + 1);
	if (!text || elf_source_read(&e->from, all[names].sh_offset, text, size))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (all[i].sh_name + len > size || memcmp(text + all[i].sh_name, name, len))
			continue;
		*ret = all[i];
		return true;
	}
	return false;
}

bool elf_section(struct elf_file *e, const char *name, struct elf_sym *ret)
{
	Elf64_Shdr sh;

	if (!find_section(e, name, &sh))
		return false;
	*ret = (struct elf_sym){ .value = sh.sh_addr, .size = sh.sh_size };
	return true;
}

bool elf_section_range(struct elf_file *e, const char *name, struct range *ret)
{
	Elf64_Shdr sh;

	if (!find_section(e, name, &sh) || sh.sh_type == SHT_NOBITS)
		return false;
	*ret = (struct range){ sh.sh_offset, sh.sh_size };
	return true;
}

bool elf_symtab(const struct elf_file *e, size_t i, struct symtab *ret)
{
	if (i >= TABLES)
		return false;
	*ret = e->tables[i];
	return true;
}

const struct elf_source *elf_from(const struct elf_file *e)
{
	return &e->from;
}

/* --- segments ---------------------------------------------------------------------------------- */

bool elf_eh_table(const struct elf_file *e, struct elf_sym *ret)
{
	*ret = (struct elf_sym){ .value = e->eh_table.p_vaddr, .size = e->eh_table.p_filesz };
	return e->eh_table.p_filesz;
}

bool elf_segment(const struct elf_file *e, size_t i, struct elf_segment *ret)
{
	const GElf_Phdr *ph;
	uint64_t end;

	if (i >= e->n_loads)
		return false;
	ph = &e->loads[i];
	*ret = (struct elf_segment){ ph->p_vaddr, ph->p_filesz, ph->p_offset, ph->p_flags & PF_X,
				     ph->p_flags & PF_W };
	if (__builtin_add_overflow(ph->p_vaddr, ph->p_filesz, &end))
		ret->size = 0;
	return true;
}

/* --- the image ------------------------------------------------------------------------------- */

bool elf_code(const struct elf_file *e, struct elf_sym *ret)
{
	uint64_t from = UINT64_MAX, to = 0, end;
	const GElf_Phdr *ph;

	for (ph = e->loads; ph < e->loads + e->n_loads; ph++) {
		if (!(ph->p_flags & PF_X) || __builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &end))
			continue;
		from = ph->p_vaddr < from ? ph->p_vaddr : from;
		to = end > to ? end : to;
	}
	*ret = (struct elf_sym){ .value = from, .size = to - from };
	return from < to;
}

int elf_read(struct elf_file *e, uint64_t vaddr, void *buf, size_t len)
{
	const GElf_Phdr *ph;
	uint64_t at;

	if (e->from.pid)
		return is_loaded(e, vaddr, len) ? elf_source_read(&e->from, vaddr, buf, len)
						: -EFAULT;
	for (ph = e->loads; ph < e->loads + e->n_loads; ph++) {
		at = vaddr - ph->p_vaddr;
		if (vaddr < ph->p_vaddr || at > ph->p_filesz || len > ph->p_filesz - at)
			continue;
		if (at > INT64_MAX || ph->p_offset > INT64_MAX)
			return -EFAULT;
		return elf_source_read(&e->from, ph->p_offset + at, buf, len);
	}
	return -EFAULT;
}

/*
 * How well a segment matches a mapping with file offset @offset; 0: not at all. Two segments often
 * share a page of the file, which is then mapped twice. A mapping that starts with a segment's
 * first page belongs to that segment; of two segments that start in one page, the executable one is
 * preferred.
 */
static int segment_fit(const GElf_Phdr *ph, uint64_t offset, uint64_t page)
{
	uint64_t first = ph->p_offset & -page, end;

	if (!ph->p_filesz || __builtin_add_overflow(ph->p_offset, ph->p_filesz, &end))
		return 0;
	if (offset < first || offset >= end)
		return 0;
	return 1 + !!(ph->p_flags & PF_X) + 2 * (offset == first);
}

int elf_bias(struct elf_file *e, uint64_t start, uint64_t offset, uint64_t *ret_bias)
{
	const GElf_Phdr *ph, *best = NULL;
	int fit, best_fit = 0;
	uint64_t page = sysconf(_SC_PAGESIZE);

	if (e->fixed || e->from.pid) {
		*ret_bias = e->from.bias;
		return 0;
	}
	for (ph = e->loads; ph < e->loads + e->n_loads; ph++) {
		fit = segment_fit(ph, offset, page);
		if (fit > best_fit) {
			best_fit = fit;
			best = ph;
		}
	}
	if (!best)
		return -ENOENT;
	*ret_bias = start - offset + best->p_offset - best->p_vaddr;
	return 0;
}

void elf_dynamic(struct elf_file *e, uint64_t *ret_section, uint64_t *ret_debug)
{
	size_t i, n;
	_free_ Elf64_Dyn *dyn = dynamic_read(e, &n);

	*ret_section = dyn ? e->dynamic_vaddr : 0;
	*ret_debug = 0;
	for (i = 0; dyn && i < n && dyn[i].d_tag != DT_NULL; i++)
		if (dyn[i].d_tag == DT_DEBUG)
			*ret_debug =
				e->dynamic_vaddr + i * sizeof(*dyn) + offsetof(Elf64_Dyn, d_un);
}

/* Offset of the build id's bytes in these @size bytes of notes, 0: not there. */
static size_t find_build_id(const uint8_t *notes, size_t size, size_t *ret_len)
{
	const size_t head = sizeof(Elf64_Nhdr);
	Elf64_Nhdr h;
	size_t at = 0, name, desc;

	while (size - at >= head) {
		memcpy(&h, notes + at, head);
		if (h.n_namesz > size || h.n_descsz > size)
			return 0;
		name = at + head;
		desc = name + ((h.n_namesz + 3) & ~3UL);
		if (desc > size || h.n_descsz > size - desc)
			return 0;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && h.n_descsz &&
		    !memcmp(notes + name, "GNU", 4)) {
			*ret_len = h.n_descsz;
			return desc;
		}
		at = desc + ((h.n_descsz + 3) & ~3UL);
		if (at > size)
			return 0;
	}
	return 0;
}

size_t elf_build_id(struct elf_file *e, uint8_t *id, size_t max, uint64_t *ret_address)
{
	uint8_t notes[MAX_NOTE];
	const GElf_Phdr *ph;
	size_t size, at, len;

	for (ph = e->notes; ph < e->notes + e->n_notes; ph++) {
		size = ph->p_filesz < sizeof(notes) ? ph->p_filesz : sizeof(notes);
		if (elf_read(e, ph->p_vaddr, notes, size))
			continue;
		at = find_build_id(notes, size, &len);
		if (!at)
			continue;
		len = len < max ? len : max;
		memcpy(id, notes + at, len);
		*ret_address = ph->p_vaddr + at;
		return len;
	}
	return 0;
}

bool elf_needs(struct elf_file *e, const char *prefix)
{
	size_t i, n, len = strlen(prefix);
	_free_ Elf64_Dyn *dyn = dynamic_read(e, &n);
	char name[MAX_NAME];
	uint64_t strs;

	if (!dyn || !len || len > sizeof(name))
		return false;
	strs = dynamic_address(e, dynamic_value(dyn, n, DT_STRTAB));
	for (i = 0; i < n && dyn[i].d_tag != DT_NULL; i++)
		if (dyn[i].d_tag == DT_NEEDED &&
		    !elf_read(e, strs + dyn[i].d_un.d_val, name, len) && !memcmp(name, prefix, len))
			return true;
	return false;
}
