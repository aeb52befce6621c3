/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/maps: lines that kernels print, lines that none prints, and the files of real mappings. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "child.h"
#include "proc/maps.h"
#include "tap.h"

#define R  true, false, false
#define RW true, true, false
#define RX true, false, true
#define X  false, false, true
#define NO false, false, false

/* Lines and their meaning; want.dev is computed from dev_major and dev_minor. */
static const struct {
	const char *line;
	unsigned int dev_major, dev_minor;
	struct mapping want;
} good[] = {
	{ "55d0c0a00000-55d0c0a28000 r-xp 00028000 fe:01 1234567                    /usr/bin/x\n",
	  0xfe,
	  1,
	  { 0x55d0c0a00000, 0x55d0c0a28000, 0x28000, 0, 1234567, RX, "/usr/bin/x", false } },
	{ "7f0000000000-7f0000001000 rw-s 00000000 00:05 7   /memfd:a b (deleted)\n",
	  0,
	  5,
	  { 0x7f0000000000, 0x7f0000001000, 0, 0, 7, RW, "/memfd:a b", true } },
	{ "7ffc1000-7ffc2000 rw-p 00000000 00:00 0                          [stack]",
	  0,
	  0,
	  { 0x7ffc1000, 0x7ffc2000, 0, 0, 0, RW, "[stack]", false } },
	{ "7f01-7f02 ---p 00000000 00:00 0 \n", 0, 0, { 0x7f01, 0x7f02, 0, 0, 0, NO, "", false } },
	{ "7f01-7f02 ---p 00000000 00:00 0", 0, 0, { 0x7f01, 0x7f02, 0, 0, 0, NO, "", false } },
	{ "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n",
	  0,
	  0,
	  { 0xffffffffff600000, 0xffffffffff601000, 0, 0, 0, X, "[vsyscall]", false } },
	{ "1-2 r--p ffffffffffffffff fffff:fffff 18446744073709551615 /x\n",
	  0xfffff,
	  0xfffff,
	  { 1, 2, UINT64_MAX, 0, UINT64_MAX, R, "/x", false } },
	{ "1-2 r--p 0 0:0 3 /a\\012b\xff\x01 \n",
	  0,
	  0,
	  { 1, 2, 0, 0, 3, R, "/a\\012b\xff\x01 ", false } },
	{ "1-2 r--p 0 0:0 3 /x (deleted) (deleted)\n",
	  0,
	  0,
	  { 1, 2, 0, 0, 3, R, "/x (deleted)", true } },
	{ "1-2 r--p 0 0:0 3 /x(deleted)\n", 0, 0, { 1, 2, 0, 0, 3, R, "/x(deleted)", false } },
};

static const char *const bad[] = {
	"",
	"\n",
	" ",
	"-",
	"1",
	"1-",
	"1-2",
	"1-2 ",
	"1-2 r",
	"1-2 r--",
	"1-2 r--p",
	"1-2 r--p ",
	"1-2 r--p 0",
	"1-2 r--p 0 ",
	"1-2 r--p 0 0",
	"1-2 r--p 0 0:",
	"1-2 r--p 0 0:0",
	"1-2 r--p 0 0:0 ",
	"1-2 r--p 0 0:0 \n",
	"1-2 r--p 0 0:0 x",
	"1-2 r--p 0 0:0 0x /a",
	"1-2 r--p 0 0:0 0a /a",
	"1-2 r--p 0 0 0 /a",
	"1-2 r--p 0 0:0  0 /a",
	"1-2 r--q 0 0:0 0 /a",
	"1-2 R--p 0 0:0 0 /a",
	"1-2 rwxps 0 0:0 0 /a",
	"1-2  r--p 0 0:0 0 /a",
	"1 -2 r--p 0 0:0 0 /a",
	"-1-2 r--p 0 0:0 0 /a",
	"+1-2 r--p 0 0:0 0 /a",
	"0x1-2 r--p 0 0:0 0 /a",
	"G-2 r--p 0 0:0 0 /a",
	"2-1 r--p 0 0:0 0 /a",
	"2-2 r--p 0 0:0 0 /a",
	"10000000000000000-20000000000000000 r--p 0 0:0 0 /a",
	"1-10000000000000000 r--p 0 0:0 0 /a",
	"1-2 r--p 10000000000000000 0:0 0 /a",
	"1-2 r--p 0 100000000:0 0 /a",
	"1-2 r--p 0 0:100000000 0 /a",
	"1-2 r--p 0 0:0 18446744073709551616 /a",
	"1-2 r--p 0 0:0 99999999999999999999999999 /a",
};

