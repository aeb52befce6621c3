/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc/elf: this program and its libc, then a real library cut and corrupted in many ways, then
 * synthetic files, each with one property that linkers do not produce on demand:
 *
 *   0x0000 Ehdr   0x0040 Phdr[]   0x1000 Shdr[]   0x2000 symbols   0x10000 strings, to the end
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/elf.h"
#include "proc/maps.h"
#include "proc/rmem.h"
#include "tap.h"

/* Only in .symtab: the program exports nothing. */
extern const char elf_test_object[20];
const char elf_test_object[20] = "nineteen characters";
extern __thread int elf_test_tls;
__thread int elf_test_tls = 5;
int elf_test_function(int x);
int elf_test_function(int x)
{
	return x + elf_test_tls;
}

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const char *const libc_names[] = { "gnu_get_libc_version", "environ", "no_such_name",
					  "__tls_get_addr", "errno" };

/* --- real files ------------------------------------------------------------------------------ */

struct module {
	const void *address; /* any address in it */
	char path[PATH_MAX];
	uint64_t start, offset; /* of the mapping of @address */
};

/* Fills in the mapping that contains m->address. */
static bool module_find(struct module *m)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	struct mapping map;
	int err;

	maps = maps_open(getpid(), &err);
	while (maps && maps_next(maps, &map) > 0) {
		if ((uintptr_t)m->address < map.start || (uintptr_t)m->address >= map.end)
			continue;
		snprintf(m->path, sizeof(m->path), "%s", map.path);
		m->start = map.start;
		m->offset = map.offset;
		return true;
	}
	return false;
}

static struct elf_file *open_path(const char *path)
{
	struct err err = {};
	struct elf_file *e = elf_open(open(path, O_RDONLY | O_CLOEXEC), &err);

	if (!CHECK(e))
		printf("#   %s\n", err.text);
	return e;
}

/* The C library. Its address comes from its own symbol table, not from our PLT. */
static struct module libc_module(void)
{
	struct module m = { .address = gnu_get_libc_version() };

	CHECK(module_find(&m));
	return m;
}

TEST(symbols_of_this_program)
{
	static const char *const names[] = { "elf_test_object", "elf_test_tls", "elf_test_function",
					     "no_such_name_at_all", "gnu_get_libc_version" };
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	struct module m = { .address = (void *)elf_test_function };
	char text[20];
	uint64_t bias;
	struct elf_sym s[COUNT(names)];

	if (!e || !CHECK(module_find(&m)))
		return;
	CHECK_EQ(elf_symbols(e, names, s, COUNT(names)), 3);
	CHECK_EQ(elf_bias(e, m.start, m.offset, &bias), 0);
	CHECK_EQ(bias + s[0].value, (uintptr_t)elf_test_object);
	CHECK_EQ(s[0].size, 20);
	CHECK(s[0].data && !s[0].tls);
	CHECK(s[1].tls && !s[1].data);
	CHECK_EQ(s[1].size, sizeof(int));
	CHECK_EQ(bias + s[2].value, (uintptr_t)elf_test_function);
	CHECK(!s[2].data && !s[2].tls && s[2].size);
	CHECK(!s[3].value && !s[3].size && !s[3].tls && !s[3].data);
	/* Undefined here; only the library defines it. */
	CHECK_EQ(s[4].value, 0);
	CHECK_EQ(elf_read(e, s[0].value, text, sizeof(text)), 0);
	CHECK_STR(text, "nineteen characters");
}

TEST(every_mapping_of_this_program_has_one_bias)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	_cleanup_(maps_closep) struct maps *maps = NULL;
	struct module m = { .address = (void *)elf_test_function };
	uint64_t bias, got;
	struct mapping map;
	int err, n = 0;

	maps = maps_open(getpid(), &err);
	if (!e || !maps || !CHECK(module_find(&m)) ||
	    !CHECK_EQ(elf_bias(e, m.start, m.offset, &bias), 0))
		return;
	while (maps_next(maps, &map) > 0) {
		if (strcmp(map.path, m.path) || (!map.exec && map.offset))
			continue;
		CHECK_EQ(elf_bias(e, map.start, map.offset, &got), 0);
		CHECK_EQ(got, bias);
		n++;
	}
	CHECK(n >= 1);
}

TEST(bias_is_known_after_detach)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	struct module m = { .address = (void *)elf_test_function };
	uint64_t bias, got;
	int fd, next;
	char byte;

	if (!e || !CHECK(module_find(&m)) || !CHECK_EQ(elf_bias(e, m.start, m.offset, &bias), 0))
		return;
	next = dup(STDOUT_FILENO);
	elf_detach(e);
	fd = dup(STDOUT_FILENO);
	CHECK(fd >= 0 && fd < next);
	CHECK_EQ(elf_bias(e, m.start, m.offset, &got), 0);
	CHECK_EQ(got, bias);
	CHECK(elf_read(e, m.offset, &byte, 1) < 0);
	elf_detach(e);
	CHECK(fcntl(fd, F_GETFD) >= 0); /* that number is another file's now */
	close(fd);
	close(next);
}

TEST(symbols_of_libc)
{
	struct module m = libc_module();
	_cleanup_(elf_closep) struct elf_file *e = open_path(m.path);
	struct elf_sym s[COUNT(libc_names)];
	char version[16] = "", want[16] = "";
	uint64_t at = (uintptr_t)m.address, bias;

	if (!e)
		return;
	CHECK(elf_symbols(e, libc_names, s, COUNT(libc_names)) >= 2);
	CHECK(s[0].value && s[0].size && !s[0].data);
	CHECK(s[1].value && s[1].data && s[1].size == sizeof(char *));
	CHECK(!s[2].value && !s[3].value);
	if (s[4].value || s[4].tls)
		CHECK(s[4].tls && s[4].size == sizeof(int));
	CHECK_EQ(elf_bias(e, m.start, m.offset, &bias), 0);
	/* The version string is a constant in the file, at its address minus the bias. */
	snprintf(want, sizeof(want), "%s", (const char *)m.address);
	CHECK_EQ(elf_read(e, at - bias, version, strlen(want) + 1), 0);
	CHECK_STR(version, want);
}

