/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detection of this test's own children. Tests of interpreters that are not installed are skipped.
 * A child is examined when it has printed something, or when it is stopped at its exec and only the
 * executable and the dynamic loader are mapped.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/rmem.h"
#include "py/detect.h"
#include "tap.h"

#define SYSTEM_PYTHON "/usr/bin/python3"

/* Prints its version and waits for the end of its stdin. */
static const char *const script = "import sys; sys.stdout.write('%x\\n' % sys.hexversion); "
				  "sys.stdout.flush(); sys.stdin.read()";

static void detect_freep(struct detect **d)
{
	if (*d)
		detect_free(*d);
}

#define _detect_ _cleanup_(detect_freep)

struct child {
	pid_t pid;
	int in, out; /* its stdin and stdout; -1: none */
};

static void child_end(struct child *c)
{
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	close_fd(&c->in);
	close_fd(&c->out);
	*c = (struct child){ 0, -1, -1 };
}

#define CHILD(name) _cleanup_(child_end) struct child name = { 0, -1, -1 }

static void run_child(const char *const argv[], const int in[2], const int out[2], bool traced)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(126);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

/* @traced: stop the child at its exec. Returns false if the program cannot be started here. */
static bool start(struct child *c, const char *const argv[], bool traced)
{
	int in[2], out[2], status;

	if (access(argv[0], X_OK) || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return false;
	c->pid = fork();
	if (!c->pid)
		run_child(argv, in, out, traced);
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = out[0];
	return c->pid > 0 &&
	       (!traced || (waitpid(c->pid, &status, 0) == c->pid && WIFSTOPPED(status)));
}

static bool start_traced(struct child *c, const char *path)
{
	const char *const argv[] = { path, "1000", NULL };

	return start(c, argv, true);
}

/* Starts a Python. Returns the version that it prints; 0: none. */
static uint32_t start_python(struct child *c, const char *path)
{
	const char *const argv[] = { path, "-S", "-c", script, NULL };
	char line[32] = "";

	if (!start(c, argv, false) || read(c->out, line, sizeof(line) - 1) <= 0)
		return 0;
	return (uint32_t)strtoul(line, NULL, 16);
}

static bool is_supported(uint32_t hex)
{
	return hex >= 0x03060000 && hex < 0x030e0000;
}

/* Interpreters in the home folder; @which is a pattern for versions. */
static void find_pythons(const char *which, glob_t *ret)
{
	char pattern[512];

	snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/%s/bin/python",
		 getenv("HOME") ? getenv("HOME") : "", which);
	memset(ret, 0, sizeof(*ret));
	glob(pattern, 0, NULL, ret);
}

static void check_python(struct detect *d, const struct child *c, uint32_t hex)
{
	struct python_build build = {};
	struct python py = {};
	struct err err = {};

	if (!CHECK_EQ(detect_process(d, c->pid, &py, &err), DETECT_PYTHON)) {
		printf("# %s\n", err.text);
		return;
	}
	CHECK_EQ(py.hex, hex);
	CHECK_EQ(py.layout.version, hex >> 16);
	CHECK(py.info.interps && py.info.key && py.info.code_type && py.info.tss_first);
	CHECK_EQ(!py.info.current, hex >= 0x030c0000);
	CHECK_EQ(detect_build(d, c->pid, &build), 0);
	CHECK(!build.embedded && !build.debug && !build.free_threaded);
	CHECK_EQ(build.library, strstr(build.path, "libpython") != NULL);
	CHECK_EQ(!py.info.at_entry.len, !(py.layout.flags & PY_ENTRY_WINDOW));
	CHECK(py.info.code.parts && py.info.entry - py.info.code.text < py.info.code.len);
}

TEST(another_program)
{
	_detect_ struct detect *d = detect_new();
	struct python py;
	struct err err;
	CHILD(child);

	if (!start_traced(&child, "/bin/sleep"))
		SKIP("cannot trace /bin/sleep");
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_OTHER);
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_OTHER);
}

TEST(itself)
{
	_detect_ struct detect *d = detect_new();
	struct python_build build;
	struct python py;
	struct err err;

	CHECK_EQ(detect_process(d, getpid(), &py, &err), DETECT_OTHER);
	CHECK_EQ(detect_build(d, getpid(), &build), -ENOENT);
}