/* Parses a copy in memory of the exact size, for the sanitizer. */
static int parse(const char *line, size_t len, struct mapping *ret, char **ret_copy)
{
	*ret_copy = malloc(len + 1);
	memcpy(*ret_copy, line, len);
	(*ret_copy)[len] = '\0';
	return maps_parse(*ret_copy, ret);
}

TEST(parses_what_kernels_print)
{
	struct mapping m;
	size_t i;
	int err;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		const struct mapping *want = &good[i].want;
		_free_ char *copy = NULL;

		memset(&m, 0x5a, sizeof(m));
		err = parse(good[i].line, strlen(good[i].line), &m, &copy);
		if (!CHECK_EQ(err, 0)) {
			printf("#   in '%s'\n", good[i].line);
			continue;
		}
		CHECK_EQ(m.start, want->start);
		CHECK_EQ(m.end, want->end);
		CHECK_EQ(m.offset, want->offset);
		CHECK_EQ(m.dev, makedev(good[i].dev_major, good[i].dev_minor));
		CHECK_EQ(m.inode, want->inode);
		CHECK_EQ(m.read, want->read);
		CHECK_EQ(m.write, want->write);
		CHECK_EQ(m.exec, want->exec);
		CHECK_EQ(m.deleted, want->deleted);
		CHECK_STR(m.path, want->path);
	}
}

TEST(refuses_other_lines)
{
	struct mapping m = { .inode = 4711 };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		_free_ char *copy = NULL;

		if (!CHECK_EQ(parse(bad[i], strlen(bad[i]), &m, &copy), -EINVAL))
			printf("#   in '%s'\n", bad[i]);
		CHECK_EQ(m.inode, 4711);
	}
}

TEST(long_path)
{
	char line[5000] = "1-2 r--p 0 0:0 3 /";
	size_t len = strlen(line);
	_free_ char *copy = NULL;
	struct mapping m;

	memset(line + len, 'x', 4500);
	strcpy(line + len + 4500, " (deleted)\n");
	CHECK_EQ(parse(line, strlen(line), &m, &copy), 0);
	CHECK_EQ(strlen(m.path), 4501);
	CHECK(m.deleted);
}

TEST(truncated_and_mutated_lines)
{
	uint64_t random = 88172645463325252ULL;
	size_t i, len, round, parsed = 0;
	struct mapping m;
	char line[200];

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		for (round = 0; round < 5000; round++) {
			_free_ char *copy = NULL;

			len = strlen(good[i].line);
			memcpy(line, good[i].line, len);
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			line[random % len] = random >> 32;
			if (random >> 60 < 8)
				len = (random >> 40) % (len + 1);
			if (parse(line, len, &m, &copy))
				continue;
			parsed++;
			if (m.start >= m.end || m.path < copy || m.path > copy + len ||
			    strlen(m.path) > len)
				CHECK(!"an impossible mapping");
		}
	CHECK(parsed > 1000);
}

/* The mapping of @pid that contains @addr, its path copied to @path; false: there is none. */
static bool find_mapping(pid_t pid, const void *addr, struct mapping *ret, char *path)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	int err = 0;

	maps = maps_open(pid, &err);
	if (!CHECK(maps))
		return false;
	while ((err = maps_next(maps, ret)) > 0) {
		if ((uintptr_t)addr < ret->start || (uintptr_t)addr >= ret->end)
			continue;
		snprintf(path, PATH_MAX, "%s", ret->path);
		ret->path = path;
		return true;
	}
	CHECK_EQ(err, 0);
	return false;
}