TEST(needed_libraries)
{
	_cleanup_(elf_closep) struct elf_file *self = open_path("/proc/self/exe");
	struct module m = libc_module();
	_cleanup_(elf_closep) struct elf_file *libc = open_path(m.path);

	if (!self || !libc)
		return;
	CHECK(elf_needs(self, "libc.so"));
	CHECK(!elf_needs(self, "ibc.so"));
	CHECK(!elf_needs(self, "libpython"));
	CHECK(elf_needs(libc, "ld-linux") || elf_needs(libc, "ld64"));
	CHECK(!elf_needs(libc, "libc.so"));
	CHECK(!elf_needs(libc, ""));
}

/* The dynamic linker's entry for the module with this bias; NULL: none. */
static const struct link_map *linked_at(const struct r_debug *linker, uint64_t bias)
{
	const struct link_map *l = linker->r_map;

	while (l && l->l_addr != bias)
		l = l->l_next;
	return l;
}

TEST(dynamic_section_as_the_linker_has_it)
{
	_cleanup_(elf_closep) struct elf_file *self = open_path("/proc/self/exe"), *libc = NULL;
	struct module own = { .address = (void *)elf_test_function }, m = libc_module();
	const struct r_debug *linker;
	const struct link_map *l;
	uint64_t bias, section, debug;

	libc = open_path(m.path);
	if (!self || !libc || !CHECK(module_find(&own)))
		return;
	elf_dynamic(self, &section, &debug);
	CHECK_EQ(elf_bias(self, own.start, own.offset, &bias), 0);
	CHECK_EQ(bias + section, (uintptr_t)_DYNAMIC);
	if (!CHECK(debug))
		return;
	linker = *(const struct r_debug **)(bias + debug);
	l = linked_at(linker, bias);
	CHECK(l && bias + section == (uintptr_t)l->l_ld);
	elf_dynamic(libc, &section, &debug);
	CHECK_EQ(elf_bias(libc, m.start, m.offset, &bias), 0);
	l = linked_at(linker, bias);
	CHECK(l && bias + section == (uintptr_t)l->l_ld);
	CHECK_EQ(debug, 0);
}

TEST(build_id_as_it_is_in_memory)
{
	struct module m = libc_module();
	_cleanup_(elf_closep) struct elf_file *libc = open_path(m.path);
	uint64_t bias, address = 0;
	uint8_t id[20], start[8];
	size_t len;

	if (!libc || !CHECK(!elf_bias(libc, m.start, m.offset, &bias)))
		return;
	len = elf_build_id(libc, id, sizeof(id), &address);
	if (!len)
		return; /* this libc has no build id */
	CHECK(address && !memcmp((const void *)(bias + address), id, len));
	CHECK_EQ(elf_build_id(libc, start, sizeof(start), &address), sizeof(start));
	CHECK(!memcmp(id, start, sizeof(start)));
}

TEST(names_out_of_range)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	char name[129] = "";
	const char *names[] = { "abc", name };
	struct elf_sym s[2];

	memset(name, 'x', 128);
	CHECK_EQ(elf_symbols(e, names, s, 1), -EINVAL);
	CHECK_EQ(elf_symbols(e, names + 1, s, 1), -EINVAL);
	name[127] = '\0';
	CHECK_EQ(elf_symbols(e, names + 1, s, 1), 0);
	CHECK_EQ(elf_symbols(e, names, s, 0), 0);
}

TEST(not_elf)
{
	static const char *const paths[] = { "/proc/self/status", "/dev/null", "/dev/zero",
					     "/tmp" };
	struct err err;
	size_t i;
	int fd;

	for (i = 0; i < COUNT(paths); i++) {
		err = (struct err){};
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		CHECK(!elf_open(fd, &err));
		CHECK_EQ(err.code, -ENOEXEC);
		CHECK(!strncmp(err.text, "elf: '", 6));
		/* elf_open() has closed it. */
		CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
	}
	CHECK(strstr(err.text, "'/tmp'"));
	CHECK(!elf_open(open(paths[0], O_RDONLY | O_CLOEXEC), NULL));
	CHECK(!elf_open(-1, &err));
	elf_close(NULL);
}

/* --- corruption ------------------------------------------------------------------------------ */

/* Returns a nameless file that holds @len bytes; -1: memfd_create() failed. */
static int make_file(const void *data, size_t len)
{
	int fd = memfd_create("test_elf", MFD_CLOEXEC);

	if (fd >= 0 && (ftruncate(fd, len) || pwrite(fd, data, len, 0) != (ssize_t)len))
		abort();
	return fd;
}

static struct elf_file *open_dup(int fd, struct err *err)
{
	*err = (struct err){};
	return elf_open(fcntl(fd, F_DUPFD_CLOEXEC, 0), err);
}

/* Runs every query on @fd. The test is that nothing crashes, hangs or contradicts itself. */
static bool survive(int fd, uint64_t vaddr)
{
	struct elf_sym s[COUNT(libc_names)];
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	size_t i, found = 0;
	struct err err;
	uint64_t bias, section, debug;
	char buf[64];
	uint8_t id[20];
	int n;

	e = open_dup(fd, &err);
	if (!e)
		return CHECK(err.code < 0 && err.text[0]);
	n = elf_symbols(e, libc_names, s, COUNT(libc_names));
	for (i = 0; i < COUNT(libc_names); i++)
		found += s[i].value || s[i].tls;
	elf_read(e, vaddr, buf, sizeof(buf));
	elf_read(e, UINT64_MAX - 10, buf, sizeof(buf));
	elf_bias(e, 0x7f0000000000, 0x1000, &bias);
	elf_bias(e, 0x7f0000000000, UINT64_MAX & ~0xfffULL, &bias);
	elf_needs(e, "libpython");
	elf_dynamic(e, &section, &debug);
	elf_build_id(e, id, sizeof(id), &section);
	return CHECK_EQ(n, found);
}

static unsigned char *load_libc(size_t *ret_len)
{
	struct module m = libc_module();
	_close_ int fd = open(m.path, O_RDONLY | O_CLOEXEC);
	unsigned char *data;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		abort();
	data = malloc(st.st_size);
	if (!data || pread(fd, data, st.st_size, 0) != st.st_size)
		abort();
	*ret_len = st.st_size;
	return data;
}