TEST(no_such_process)
{
	_detect_ struct detect *d = detect_new();
	struct python_build build;
	struct python py;
	struct err err;

	CHECK_EQ(detect_process(d, 0x7ffffff0, &py, &err), -ESRCH);
	CHECK_EQ(detect_build(d, 0x7ffffff0, &build), -ESRCH);
}

/* A reaped process is gone. A process that is not yet reaped has no mappings. */
TEST(process_that_ended)
{
	_detect_ struct detect *d = detect_new();
	struct python py;
	siginfo_t info;
	struct err err;
	CHILD(child);
	pid_t pid;

	if (!start_traced(&child, "/bin/sleep"))
		SKIP("cannot trace /bin/sleep");
	pid = child.pid;
	kill(pid, SIGKILL);
	while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	CHECK(detect_process(d, pid, &py, &err) <= 0);
	child_end(&child);
	CHECK_EQ(detect_process(d, pid, &py, &err), -ESRCH);
}

TEST(system_python)
{
	_detect_ struct detect *d = detect_new();
	uint32_t hex;
	CHILD(child);

	hex = start_python(&child, SYSTEM_PYTHON);
	if (!is_supported(hex))
		SKIP("no " SYSTEM_PYTHON " of version 3.6 to 3.13");
	check_python(d, &child, hex);
	check_python(d, &child, hex); /* now with cached files */
}

/* As if the process ended between reading its mappings and opening its files. */
TEST(file_that_could_not_be_opened_once)
{
	_detect_ struct detect *d = detect_new();
	struct rlimit all, few;
	struct python py;
	struct err err;
	uint32_t hex;
	int lowest;
	CHILD(child);

	hex = start_python(&child, SYSTEM_PYTHON);
	if (!is_supported(hex))
		SKIP("no " SYSTEM_PYTHON " of version 3.6 to 3.13");
	lowest = dup(STDIN_FILENO);
	close(lowest);
	getrlimit(RLIMIT_NOFILE, &all);
	few = (struct rlimit){ lowest + 1, all.rlim_max }; /* enough for the mappings only */
	setrlimit(RLIMIT_NOFILE, &few);
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_UNSUPPORTED);
	CHECK(py.doubt);
	setrlimit(RLIMIT_NOFILE, &all);
	check_python(d, &child, hex);
}

/* One struct detect examines them all, one after the other. */
TEST(installed_pythons)
{
	_cleanup_(globfree) glob_t found;
	_detect_ struct detect *d = detect_new();
	unsigned int seen = 0;

	find_pythons("3.*", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		unsigned int before = tap.failures;
		uint32_t hex;
		CHILD(child);

		hex = start_python(&child, found.gl_pathv[i]);
		if (!is_supported(hex))
			continue;
		check_python(d, &child, hex);
		if (tap.failures != before)
			printf("# %s\n", found.gl_pathv[i]);
		seen++;
	}
	if (!seen)
		SKIP("no ~/.pyenv/versions/3.*");
}

TEST(python_2)
{
	_cleanup_(globfree) glob_t found;
	_detect_ struct detect *d = detect_new();
	struct python py = {};
	struct err err = {};
	CHILD(child);

	find_pythons("2.7*", &found);
	if (!found.gl_pathc)
		SKIP("no ~/.pyenv/versions/2.7*");
	CHECK_EQ(start_python(&child, found.gl_pathv[0]) >> 16, 0x0207);
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_UNSUPPORTED);
	CHECK_EQ(py.hex >> 16, 0x0207);
	CHECK(strstr(err.text, "2.7") != NULL);
}

/* The executable needs the library, but the dynamic loader has not run yet. */
TEST(shared_python_at_its_exec)
{
	_cleanup_(globfree) glob_t found;
	_detect_ struct detect *d = detect_new();
	struct python py;
	struct err err;
	CHILD(child);

	find_pythons("3.1*", &found);
	if (!found.gl_pathc || !start_traced(&child, found.gl_pathv[0]))
		SKIP("no ~/.pyenv/versions/3.1* that can be traced");
	if (detect_process(d, child.pid, &py, &err) == DETECT_PYTHON)
		SKIP("the first ~/.pyenv/versions/3.1* has no shared library");
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_EXPECTED);
}