TEST(our_own_mappings)
{
	char path[PATH_MAX], exe[PATH_MAX] = "";
	struct mapping m;
	struct stat st;
	int local = 0;

	CHECK(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	if (CHECK(find_mapping(getpid(), (void *)find_mapping, &m, path))) {
		CHECK(m.read && m.exec && !m.write && !m.deleted);
		CHECK_STR(m.path, exe);
		CHECK(!stat(exe, &st) && st.st_ino == m.inode);
	}
	if (CHECK(find_mapping(getpid(), good, &m, path)))
		CHECK_STR(m.path, exe);
	if (CHECK(find_mapping(getpid(), environ, &m, path)) && !m.inode)
		CHECK_STR(m.path, "[stack]");
	CHECK(find_mapping(getpid(), &local, &m, path) && m.write && !m.exec);
	CHECK(!find_mapping(getpid(), (void *)8, &m, path));
}

TEST(mappings_come_in_order)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	uint64_t end = 0;
	struct mapping m;
	int err, n = 0;

	maps = maps_open(getpid(), &err);
	if (!CHECK(maps))
		return;
	for (; (err = maps_next(maps, &m)) > 0; n++) {
		CHECK(m.start >= end);
		end = m.end;
	}
	CHECK_EQ(err, 0);
	CHECK(n > 10);
	CHECK_EQ(maps_next(maps, &m), 0);
}

/* Compares both lists; no mapping may be made or removed meanwhile. */
static void check_code(void)
{
	_cleanup_(maps_closep) struct maps *all = NULL, *code = NULL;
	struct mapping want, got;
	int err, n = 0;

	all = maps_open(getpid(), &err);
	code = maps_open(getpid(), &err);
	if (!CHECK(all && code))
		return;
	while ((err = maps_next(all, &want)) > 0) {
		if (!want.exec || !want.inode)
			continue;
		n++;
		if (!CHECK_EQ(maps_next_code(code, &got), 1))
			return;
		CHECK(got.start == want.start && got.end == want.end && got.offset == want.offset);
		CHECK(got.dev == want.dev && got.inode == want.inode);
		CHECK(got.read == want.read && got.write == want.write && got.exec);
		CHECK_STR(got.path, want.path);
		CHECK_EQ(got.deleted, want.deleted);
	}
	CHECK_EQ(err, 0);
	CHECK(n > 2);
	CHECK_EQ(maps_next_code(code, &got), 0);
}

TEST(code_mappings_match_the_text)
{
	check_code();
}

/* Imitates a kernel without PROCMAP_QUERY. */
static bool refuse_ioctl(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

TEST(code_mappings_without_procmap_query)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (!refuse_ioctl())
			_exit(77);
		check_code();
		_exit(tap.failures != 0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("seccomp filters do not work here");
	CHECK_EQ(status, 0);
}

static bool map_files_work(void);

/* Checks that the mapping at @at is found and that those after it are not lost. */
static void check_long(void *at)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	int err, n = 0, behind = 0;
	struct mapping m;

	maps = maps_open(getpid(), &err);
	if (!CHECK(maps))
		return;
	while ((err = maps_next_code(maps, &m)) > 0) {
		_close_ int fd = m.start == (uintptr_t)at ? maps_open_file(getpid(), &m) : -1;

		n += m.start == (uintptr_t)at;
		behind += m.start > (uintptr_t)at;
		CHECK(m.start != (uintptr_t)at || fd >= 0 || !map_files_work());
	}
	CHECK_EQ(err, 0);
	CHECK_EQ(n, 1);
	CHECK(behind > 0);
}