TEST(cut_at_many_lengths)
{
	size_t len, cut;
	_free_ unsigned char *data = load_libc(&len);
	_close_ int fd = make_file(data, len);
	uint64_t vaddr = len / 2;
	struct elf_file *e;
	struct err err;

	if (!CHECK(fd >= 0))
		return;
	for (cut = len; cut > 4096; cut -= cut / 97 + 1)
		if (ftruncate(fd, cut) || !survive(fd, vaddr))
			break;
	CHECK(cut <= 4096);
	for (; cut > 0; cut -= cut > 1200 ? 100 : 1)
		if (ftruncate(fd, cut - 1) || !survive(fd, vaddr))
			break;
	CHECK_EQ(cut, 0);
	/* One byte less than the header. */
	CHECK(!ftruncate(fd, 0) && pwrite(fd, data, 63, 0) == 63);
	e = open_dup(fd, &err);
	CHECK(!e && strstr(err.text, "too short"));
	elf_close(e);
}

TEST(flipped_bytes)
{
	size_t len, i, at;
	_free_ unsigned char *data = load_libc(&len);
	_close_ int fd = make_file(data, len);
	uint64_t random = 0x2545f4914f6cdd1dULL, shoff = ((Elf64_Ehdr *)data)->e_shoff;
	unsigned char byte;

	for (i = 0; i < 6000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		/* ELF and program headers, section headers, dynamic symbols. */
		if (i % 3 == 0)
			at = (random >> 20) % (sizeof(Elf64_Ehdr) + 14 * sizeof(Elf64_Phdr));
		else if (i % 3 == 1)
			at = shoff + (random >> 20) % (len - shoff);
		else
			at = (random >> 20) % (256 << 10);
		byte = random >> 8;
		if (pwrite(fd, &byte, 1, at) != 1 || !survive(fd, at))
			break;
		/* Some changes stay for several rounds. */
		if (i % 5 && pwrite(fd, &data[at], 1, at) != 1)
			break;
		if (i % 500 == 0 && pwrite(fd, data, len, 0) != (ssize_t)len)
			break;
	}
	CHECK_EQ(i, 6000);
}

/* --- synthetic files ------------------------------------------------------------------------- */

enum { SHDRS = 0x1000, SYMS = 0x2000, STRS = 0x10000, STRS_MAX = 0x60000, MAX_SYMS = 2000 };

enum { SH_NULL, SH_DYNSYM, SH_DYNSTR, SH_SYMTAB, SH_STRTAB, SH_COUNT };

/* The bytes of a file and pointers to its parts. Both symbol tables share the strings. */
struct image {
	unsigned char *bytes;
	Elf64_Ehdr *eh;
	Elf64_Phdr *ph; /* [0] loads the whole file at address 0x100000 */
	Elf64_Shdr *sh;
	Elf64_Sym *syms; /* .dynsym; .symtab begins in the middle */
	char *strs;
	size_t strs_len;
};

static void image_done(struct image *im)
{
	free(im->bytes);
}

static Elf64_Half own_machine(void)
{
	Elf64_Ehdr eh = {};
	_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (read(fd, &eh, sizeof(eh)) != sizeof(eh))
		abort();
	return eh.e_machine;
}

static void image_headers(struct image *im)
{
	*im->eh = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = own_machine(),
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_shoff = SHDRS,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SH_COUNT,
		.e_shstrndx = SH_DYNSTR,
	};
	*im->ph = (Elf64_Phdr){ .p_type = PT_LOAD,
				.p_flags = PF_R,
				.p_vaddr = 0x100000,
				.p_filesz = STRS + STRS_MAX,
				.p_memsz = STRS + STRS_MAX,
				.p_align = 0x1000 };
}

static struct image image_new(void)
{
	struct image im = { .bytes = calloc(1, STRS + STRS_MAX), .strs_len = 1 };
	int i;

	im.eh = (Elf64_Ehdr *)im.bytes;
	im.ph = (Elf64_Phdr *)(im.eh + 1);
	im.sh = (Elf64_Shdr *)(im.bytes + SHDRS);
	im.syms = (Elf64_Sym *)(im.bytes + SYMS);
	im.strs = (char *)im.bytes + STRS;
	image_headers(&im);
	for (i = SH_DYNSYM; i < SH_COUNT; i += 2) {
		im.sh[i] = (Elf64_Shdr){ .sh_type = i == SH_DYNSYM ? SHT_DYNSYM : SHT_SYMTAB,
					 .sh_offset = SYMS + (i == SH_SYMTAB) * MAX_SYMS / 2 *
								     sizeof(Elf64_Sym),
					 .sh_link = i + 1,
					 .sh_entsize = sizeof(Elf64_Sym) };
		im.sh[i + 1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = STRS };
	}
	return im;
}

static uint32_t image_string(struct image *im, const char *s)
{
	uint32_t at = im->strs_len;

	strcpy(im->strs + at, s);
	im->strs_len += strlen(s) + 1;
	return at;
}

static Elf64_Sym *image_symbol(struct image *im, int table, const char *name, int info,
			       uint16_t shndx, uint64_t value)
{
	Elf64_Shdr *sh = &im->sh[table];
	Elf64_Sym *sym = (Elf64_Sym *)(im->bytes + sh->sh_offset + sh->sh_size);

	*sym = (Elf64_Sym){ .st_name = name ? image_string(im, name) : 0,
			    .st_info = info,
			    .st_shndx = shndx,
			    .st_value = value,
			    .st_size = 8 };
	sh->sh_size += sizeof(*sym);
	return sym;
}

#define GLOBAL(type) ELF64_ST_INFO(STB_GLOBAL, (type))
#define LOCAL(type)  ELF64_ST_INFO(STB_LOCAL, (type))

/* Writes the image to a file; its string tables end with the last string. */
static int image_fd(struct image *im)
{
	im->sh[SH_DYNSTR].sh_size = im->sh[SH_STRTAB].sh_size = im->strs_len;
	return make_file(im->bytes, STRS + STRS_MAX);
}

static struct elf_file *image_open(struct image *im, struct err *err)
{
	*err = (struct err){};
	return elf_open(image_fd(im), err);
}

/* Opens the image and looks @name up. Returns its value; 0: not found; UINT64_MAX: not opened. */
static uint64_t image_find(struct image *im, const char *name, struct elf_sym *ret)
{
	struct err err;
	_cleanup_(elf_closep) struct elf_file *e = image_open(im, &err);
	int n;

	if (!CHECK(e)) {
		printf("#   %s\n", err.text);
		return UINT64_MAX;
	}
	n = elf_symbols(e, &name, ret, 1);
	CHECK_EQ(n, ret->value || ret->tls);
	return ret->value;
}