TEST(static_python_at_its_exec)
{
	_detect_ struct detect *d = detect_new();
	struct python py = {};
	struct err err = {};
	CHILD(child);
	int kind;

	if (!start_traced(&child, SYSTEM_PYTHON))
		SKIP("cannot trace " SYSTEM_PYTHON);
	kind = detect_process(d, child.pid, &py, &err);
	if (kind == DETECT_EXPECTED)
		SKIP(SYSTEM_PYTHON " has its interpreter in a library");
	if (kind == DETECT_UNSUPPORTED)
		SKIP(SYSTEM_PYTHON " is not supported");
	CHECK_EQ(kind, DETECT_PYTHON);
	CHECK(py.info.interps && py.info.code_type);
}

/* --- results that hold for every process of an executable ------------------------------------- */

/* Finds the first shared interpreter here and the libpython that it links. */
static bool find_library(char *program, char *library, size_t size)
{
	_cleanup_(globfree) glob_t found, libraries = {};
	char pattern[512];

	find_pythons("3.1*", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		snprintf(program, size, "%s", found.gl_pathv[i]);
		snprintf(pattern, sizeof(pattern), "%.*s/lib/libpython3.1*.so.1*",
			 (int)(strlen(program) - strlen("/bin/python")), program);
		globfree(&libraries);
		if (glob(pattern, 0, NULL, &libraries))
			continue;
		snprintf(library, size, "%s", libraries.gl_pathv[0]);
		globfree(&libraries);
		return true;
	}
	return false;
}

/*
 * Starts a program that does nothing, with @library loaded as if the program had loaded it itself.
 */
static bool start_preloaded(struct child *c, const char *library)
{
	static const char *const argv[] = { "/bin/cat", NULL };
	char byte;
	bool good;

	setenv("LD_PRELOAD", library, 1);
	good = start(c, argv, false);
	unsetenv("LD_PRELOAD");
	return good && write(c->in, "x", 1) == 1 && read(c->out, &byte, 1) == 1;
}

TEST(result_of_a_static_python_is_reusable)
{
	_detect_ struct detect *d = detect_new();
	struct python py = {};
	struct err err;
	CHILD(child);

	if (!is_supported(start_python(&child, SYSTEM_PYTHON)))
		SKIP("no " SYSTEM_PYTHON " of version 3.6 to 3.13");
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_PYTHON);
	CHECK(py.agrees);
	CHECK(py.reusable);
	if (!py.program.debug)
		CHECK(!py.program.library && !py.program.id_len);
}

/* The library is located as the kernel will locate it: by build id and dynamic section. */
TEST(result_of_a_shared_python_is_reusable)
{
	char program[512], library[512];
	uint8_t id[WIRE_BUILD_ID] = {};
	_detect_ struct detect *d = detect_new();
	struct python py = {};
	struct err err;
	uint64_t debug = 0, tag = 0;
	CHILD(child);

	if (!find_library(program, library, sizeof(program)) ||
	    !is_supported(start_python(&child, program)))
		SKIP("no ~/.pyenv/versions/3.1* with a shared library");
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_PYTHON);
	CHECK(py.agrees);
	CHECK(py.reusable);
	CHECK_EQ(py.program.id_len, WIRE_BUILD_ID);
	CHECK(!rmem_read(child.pid, py.program.library + py.program.note, id, sizeof(id)));
	CHECK(!memcmp(id, py.program.id, sizeof(id)));
	CHECK(!rmem_read(child.pid, py.program.debug, &debug, sizeof(debug)) && debug);
	CHECK(!rmem_read(child.pid, py.program.library + py.program.dynamic, &tag, sizeof(tag)));
	CHECK_EQ(tag, DT_NEEDED);
}