/* Enters a directory whose path is longer than PATH_MAX; *@home is the previous directory. */
static bool go_deep(int *home)
{
	char name[201];

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	*home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*home < 0 || chdir("/tmp"))
		return false;
	for (int i = 0; i < 25; i++)
		if ((mkdir(name, 0700) && errno != EEXIST) || chdir(name))
			return false;
	return true;
}

static void leave_deep(int home)
{
	char name[201];

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 25 && !chdir(".."); i++)
		rmdir(name);
	CHECK(!fchdir(home));
}

TEST(code_in_a_file_whose_path_is_too_long)
{
	_close_ int home = -1, fd = -1;
	void *at = MAP_FAILED;

	if (CHECK(go_deep(&home)))
		fd = open("code", O_RDWR | O_CREAT | O_CLOEXEC, 0700);
	if (CHECK(fd >= 0) && CHECK(!ftruncate(fd, 4096)))
		at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (CHECK(at != MAP_FAILED)) {
		check_long(at);
		munmap(at, 4096);
	}
	unlink("code");
	leave_deep(home);
}

TEST(gone_process)
{
	int err = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	CHECK(!maps_open(pid, &err));
	CHECK_EQ(err, -ESRCH);
	CHECK(!maps_open(-1, &err));
	maps_close(NULL);
}

/* A directory with one file of one page, and our mapping of that file. */
struct mapped_file {
	char dir[32], path[128];
	void *at;
};

static bool map_file(struct mapped_file *f, const char *name, char content)
{
	_close_ int fd = -1;
	char page[4096];

	strcpy(f->dir, "/tmp/test_maps.XXXXXX");
	if (!mkdtemp(f->dir))
		return false;
	snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
	fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	memset(page, content, sizeof(page));
	if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page))
		return false;
	f->at = mmap(NULL, sizeof(page), PROT_READ, MAP_PRIVATE, fd, 0);
	return f->at != MAP_FAILED;
}

static void unmap_file(struct mapped_file *f)
{
	munmap(f->at, 4096);
	unlink(f->path);
	rmdir(f->dir);
}

/* Replaces the mapped file by another file of the same name. */
static bool replace_file(const struct mapped_file *f)
{
	char path[160];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s.new", f->path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 && write(fd, "new", 3) == 3 && !rename(path, f->path);
}

/* The first byte of the file behind @m, or -errno. */
static int first_byte(pid_t pid, const struct mapping *m)
{
	_close_ int fd = maps_open_file(pid, m);
	unsigned char c;

	if (fd < 0)
		return fd;
	if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC) || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
		return -EPROTO;
	return read(fd, &c, 1) == 1 ? c : -EIO;
}

static bool map_files_work(void)
{
	char path[PATH_MAX], link[128];
	struct mapping m;
	_close_ int fd = -1;

	if (!find_mapping(getpid(), (void *)map_files_work, &m, path))
		return false;
	snprintf(link, sizeof(link), "/proc/self/map_files/%" PRIx64 "-%" PRIx64, m.start, m.end);
	fd = open(link, O_PATH | O_CLOEXEC);
	return fd >= 0;
}

TEST(odd_file_names)
{
	static const char *const names[] = { "a b", "new\nline", "tail ", "x (deleted)",
					     "\xff\t\\012" };
	char path[PATH_MAX];
	struct mapped_file f;
	struct mapping m;
	size_t i;

	if (!map_files_work())
		SKIP("map_files needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (CHECK(map_file(&f, names[i], 'A' + i)) &&
		    CHECK(find_mapping(getpid(), f.at, &m, path))) {
			CHECK_EQ(first_byte(getpid(), &m), 'A' + i);
			CHECK(!strchr(m.path, '\n'));
		}
		unmap_file(&f);
	}
}

TEST(deleted_and_replaced_files)
{
	char path[PATH_MAX];
	struct mapped_file f;
	struct mapping m;

	if (!map_files_work())
		SKIP("map_files needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE");
	if (!CHECK(map_file(&f, "lib.so", 'D')))
		return;
	CHECK(replace_file(&f));
	CHECK(find_mapping(getpid(), f.at, &m, path));
	CHECK(m.deleted);
	CHECK_STR(m.path, f.path);
	CHECK_EQ(first_byte(getpid(), &m), 'D');
	unlink(f.path);
	CHECK_EQ(first_byte(getpid(), &m), 'D');
	unmap_file(&f);
}