TEST(definitions_win)
{
	_cleanup_(image_done) struct image im = image_new();
	struct elf_sym s;

	image_symbol(&im, SH_DYNSYM, NULL, 0, 0, 0);
	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_OBJECT), SHN_UNDEF, 0x10);
	CHECK_EQ(image_find(&im, "needle", &s), 0);
	image_symbol(&im, SH_SYMTAB, "needle", GLOBAL(STT_OBJECT), SHN_UNDEF, 0x20);
	CHECK_EQ(image_find(&im, "needle", &s), 0);
	image_symbol(&im, SH_SYMTAB, "needle", LOCAL(STT_OBJECT), 5, 0x30);
	CHECK_EQ(image_find(&im, "needle", &s), 0x30);
	CHECK(s.data && s.size == 8);
	image_symbol(&im, SH_SYMTAB, "needle", LOCAL(STT_FUNC), 5, 0x40);
	image_symbol(&im, SH_SYMTAB, "needle", GLOBAL(STT_FUNC), 5, 0x50);
	CHECK_EQ(image_find(&im, "needle", &s), 0x50);
	CHECK(!s.data);
	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_NOTYPE), 5, 0x60);
	CHECK_EQ(image_find(&im, "needle", &s), 0x60);
}

TEST(not_definitions)
{
	_cleanup_(image_done) struct image im = image_new();
	struct elf_sym s;

	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_OBJECT), SHN_ABS, 0x10);
	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_OBJECT), SHN_COMMON, 0x20);
	image_symbol(&im, SH_DYNSYM, "needle", LOCAL(STT_FILE), 5, 0x30);
	image_symbol(&im, SH_DYNSYM, "needle", LOCAL(STT_SECTION), 5, 0x40);
	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_GNU_IFUNC), 5, 0x50);
	CHECK_EQ(image_find(&im, "needle", &s), 0);
	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_OBJECT), SHN_XINDEX, 0x60);
	CHECK_EQ(image_find(&im, "needle", &s), 0x60);
}

/*
 * A program needs a name from a library; a name undefined in one table but defined in the other is
 * not needed.
 */
TEST(symbols_needed_from_elsewhere)
{
	_cleanup_(image_done) struct image im = image_new();
	struct elf_sym sym;

	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_FUNC), SHN_UNDEF, 0);
	image_symbol(&im, SH_DYNSYM, "both", GLOBAL(STT_FUNC), SHN_UNDEF, 0);
	image_symbol(&im, SH_SYMTAB, "both", GLOBAL(STT_FUNC), 1, 0x10);
	CHECK_EQ(image_find(&im, "needle", &sym), 0);
	CHECK(sym.needed);
	CHECK_EQ(image_find(&im, "both", &sym), 0x10);
	CHECK(!sym.needed);
	CHECK_EQ(image_find(&im, "needles", &sym), 0);
	CHECK(!sym.needed);
}

TEST(thread_local_at_0)
{
	_cleanup_(image_done) struct image im = image_new();
	struct elf_sym s;

	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_TLS), 5, 0);
	CHECK_EQ(image_find(&im, "needle", &s), 0);
	CHECK(s.tls && !s.data && s.size == 8);
}

TEST(similar_names)
{
	_cleanup_(image_done) struct image im = image_new();
	struct elf_sym s;

	image_symbol(&im, SH_DYNSYM, "needles", GLOBAL(STT_OBJECT), 5, 0x10);
	image_symbol(&im, SH_DYNSYM, "a_needle", GLOBAL(STT_OBJECT), 5, 0x20);
	image_symbol(&im, SH_DYNSYM, "Needle", GLOBAL(STT_OBJECT), 5, 0x30);
	image_symbol(&im, SH_DYNSYM, "eedle", GLOBAL(STT_OBJECT), 5, 0x40);
	CHECK_EQ(image_find(&im, "needle", &s), 0);
	/* Linkers share strings: a name may be the end of another one. */
	image_symbol(&im, SH_DYNSYM, "b_needle", GLOBAL(STT_OBJECT), 5, 0x50)->st_name += 2;
	CHECK_EQ(image_find(&im, "needle", &s), 0x50);
}

TEST(unterminated_string_is_ignored)
{
	_cleanup_(image_done) struct image im = image_new();
	struct elf_sym s;

	image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_OBJECT), 5, 0x10);
	CHECK_EQ(image_find(&im, "needle", &s), 0x10);
	/* A name without its NUL must be ignored. */
	im.strs_len--;
	CHECK_EQ(image_find(&im, "needle", &s), 0);
	im.strs_len++;
	im.syms[0].st_name += UINT32_MAX / 2;
	CHECK_EQ(image_find(&im, "needle", &s), 0);
}

/* The reader works in blocks of 64 KiB, and a name may cross any block boundary. */
TEST(name_at_every_offset_near_a_block_border)
{
	int at, wrong = 0;
	struct elf_sym s;

	for (at = 0x10000 - 20; at < 0x10000 + 4; at++) {
		_cleanup_(image_done) struct image im = image_new();

		memset(im.strs + 1, 'x', at);
		im.strs[at - 1] = '\0';
		im.strs_len = at;
		image_symbol(&im, SH_DYNSYM, "needle_of_16bytes", GLOBAL(STT_OBJECT), 5, at);
		wrong += image_find(&im, "needle_of_16bytes", &s) != (uint64_t)at;
	}
	CHECK_EQ(wrong, 0);
}

TEST(longest_name_across_a_block_border)
{
	_cleanup_(image_done) struct image im = image_new();
	char name[128] = "";
	struct elf_sym s;

	memset(name, 'n', 127);
	memset(im.strs + 1, 'x', 0x20000);
	im.strs_len = 0x20000 - 127;
	im.strs[im.strs_len - 1] = '\0';
	image_symbol(&im, SH_DYNSYM, name, GLOBAL(STT_OBJECT), 5, 0x10);
	CHECK_EQ(im.strs_len, 0x20001);
	CHECK_EQ(image_find(&im, name, &s), 0x10);
}

TEST(more_symbols_than_fit_at_once)
{
	_cleanup_(image_done) struct image im = image_new();
	enum { N = 8000, AT = STRS + 0x10000 };
	Elf64_Sym *syms = (Elf64_Sym *)(im.bytes + AT);
	struct elf_sym s;
	uint32_t name;
	int i;

	name = image_string(&im, "needle");
	im.sh[SH_DYNSYM].sh_offset = AT;
	im.sh[SH_DYNSYM].sh_size = N * sizeof(*syms);
	for (i = 0; i < N; i += 7) {
		syms[i] = (Elf64_Sym){ name, GLOBAL(STT_OBJECT), 0, 5, i + 1, 8 };
		CHECK_EQ(image_find(&im, "needle", &s), i + 1);
		syms[i].st_name = 0;
		if (tap.failures)
			break;
	}
}