/* The process loaded libpython itself; another process of the same executable may not load it. */
TEST(result_with_a_loaded_python_is_not_reusable)
{
	char program[512], library[512];
	_detect_ struct detect *d = detect_new();
	struct python py = {};
	struct err err;
	CHILD(child);

	if (!find_library(program, library, sizeof(program)) || !start_preloaded(&child, library))
		SKIP("no ~/.pyenv/versions/3.1* with a shared library");
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_PYTHON);
	CHECK_EQ(py.count, 1);
	CHECK(!py.reusable);
}

/* The executable's own interpreter could be found again, but threads may be in the other one. */
TEST(result_with_two_interpreters_is_not_reusable)
{
	char program[512], library[512];
	_detect_ struct detect *d = detect_new();
	struct python py = {};
	struct err err;
	uint32_t hex;
	CHILD(child);

	if (!find_library(program, library, sizeof(program)))
		SKIP("no ~/.pyenv/versions/3.1* with a shared library");
	setenv("LD_PRELOAD", library, 1);
	hex = start_python(&child, SYSTEM_PYTHON);
	unsetenv("LD_PRELOAD");
	if (!is_supported(hex))
		SKIP("no " SYSTEM_PYTHON " of version 3.6 to 3.13 that runs with a second one");
	CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_PYTHON);
	CHECK_EQ(py.count, 2);
	CHECK(!py.reusable);
}

static bool copy_file(const char *from, int to);

/* Copies a library and invalidates its build id note. */
static bool without_build_id(const char *from, int to)
{
	static const char note[] = "\4\0\0\0\x14\0\0\0\3\0\0\0GNU";
	char head[65536], *at;

	if (!copy_file(from, to) || pread(to, head, sizeof(head), 0) != sizeof(head))
		return false;
	at = memmem(head, sizeof(head), note, sizeof(note));
	return at && pwrite(to, "\x7f", 1, at + 8 - head) == 1;
}

TEST(result_without_a_build_id_is_not_reusable)
{
	char program[512], library[512], folder[] = "/tmp/krait-detect-XXXXXX", own[600];
	_detect_ struct detect *d = detect_new();
	struct python py = {};
	struct err err;
	bool good = false;
	uint32_t hex;
	CHILD(child);

	if (!find_library(program, library, sizeof(program)) || !mkdtemp(folder))
		SKIP("no ~/.pyenv/versions/3.1* with a shared library");
	snprintf(own, sizeof(own), "%s%s", folder, strrchr(library, '/'));
	{
		_close_ int fd = open(own, O_RDWR | O_CREAT | O_CLOEXEC, 0755);

		good = fd >= 0 && without_build_id(library, fd);
	}
	setenv("LD_LIBRARY_PATH", folder, 1);
	hex = good ? start_python(&child, program) : 0;
	unsetenv("LD_LIBRARY_PATH");
	if (hex) {
		CHECK_EQ(detect_process(d, child.pid, &py, &err), DETECT_PYTHON);
		CHECK(py.agrees);
		CHECK(!py.reusable);
	}
	unlink(own);
	rmdir(folder);
	if (!hex)
		SKIP("the library's build id is not at the usual place");
}

/* --- a deleted executable --------------------------------------------------------------------- */

static bool copy_file(const char *from, int to)
{
	_close_ int fd = open(from, O_RDONLY | O_CLOEXEC);
	char block[65536];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0)
		if (write(to, block, n) != n)
			return false;
	return fd >= 0 && !n && !fchmod(to, 0755);
}

TEST(deleted_executable)
{
	char path[] = "/tmp/krait-detect-XXXXXX";
	_detect_ struct detect *d = detect_new();
	uint32_t hex;
	CHILD(child);
	int fd;

	if (geteuid())
		SKIP("only root can open deleted files");
	if (access(SYSTEM_PYTHON, X_OK))
		SKIP("no " SYSTEM_PYTHON);
	fd = mkostemp(path, O_CLOEXEC);
	CHECK(copy_file(SYSTEM_PYTHON, fd));
	close(fd);
	setenv("PYTHONHOME", "/usr", 1);
	hex = start_python(&child, path);
	unsetenv("PYTHONHOME");
	unlink(path);
	if (!is_supported(hex))
		SKIP("no " SYSTEM_PYTHON " of version 3.6 to 3.13 that runs from another path");
	check_python(d, &child, hex);
}