/* A mapping of the file @path at an address for which map_files has no entry. */
static struct mapping by_path(const char *path)
{
	struct mapping m = { .start = 0x1000, .end = 0x2000, .path = path };
	struct stat st;

	if (!stat(path, &st))
		m.inode = st.st_ino;
	return m;
}

TEST(by_path_where_map_files_fail)
{
	struct mapped_file f;
	struct mapping m;

	if (!CHECK(map_file(&f, "lib.so", 'P')))
		return;
	m = by_path(f.path);
	CHECK_EQ(first_byte(getpid(), &m), 'P');
	m.deleted = true;
	CHECK_EQ(first_byte(getpid(), &m), -ENOENT);
	m.deleted = false;
	CHECK(replace_file(&f));
	CHECK_EQ(first_byte(getpid(), &m), -ESTALE);
	unlink(f.path);
	CHECK_EQ(first_byte(getpid(), &m), -ENOENT);
	unmap_file(&f);
}

TEST(not_a_file)
{
	struct mapping m = by_path("/dev/null"), dir = by_path("/tmp"), none = by_path("[heap]");
	char path[PATH_MAX];
	void *at;

	CHECK_EQ(maps_open_file(getpid(), &m), -EBADF);
	CHECK_EQ(maps_open_file(getpid(), &dir), -EBADF);
	CHECK_EQ(maps_open_file(getpid(), &none), -ENOENT);
	CHECK_EQ(maps_stat_file(getpid(), &none, &(struct stat){}), -ENOENT);
	none.inode = 1;
	CHECK_EQ(maps_open_file(getpid(), &none), -ENOENT);
	CHECK_EQ(maps_stat_file(getpid(), &none, &(struct stat){}), -ENOENT);

	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (CHECK(find_mapping(getpid(), at, &m, path)) && m.inode && map_files_work()) {
		_close_ int fd = maps_open_file(getpid(), &m);
		struct stat st;

		CHECK_EQ(maps_stat_file(getpid(), &m, &st), 0);
		CHECK_EQ(st.st_ino, m.inode);
		/* Shared memory is a file in the kernel's own tmpfs. */
		CHECK(fd >= 0);
	}
	munmap(at, 4096);
}

/* Runs in the child: changes its root. */
static bool enter_root(const void *dir)
{
	return !chroot(dir) && !chdir("/");
}

TEST(links_stay_in_the_root_of_the_target)
{
	struct mapping m = { .start = 0x1000, .end = 0x2000 };
	struct mapped_file f;
	char link[64];
	struct stat st;
	pid_t pid;

	if (geteuid())
		SKIP("chroot needs root");
	if (!CHECK(map_file(&f, "inner", 'I')) || !CHECK(!stat(f.path, &st)))
		return;
	snprintf(link, sizeof(link), "%s/link", f.dir);
	CHECK(!symlink("/inner", link));
	pid = child_start(enter_root, f.dir);
	m.inode = st.st_ino;
	m.path = "/inner";
	CHECK_EQ(first_byte(pid, &m), 'I');
	m.path = "/link";
	CHECK_EQ(first_byte(pid, &m), 'I');
	m.path = "/../../inner";
	CHECK_EQ(first_byte(pid, &m), 'I');

	/* Not found through a link out of the root, although path and inode are right. */
	unlink(link);
	CHECK(!symlink(f.path, link));
	m.path = "/link";
	CHECK_EQ(first_byte(pid, &m), -ENOENT);
	CHECK_EQ(first_byte(getpid(),
			    &(struct mapping){
				    .start = 1, .end = 2, .inode = st.st_ino, .path = link }),
		 'I');
	child_stop(pid);
	unlink(link);
	unmap_file(&f);
}