TEST(many_names)
{
	_cleanup_(image_done) struct image im = image_new();
	enum { N = 500 };
	char names[N][24];
	const char *list[N];
	struct elf_sym s[N];
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	int i, wrong = 0;
	struct err err;

	for (i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "symbol_%d", i);
		list[N - 1 - i] = names[i];
		image_symbol(&im, i % 2 ? SH_DYNSYM : SH_SYMTAB, names[i], GLOBAL(STT_OBJECT), 5,
			     i + 1);
	}
	e = image_open(&im, &err);
	CHECK_EQ(elf_symbols(e, list, s, N), N);
	for (i = 0; i < N; i++)
		wrong += s[i].value != (uint64_t)(N - i);
	CHECK_EQ(wrong, 0);
}

TEST(corrupt_tables_are_skipped)
{
	static const uint64_t absurd[] = {
		UINT64_MAX, 1ULL << 63, (1ULL << 63) - 1, 1ULL << 40, UINT64_MAX - 0x2000 + 1, 3
	};
	struct elf_sym s;
	size_t i;
	int what;

	for (i = 0; i < COUNT(absurd); i++)
		for (what = 0; what < 7; what++) {
			_cleanup_(image_done) struct image im = image_new();
			uint64_t *const sizes[] = { &im.sh[SH_DYNSYM].sh_size,
						    &im.sh[SH_DYNSYM].sh_offset,
						    &im.sh[SH_DYNSYM].sh_entsize,
						    &im.sh[SH_DYNSTR].sh_offset };

			image_symbol(&im, SH_DYNSYM, "needle", GLOBAL(STT_OBJECT), 5, 0x10);
			image_symbol(&im, SH_SYMTAB, "needle", GLOBAL(STT_OBJECT), 5, 0x20);
			if (what < 4)
				*sizes[what] = absurd[i];
			else if (what == 4)
				im.sh[SH_DYNSYM].sh_link = absurd[i];
			else if (what == 5)
				im.sh[SH_DYNSTR].sh_type = SHT_NOBITS;
			else
				im.sh[SH_DYNSYM].sh_type = SHT_NOBITS;
			CHECK_EQ(image_find(&im, "needle", &s), 0x20);
		}
}

TEST(without_section_headers)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	const char *name = "needle";
	struct elf_sym s;
	struct err err;
	char byte = 0;

	image_symbol(&im, SH_DYNSYM, name, GLOBAL(STT_OBJECT), 5, 0x10);
	im.eh->e_shoff = 0;
	im.eh->e_shnum = 0;
	im.eh->e_shstrndx = 0;
	e = image_open(&im, &err);
	if (!CHECK(e))
		return;
	CHECK_EQ(elf_symbols(e, &name, &s, 1), 0);
	CHECK_EQ(elf_read(e, 0x100001, &byte, 1), 0);
	CHECK_EQ(byte, 'E');
}

TEST(refused_headers)
{
	struct err err;
	int i;

	for (i = 0; i < 12; i++) {
		_cleanup_(image_done) struct image im = image_new();
		_cleanup_(elf_closep) struct elf_file *e = NULL;

		switch (i) {
		case 0:
			im.eh->e_ident[EI_MAG3] = 'G';
			break;
		case 1:
			im.eh->e_ident[EI_CLASS] = ELFCLASS32;
			break;
		case 2:
			im.eh->e_ident[EI_DATA] = ELFDATA2MSB;
			break;
		case 3:
			im.eh->e_machine = EM_SPARCV9;
			break;
		case 4:
			im.eh->e_type = ET_REL;
			break;
		case 5:
			im.eh->e_type = ET_CORE;
			break;
		case 6:
			im.eh->e_phnum = 0;
			break;
		case 7:
			im.eh->e_phnum = PN_XNUM;
			break;
		case 8:
			im.eh->e_phentsize = 1;
			break;
		case 9:
			im.eh->e_shnum = 0;
			im.sh[0].sh_size = UINT32_MAX;
			break;
		case 10:
			im.eh->e_phoff = 1ULL << 40;
			break;
		case 11:
			im.ph->p_type = PT_NOTE;
			break;
		}
		e = image_open(&im, &err);
		if (!CHECK(!e) || !CHECK(err.code == -ENOEXEC))
			printf("#   change %d: %s\n", i, err.text);
	}
}

TEST(another_machine)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL, *own = NULL;
	struct err err;

	im.eh->e_machine = EM_SPARCV9;
	e = elf_open_for(image_fd(&im), EM_SPARCV9, &err);
	CHECK(e && elf_machine(e) == EM_SPARCV9);
	own = elf_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), &err);
	CHECK(own && elf_machine(own) == own_machine());
}

/* The program headers that the kernel passes to this program. */
TEST(segments_of_this_program)
{
	const Elf64_Phdr *ph = (const void *)getauxval(AT_PHDR);
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	struct elf_segment s;
	struct elf_sym table;
	size_t i, n = 0;

	CHECK(elf_eh_table(e, &table));
	for (i = 0; i < getauxval(AT_PHNUM); i++, ph++) {
		if (ph->p_type == PT_GNU_EH_FRAME)
			CHECK(table.value == ph->p_vaddr && table.size == ph->p_filesz);
		if (ph->p_type != PT_LOAD)
			continue;
		CHECK(elf_segment(e, n++, &s));
		CHECK(s.vaddr == ph->p_vaddr && s.size == ph->p_filesz &&
		      s.offset == ph->p_offset && s.exec == !!(ph->p_flags & PF_X));
	}
	CHECK(n > 1 && !elf_segment(e, n, &s));
}

TEST(segment_past_the_last_address)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	struct elf_segment s;
	struct elf_sym table;
	struct err err;

	im.ph->p_vaddr = -0x1000ULL;
	e = image_open(&im, &err);
	CHECK(e && elf_segment(e, 0, &s) && !s.size);
	CHECK(!elf_eh_table(e, &table));
}

TEST(too_many_segments)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	struct err err;
	int i;

	for (i = 1; i < 65; i++)
		im.ph[i] = im.ph[0];
	im.eh->e_phnum = 64;
	e = image_open(&im, &err);
	CHECK(e);
	elf_close(e);
	im.eh->e_phnum = 65;
	e = image_open(&im, &err);
	CHECK(!e);
}

/* Huge sizes that fit a sparse file must cost neither memory nor much time. */
TEST(sparse_giant)
{
	_cleanup_(image_done) struct image im = image_new();
	struct timespec from, to;
	struct elf_sym s;
	const char *name = "needle";
	struct err err;
	_close_ int fd = -1;
	int change;

	image_string(&im, name);
	for (change = 0; change < 4; change++) {
		struct elf_file *e;

		image_headers(&im);
		if (change == 0)
			im.eh->e_shnum = 0;
		if (change == 1)
			im.eh->e_phnum = PN_XNUM;
		im.sh[SH_NULL].sh_size = im.sh[SH_NULL].sh_info = UINT32_MAX;
		im.sh[SH_DYNSYM].sh_size = (change == 2 ? 1ULL << 40 : 64 << 20) / 24 * 24;
		close_fd(&fd);
		fd = image_fd(&im);
		im.sh[SH_DYNSTR].sh_size = change == 3 ? 1ULL << 40 : 0x100;
		if (!CHECK(!ftruncate(fd, 1LL << 41) &&
			   pwrite(fd, im.sh, SH_COUNT * sizeof(*im.sh), SHDRS) > 0))
			return;
		clock_gettime(CLOCK_MONOTONIC, &from);
		e = open_dup(fd, &err);
		if (e)
			CHECK_EQ(elf_symbols(e, &name, &s, 1), 0);
		elf_close(e);
		clock_gettime(CLOCK_MONOTONIC, &to);
		CHECK(to.tv_sec - from.tv_sec < 5);
	}
}

TEST(read_stays_in_a_segment)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	unsigned char buf[64] = {}, want[64];
	struct err err;
	int i;

	for (i = 0; i < 64; i++)
		im.bytes[0x9000 + i] = want[i] = i;
	/* [1] has those bytes and is longer in memory; [2] claims more than the file has. */
	im.eh->e_phnum = 4;
	im.ph[0].p_filesz = 0x1000;
	im.ph[1] = (Elf64_Phdr){ PT_LOAD, PF_R, 0x9000, 0x209000, 0, 64, 4096, 0x1000 };
	im.ph[2] = (Elf64_Phdr){ PT_LOAD, PF_R, STRS + STRS_MAX - 32, 0x300000, 0, 64, 64, 0x1000 };
	im.ph[3] = (Elf64_Phdr){ PT_LOAD, PF_R,       UINT64_MAX - 8, 0x400000,
				 0,       UINT64_MAX, UINT64_MAX,     1 };
	e = image_open(&im, &err);
	if (!CHECK(e))
		return;
	CHECK_EQ(elf_read(e, 0x209000, buf, 64), 0);
	CHECK(!memcmp(buf, want, 64));
	CHECK_EQ(elf_read(e, 0x20903f, buf, 1), 0);
	CHECK_EQ(buf[0], 63);
	CHECK_EQ(elf_read(e, 0x209040, buf, 0), 0);
	CHECK_EQ(elf_read(e, 0x209040, buf, 1), -EFAULT);
	CHECK_EQ(elf_read(e, 0x209001, buf, 64), -EFAULT);
	CHECK_EQ(elf_read(e, 0x208fff, buf, 2), -EFAULT);
	CHECK_EQ(elf_read(e, 0x209000, buf, SIZE_MAX), -EFAULT);
	CHECK_EQ(elf_read(e, 0x300000, buf, 32), 0);
	CHECK_EQ(elf_read(e, 0x300000, buf, 33), -EFAULT);
	CHECK_EQ(elf_read(e, 0x400000, buf, 8), -EFAULT);
	CHECK_EQ(elf_read(e, 0x400010, buf, 8), -EFAULT);
	CHECK_EQ(elf_read(e, UINT64_MAX, buf, 64), -EFAULT);
}

/* The layout of old linkers: the end of the code and the start of the data share a page. */
TEST(bias_by_segment)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	uint64_t page = sysconf(_SC_PAGESIZE), bias = 0;
	struct err err;

	im.eh->e_phnum = 4;
	im.ph[0] = (Elf64_Phdr){ PT_LOAD,          PF_R | PF_X,      0,   0, 0,
				 2 * page + 0x800, 2 * page + 0x800, page };
	im.ph[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 2 * page + 0xe00, 9 * page + 0xe00, 0, page,
				 page,    page };
	im.ph[2] = (Elf64_Phdr){ PT_LOAD, PF_R, UINT64_MAX - 5, 0, 0, 100, 100, page };
	im.ph[3] = (Elf64_Phdr){ PT_LOAD, PF_R, 5 * page + 8, 0, 0, 0, 100, page };
	e = image_open(&im, &err);
	if (!CHECK(e))
		return;
	CHECK_EQ(elf_bias(e, 100 * page, 0, &bias), 0);
	CHECK_EQ(bias, 100 * page);
	/* A part of the code, split off by mprotect(). */
	CHECK_EQ(elf_bias(e, 101 * page, page, &bias), 0);
	CHECK_EQ(bias, 100 * page);
	/* A mapping that starts at the data's offset belongs to the data. */
	CHECK_EQ(elf_bias(e, 109 * page, 2 * page, &bias), 0);
	CHECK_EQ(bias, 100 * page);
	CHECK_EQ(elf_bias(e, 110 * page, 3 * page, &bias), 0);
	CHECK_EQ(bias, 100 * page);
	bias = 4711;
	CHECK_EQ(elf_bias(e, 200 * page, 4 * page, &bias), -ENOENT);
	CHECK_EQ(elf_bias(e, 200 * page, UINT64_MAX & -page, &bias), -ENOENT);
	CHECK_EQ(elf_bias(e, 200 * page, 5 * page, &bias), -ENOENT);
	CHECK_EQ(bias, 4711);
}

/* A small program: two segments start in the same page, and the query is about the code. */
TEST(bias_prefers_code)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	uint64_t page = sysconf(_SC_PAGESIZE), bias = 0;
	struct err err;

	im.eh->e_phnum = 3;
	im.ph[0] = (Elf64_Phdr){ PT_LOAD, PF_R, 0, 0, 0, 0x300, 0x300, page };
	im.ph[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0x300, page + 0x300, 0, 0x300, 0x300, page };
	im.ph[2] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x600, 2 * page + 0x600,
				 0,       0x300,       0x300, page };
	e = image_open(&im, &err);
	if (!CHECK(e))
		return;
	CHECK_EQ(elf_bias(e, 51 * page, 0, &bias), 0);
	CHECK_EQ(bias, 50 * page);
}

TEST(bias_of_a_fixed_program)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	uint64_t bias = 4711;
	struct err err;

	im.eh->e_type = ET_EXEC;
	e = image_open(&im, &err);
	CHECK(e && !elf_bias(e, 0x400000, 0, &bias));
	CHECK_EQ(bias, 0);
}

/* Two notes; the second one is the build id. */
struct two_notes {
	Elf64_Nhdr first;
	char first_name[4];
	Elf64_Nhdr second;
	char second_name[4];
	uint8_t id[8];
};

static size_t image_build_id(const struct two_notes *notes, uint64_t *ret_address)
{
	_cleanup_(image_done) struct image im = image_new();
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	uint8_t id[20];
	struct err err;

	memcpy(im.bytes + SYMS, notes, sizeof(*notes));
	im.eh->e_phnum = 2;
	im.ph[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
				 .p_offset = SYMS,
				 .p_vaddr = 0x100000 + SYMS,
				 .p_filesz = sizeof(*notes) };
	e = image_open(&im, &err);
	return CHECK(e) ? elf_build_id(e, id, sizeof(id), ret_address) : 0;
}

TEST(build_id_among_notes)
{
	struct two_notes notes = { .first = { 4, 0, NT_GNU_ABI_TAG },
				   .first_name = "GNU",
				   .second = { 4, sizeof(notes.id), NT_GNU_BUILD_ID },
				   .second_name = "GNU" };
	uint64_t address = 0;

	CHECK_EQ(image_build_id(&notes, &address), sizeof(notes.id));
	CHECK_EQ(address, 0x100000 + SYMS + offsetof(struct two_notes, id));
	notes.second_name[0] = 'g';
	CHECK_EQ(image_build_id(&notes, &address), 0);
	notes.second_name[0] = 'G';
	notes.second.n_descsz++; /* beyond the end of the segment */
	CHECK_EQ(image_build_id(&notes, &address), 0);
	notes.second.n_descsz = UINT32_MAX;
	CHECK_EQ(image_build_id(&notes, &address), 0);
	notes.first.n_namesz = UINT32_MAX - 2;
	CHECK_EQ(image_build_id(&notes, &address), 0);
}

static bool image_needs(struct image *im, const char *prefix)
{
	struct err err;
	_cleanup_(elf_closep) struct elf_file *e = image_open(im, &err);

	return CHECK(e) && elf_needs(e, prefix);
}

TEST(needed_at_the_edges)
{
	_cleanup_(image_done) struct image im = image_new();
	Elf64_Dyn *dyn = (Elf64_Dyn *)(im.bytes + 0x8000);
	uint32_t a = image_string(&im, "libfoo.so.1"), b = image_string(&im, "libpython3.9.so.1.0");

	im.eh->e_phnum = 2;
	im.ph[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
				 .p_offset = 0x8000,
				 .p_filesz = 5 * sizeof(*dyn) };
	dyn[0] = (Elf64_Dyn){ DT_NEEDED, { a } };
	dyn[1] = (Elf64_Dyn){ DT_SONAME, { b } };
	dyn[2] = (Elf64_Dyn){ DT_NULL, {} };
	dyn[3] = (Elf64_Dyn){ DT_NEEDED, { b } };
	dyn[4] = (Elf64_Dyn){ DT_STRTAB, { 0x100000 + STRS } };
	CHECK(!image_needs(&im, "libfoo"));
	dyn[2] = dyn[4];
	CHECK(image_needs(&im, "libfoo"));
	CHECK(image_needs(&im, "libpython"));
	CHECK(!image_needs(&im, "libpython3.9.so.1.0.5"));
	dyn[1] = (Elf64_Dyn){ DT_NULL, {} };
	CHECK(!image_needs(&im, "libpython"));
	dyn[1] = dyn[2];
	dyn[2] = (Elf64_Dyn){ DT_NULL, {} };
	CHECK(image_needs(&im, "libfoo"));
	CHECK(!image_needs(&im, "libpython"));
	dyn[2] = dyn[1];
	dyn[3].d_un.d_val = UINT64_MAX;
	CHECK(!image_needs(&im, "libpython"));
	dyn[3].d_un.d_val = b;
	im.ph[1].p_filesz = 3 * sizeof(*dyn) + 3;
	CHECK(!image_needs(&im, "libpython"));
	im.ph[1].p_filesz = 1ULL << 50;
	CHECK(!image_needs(&im, "libpython"));
	im.ph[1].p_filesz = 5 * sizeof(*dyn);
	im.ph[1].p_offset = STRS + STRS_MAX - 8;
	CHECK(!image_needs(&im, "libpython"));
}

/* --- images in memory ------------------------------------------------------------------------- */

/* The address at which this process maps the start of the file that contains @address. */
static uint64_t image_start(const void *address)
{
	struct module m = { .address = address };
	_cleanup_(maps_closep) struct maps *maps = NULL;
	struct mapping map;
	int err;

	if (!module_find(&m))
		return 0;
	maps = maps_open(getpid(), &err);
	while (maps && maps_next(maps, &map) > 0)
		if (!map.offset && !strcmp(map.path, m.path))
			return map.start;
	return 0;
}

TEST(memory_matches_the_file)
{
	const struct module m = libc_module();
	_cleanup_(elf_closep) struct elf_file *file = open_path(m.path);
	uint64_t start = image_start(m.address), bias, section[2], debug[2], note[2];
	_cleanup_(elf_closep) struct elf_file *memory = elf_open_memory(getpid(), start, NULL);
	struct elf_sym a[COUNT(libc_names)], b[COUNT(libc_names)];
	uint8_t id[2][20];

	CHECK(memory);
	CHECK(elf_symbols(file, libc_names, a, COUNT(a)) > 0);
	elf_symbols(memory, libc_names, b, COUNT(b));
	for (size_t i = 0; i < COUNT(a); i++)
		if (strcmp(libc_names[i], "errno")) /* .symtab may have it */
			CHECK(a[i].value == b[i].value && a[i].size == b[i].size);
	CHECK_EQ(elf_bias(memory, 1, 2, &bias), 0);
	CHECK_EQ(bias, start);
	elf_dynamic(file, &section[0], &debug[0]);
	elf_dynamic(memory, &section[1], &debug[1]);
	CHECK(section[0] == section[1] && debug[0] == debug[1]);
	CHECK_EQ(elf_build_id(file, id[0], 20, &note[0]),
		 elf_build_id(memory, id[1], 20, &note[1]));
	CHECK(note[0] == note[1] && !memcmp(id[0], id[1], 20));
	CHECK(elf_needs(memory, "ld-linux") && !elf_needs(memory, "libpython"));
	CHECK_EQ(elf_read(memory, a[0].value, id[0], 16), 0);
	CHECK_EQ(elf_read(file, a[0].value, id[1], 16), 0);
	CHECK(!memcmp(id[0], id[1], 16));
	CHECK_EQ(elf_read(memory, 1ULL << 40, id[0], 1), -EFAULT);
}

/* In the vDSO's dynamic section nobody has replaced addresses by absolute ones. */
TEST(memory_of_the_vdso)
{
	static const char *const names[] = { "__vdso_clock_gettime", "__kernel_clock_gettime" };
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	uint64_t start = getauxval(AT_SYSINFO_EHDR);
	struct elf_sym syms[COUNT(names)];

	if (!start)
		SKIP("no vDSO here");
	e = elf_open_memory(getpid(), start, NULL);
	CHECK(e);
	CHECK(elf_symbols(e, names, syms, COUNT(names)) > 0);
	CHECK(elf_eh_table(e, syms) && syms->size > 12);
}

TEST(memory_without_elf)
{
	static char zeros[8192] __attribute__((aligned(4096)));
	struct err err = {};

	CHECK(!elf_open_memory(getpid(), 0, &err) && err.text[0]);
	CHECK(!elf_open_memory(getpid(), ~0ULL - 10, NULL));
	CHECK(!elf_open_memory(getpid(), (uintptr_t)zeros, NULL));
	memcpy(zeros, "\177ELF\2\1\1", 7);
	CHECK(!elf_open_memory(getpid(), (uintptr_t)zeros, NULL));
	CHECK(!elf_open_memory(0x7ffffff0, (uintptr_t)zeros, NULL));
}

/* A copy of the loaded libc, in which the absolute addresses still point into the original. */
TEST(memory_with_flipped_bytes)
{
	uint64_t start = image_start(libc_module().address);
	_cleanup_(elf_closep) struct elf_file *whole = elf_open_memory(getpid(), start, NULL);
	enum { LEN = 256 << 10, ROUNDS = 400 };
	unsigned char *copy =
		mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int state = 1;
	int opened = 0;

	CHECK(whole && copy != MAP_FAILED);
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_(elf_closep) struct elf_file *e = NULL;
		struct elf_sym syms[COUNT(libc_names)];
		uint8_t bytes[20];
		uint64_t note;

		/* Pages that cannot be read stay zero. */
		for (size_t at = 0; at < LEN; at += 4096)
			rmem_read(getpid(), start + at, copy + at, 4096);
		for (int i = 0; i < 1 + round % 8; i++) {
			state = state * 1103515245 + 12345;
			copy[(state >> 8) % (round % 2 ? 1024 : LEN)] ^= 1 << (state >> 28) % 8;
		}
		e = elf_open_memory(getpid(), (uintptr_t)copy, NULL);
		if (!e)
			continue;
		opened++;
		elf_symbols(e, libc_names, syms, COUNT(syms));
		elf_read(e, syms[0].value, bytes, sizeof(bytes));
		elf_build_id(e, bytes, sizeof(bytes), &note);
		elf_needs(e, "libpython");
	}
	CHECK(opened > ROUNDS / 4);
	munmap(copy, LEN);
}

/* Only the last chain of the hash table tells the number of symbols; most cases are wrong. */
TEST(memory_with_a_gnu_hash)
{
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr ph[2];
		Elf64_Dyn dyn[5];
		Elf64_Sym syms[3];
		uint32_t hash[4], filter[2], bucket[2], chain[2];
		char strings[32];
	} *im = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const char *const names[] = { "first_name", "second_name" };
	struct elf_sym got[2];

#define AT(field) ((uint64_t)((char *)&im->field - (char *)im))
	CHECK(im != MAP_FAILED);
	memcpy(im->h.e_ident, "\177ELF\2\1\1", 7);
	im->h.e_type = ET_DYN;
	im->h.e_machine = own_machine();
	im->h.e_phoff = AT(ph);
	im->h.e_phentsize = sizeof(Elf64_Phdr);
	im->h.e_phnum = 2;
	im->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = 4096, .p_memsz = 8192 };
	im->ph[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
				  .p_vaddr = AT(dyn),
				  .p_memsz = sizeof(im->dyn) };
	im->dyn[0] = (Elf64_Dyn){ DT_SYMTAB, { AT(syms) } };
	im->dyn[1] = (Elf64_Dyn){ DT_STRTAB, { (uintptr_t)im->strings } }; /* as glibc leaves it */
	im->dyn[2] = (Elf64_Dyn){ DT_STRSZ, { sizeof(im->strings) } };
	im->dyn[3] = (Elf64_Dyn){ DT_GNU_HASH, { AT(hash) } };
	memcpy(im->strings + 1, "first_name\0second_name", 23);
	im->syms[1] = (Elf64_Sym){ .st_name = 1, .st_shndx = 1, .st_value = 100 };
	im->syms[2] = (Elf64_Sym){ .st_name = 12, .st_shndx = 1, .st_value = 200 };
	for (int i = 0; i < 6; i++) {
		struct elf_file *e;
		/* buckets, first symbol, words of the filter, last bucket, end of its chain */
		static const uint32_t cases[][5] = {
			{ 2, 1, 1, 1, 1 },   { 0, 1, 1, 1, 1 },       { ~0U, 1, 1, 1, 1 },
			{ 2, 1, ~0U, 1, 1 }, { 2, 1, 1, ~0U - 8, 1 }, { 2, 1, 1, 1, 0 },
		};
		const uint32_t *c = cases[i];

		im->hash[0] = c[0];
		im->hash[1] = c[1];
		im->hash[2] = c[2];
		im->bucket[0] = 0;
		im->bucket[1] = c[3];
		im->chain[0] = 0;
		im->chain[1] = c[4];
		e = elf_open_memory(getpid(), (uintptr_t)im, NULL);
		CHECK(e);
		CHECK(elf_symbols(e, names, got, 2) == 2 || i);
		CHECK(i || (got[0].value == 100 && got[1].value == 200));
		elf_close(e);
	}
	munmap(im, 8192);
#undef AT
}
