/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options and outputs of `krait report`, with real files: which errors it reports, in which
 * words, and that it writes nothing after an error.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/outputs.h"
#include "tap.h"

enum { ARGS_MAX = 16 };

/*
 * A temporary folder, made the current one, with one.krait, copy.krait, cut.krait, garbage, folder/
 * and link.krait.
 */
struct rig {
	char path[32];
	char *out, *err; /* the last run's output */
};

static void resolve(void *ctx, uint32_t id, struct frame *ret)
{
	*ret = (struct frame){ .name = id ? "serve" : "main", .file = "/srv/app.py", .line = 7 };
}

static void write_text(const char *name, const char *data, size_t len)
{
	_fclose_ FILE *to = fopen(name, "w");

	CHECK(to && fwrite(data, 1, len, to) == len);
}

/* 100 samples of main and 50 of serve, over ten seconds. */
static char *recording(size_t *len)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	struct stacks *s = stacks_new();
	const struct profile_meta meta = { .host = "h",
					   .mode = "cpu",
					   .event = "cpu-clock",
					   .unit = "samples",
					   .asked_hz = 99,
					   .seconds = 10 };
	uint32_t thread = profile_add_thread(p, profile_add_process(p, 41, "web"), 41, "web");
	uint32_t main_node = stacks_push(s, STACKS_ROOT, 0), serve = stacks_push(s, main_node, 1);
	struct err err = {};
	char *data = NULL;
	FILE *to = open_memstream(&data, len);

	profile_set_meta(p, &meta);
	profile_set_resolver(p, resolve, NULL);
	for (int i = 0; i < 10; i++) {
		profile_set_time(p, i * 1000000000ULL);
		profile_count(p, thread, main_node, 0, 10);
		profile_count(p, thread, serve, 0, 5);
	}
	CHECK_EQ(format_krait.write(p, s, &(struct format_opts){}, to, &err), 0);
	fclose(to);
	stacks_free(s);
	return data;
}

static void rig_init(struct rig *r)
{
	_free_ char *data = NULL;
	size_t len;

	*r = (struct rig){ .path = "/tmp/krait-test-XXXXXX" };
	CHECK(mkdtemp(r->path) && !chdir(r->path));
	data = recording(&len);
	write_text("one.krait", data, len);
	write_text("copy.krait", data, len);
	write_text("cut.krait", data, len / 2);
	write_text("garbage", "main;serve 5\n", 13);
	CHECK_EQ(mkdir("folder", 0700), 0);
	CHECK_EQ(symlink("one.krait", "link.krait"), 0);
}

static void rig_done(struct rig *r)
{
	char command[64];

	free(r->out);
	free(r->err);
	CHECK_EQ(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", r->path);
	CHECK_EQ(system(command), 0);
}
#define _rig_ _cleanup_(rig_done) struct rig

/* --- one run ---------------------------------------------------------------------------------- */

/* Redirects descriptor @fd to a file without a name; *@ret_was is a copy of the old descriptor. */
static int redirect(int fd, int *ret_was)
{
	int file = open(".", O_TMPFILE | O_RDWR, 0600);

	fflush(NULL);
	*ret_was = dup(fd);
	CHECK(file >= 0 && *ret_was >= 0 && dup2(file, fd) == fd);
	return file;
}

/* Undoes redirect(). Returns what was written; the caller frees it. */
static char *restore(int fd, int file, int was)
{
	off_t len;
	char *text;

	fflush(NULL);
	dup2(was, fd);
	close(was);
	len = lseek(file, 0, SEEK_END);
	text = calloc(len + 1, 1);
	CHECK(text && pread(file, text, len, 0) == len);
	close(file);
	return text;
}

static int run_here(const char *words)
{
	static const struct cli_cmd *const cmds[] = { &cmd_report, NULL };
	static const struct cli_prog krait = { .name = "krait", .version = "0", .cmds = cmds };
	char prog[] = "krait", *argv[ARGS_MAX] = { prog };
	char *line = strdup(words), *rest = line;
	int argc = 1, status;

	while (argc < ARGS_MAX - 1 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	status = cli_main(&krait, argc, argv, stdout, stderr);
	free(line);
	return status;
}

static int run(struct rig *r, const char *words)
{
	int out_was, err_was, status, out, err;

	free(r->out);
	free(r->err);
	out = redirect(STDOUT_FILENO, &out_was);
	err = redirect(STDERR_FILENO, &err_was);
	status = run_here(words);
	r->err = restore(STDERR_FILENO, err, err_was);
	r->out = restore(STDOUT_FILENO, out, out_was);
	return status;
}

static void expect(struct rig *r, const char *words, int want, const char *said)
{
	int status = run(r, words);

	CHECK_EQ(status, want);
	CHECK(strstr(r->err, said));
	if (status != want || !strstr(r->err, said))
		printf("# %s: %d, %s\n", words, status, r->err);
	if (want != CLI_DONE)
		CHECK_STR(r->out, "");
}

static void expect_usage(struct rig *r, const char *words, const char *said)
{
	expect(r, words, CLI_USAGE, said);
}

static void expect_failed(struct rig *r, const char *words, const char *said)
{
	expect(r, words, CLI_FAILED, said);
}

static void expect_table(struct rig *r, const char *words, const char *has)
{
	expect(r, words, CLI_DONE, "");
	CHECK(strstr(r->out, has));
	if (!strstr(r->out, has))
		printf("# %s: %s\n", words, r->out);
}

/* --- options ---------------------------------------------------------------------------------- */

TEST(table_is_the_default)
{
	_rig_ r;

	rig_init(&r);
	expect_table(&r, "report one.krait", "66.67  58.79..73.71");
	CHECK(strstr(r.out, "all: 150 samples, 100.00 % of all"));
	expect_table(&r, "report --by process one.krait", "web-41: 150 samples");
	expect_table(&r, "report --lines one.krait", "serve (srv/app.py:7)");
	expect_table(&r, "report --limit 1 one.krait", "and 1 more; --limit 2 shows them");
	expect_table(&r, "report --callers serve one.krait", "serve is in 33.33 % (");
	expect_table(&r, "report --source app.py one.krait", "/srv/app.py: 100.00 %");
	expect_table(&r, "report one.krait copy.krait", "all: 300 samples");
	expect_table(&r, "report -f folded one.krait",
		     "web-41;main (srv/app.py:7);serve (srv/app.py:7) 50");
	expect_table(&r, "report -f folded --where function=serve one.krait",
		     "serve (srv/app.py:7) 50");
}

TEST(invalid_numbers)
{
	_rig_ r;

	rig_init(&r);
	expect_usage(&r, "report --limit x one.krait", "--limit: 'x' is invalid; use 0 to 1000000");
	expect_usage(&r, "report --limit -1 one.krait", "--limit: '-1'");
	expect_usage(&r, "report --limit 1000001 one.krait", "--limit: '1000001'");
	expect_usage(&r, "report --limit 99999999999999999999 one.krait",
		     "--limit: '99999999999999999999'");
	expect_usage(&r, "report --limit= one.krait", "--limit: ''");
	expect_usage(&r, "report --limit 1e3 one.krait", "--limit: '1e3'");
	expect_usage(&r, "report --where time=x one.krait", "'time=x': not a range; use FROM..TO");
	expect_usage(&r, "report --where time=5s..2s one.krait", "'time=5s..2s': not a range");
}

TEST(wrong_options)
{
	_rig_ r;

	rig_init(&r);
	expect_usage(&r, "report --nonsense one.krait", "unknown option '--nonsense'");
	expect_usage(&r, "report -F 9 one.krait", "unknown option '-F'");
	expect_usage(&r, "report --lines=1 one.krait", "--lines takes no value");
	expect_usage(&r, "report one.krait --callers", "--callers");
	expect_usage(&r, "report --callers= one.krait", "--callers: ''");
	expect_usage(&r, "report --by weather one.krait",
		     "--by: 'weather' is invalid; use container");
	expect_usage(&r, "report --where weather=x one.krait",
		     "--where: 'weather=x' is invalid; use KEY=VALUE");
	expect_usage(&r, "report --where process one.krait", "--where: 'process' is invalid");
	expect_usage(&r, "report -f svg one.krait", "--format: 'svg' is invalid; use auto, table");
	expect_usage(&r, "report -o= one.krait -o", "-o");
}

TEST(contradicting_options)
{
	_rig_ r;

	rig_init(&r);
	expect_usage(&r, "report --callers a --callees b one.krait", "cannot be combined; use one");
	expect_usage(&r, "report --source a --callees b one.krait", "cannot be combined; use one");
	expect_usage(&r, "report --states --no-states one.krait",
		     "--states cannot be combined with --no-states");
	expect_usage(&r, "report --states -f folded one.krait", "--states applies to the table");
	expect_usage(&r, "report --by none,process one.krait", "--by: 'none' cannot be combined");
	expect_usage(&r, "report --by process,process one.krait", "--by: 'process' is given twice");
	expect_usage(&r, "report --lines -f folded one.krait",
		     "--lines applies to the table, which is not written");
	expect_usage(&r, "report --callers a -o x.folded one.krait",
		     "--callers applies to the table");
	expect_usage(&r, "report --limit 3 -o x.pb.gz -o x.html one.krait",
		     "--limit applies to the table");
	expect_table(&r, "report --limit 1 -o x.folded -o - one.krait", "and 1 more");
	CHECK_EQ(access("x.folded", F_OK), 0);
}

/* --- files ------------------------------------------------------------------------------------ */

TEST(invalid_inputs)
{
	_rig_ r;

	rig_init(&r);
	expect_usage(&r, "report", "missing FILE; 'krait record -o x.krait' writes one");
	expect_usage(&r, "report --limit 5", "missing FILE");
	expect_failed(&r, "report no.krait", "'no.krait': No such file or directory; name a file");
	expect_failed(&r, "report one.krait no.krait", "'no.krait': No such file");
	expect_failed(&r, "report folder", "'folder': Is a directory");
	expect_failed(&r, "report garbage",
		      "'garbage': not a krait recording; 'krait record -o x.krait' writes one");
	expect_failed(&r, "report /dev/null", "'/dev/null': not a krait recording");
	expect_failed(&r, "report /dev/zero", "'/dev/zero': not a krait recording");
	expect_failed(&r, "report one.krait ./one.krait",
		      "'one.krait' and './one.krait' are the same file; name it once");
	expect_failed(&r, "report link.krait copy.krait one.krait", "are the same file");
	expect(&r, "report cut.krait", CLI_FAILED, "'cut.krait'");
}

TEST(names_not_in_the_recording)
{
	_rig_ r;

	rig_init(&r);
	expect_failed(&r, "report --source no.py one.krait",
		      "--source: 'no.py': no samples in such a file");
	expect_failed(&r, "report --callers no one.krait",
		      "--callers: 'no': no samples in such a function");
	expect_failed(&r, "report --callees no --by process one.krait", "--callees: 'no'");
	expect(&r, "report --where process=no one.krait", CLI_DONE,
	       "krait: --where: no samples match");
}

TEST(impossible_outputs)
{
	_rig_ r;

	rig_init(&r);
	expect_failed(&r, "report -o folder one.krait", "output: 'folder': Is a directory");
	expect_failed(&r, "report -o no/x.folded one.krait",
		      "output: 'no/x.folded': No such file or directory");
	expect_failed(&r, "report -o x.folded -o ./x.folded one.krait",
		      "'x.folded' and './x.folded' are the same file");
	expect_failed(&r, "report -o - -o - one.krait", "are the same file; name it once");
	expect_failed(&r, "report -o /dev/full one.krait", "output: '/dev/full': No space left");
	CHECK_EQ(access("x.folded", F_OK), -1);
}

/* A recording may be written over its own input. */
TEST(recording_over_its_own_input)
{
	_rig_ r;

	rig_init(&r);
	expect(&r, "report --where function=serve -o one.krait one.krait", CLI_DONE,
	       "wrote one.krait");
	expect_table(&r, "report one.krait", "all: 50 samples");
}

/* --- cmd/outputs.h ---------------------------------------------------------------------------- */

static unsigned int format_named(const char *name)
{
	unsigned int i = 0;

	while (cmd_formats[i].name && strcmp(cmd_formats[i].name, name))
		i++;
	return i;
}

TEST(format_of_an_output)
{
	static const struct {
		const char *name;
		const struct format_ops *is;
	} names[] = { { "x.folded", &format_folded },
		      { "x.txt", &format_folded },
		      { "x.speedscope.json", &format_speedscope },
		      { "x.json", &format_speedscope },
		      { "x.pb.gz", &format_pprof },
		      { "x.jsonl", &format_jsonl },
		      { "x.html", &format_html },
		      { "x.report", &format_table },
		      { "x.krait", &format_krait },
		      { "dir.html/x", &format_table },
		      { "-", &format_table },
		      { "", &format_table } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(outputs_format(names[i].name, CMD_FORMAT_AUTO, &format_table) == names[i].is);
		CHECK(outputs_format(names[i].name, format_named("jsonl"), &format_table) ==
		      &format_jsonl);
	}
}

/* Standard output as a terminal with a given number of columns. */
struct terminal {
	int pty, tty, was;
};

static void terminal_init(struct terminal *t, unsigned short columns)
{
	const struct winsize size = { .ws_col = columns };

	t->pty = posix_openpt(O_RDWR | O_NOCTTY);
	t->was = dup(STDOUT_FILENO);
	CHECK(t->pty >= 0 && !grantpt(t->pty) && !unlockpt(t->pty));
	t->tty = open(ptsname(t->pty), O_RDWR | O_NOCTTY);
	fflush(stdout);
	CHECK(t->tty >= 0 && dup2(t->tty, STDOUT_FILENO) >= 0);
	CHECK_EQ(ioctl(t->tty, TIOCSWINSZ, &size), 0);
}

static void terminal_done(struct terminal *t)
{
	fflush(stdout);
	dup2(t->was, STDOUT_FILENO);
	close(t->was);
	close(t->tty);
	close(t->pty);
}

static int add_to_terminal(const char *format, struct err *err)
{
	_cleanup_(outputs_done) outputs list = {};
	struct terminal t;
	int code;

	terminal_init(&t, 0);
	code = outputs_add(&list, "-", true, format_named(format), &format_table, err);
	if (!code)
		code = outputs_check(&list, err);
	terminal_done(&t);
	return code;
}

TEST(no_binary_for_a_terminal)
{
	struct err err = {};

	CHECK_EQ(add_to_terminal("table", &err), 0);
	CHECK_EQ(add_to_terminal("pprof", &err), -EINVAL);
	CHECK(strstr(err.text, "refusing to write binary pprof to a terminal; use -o FILE"));
	CHECK_EQ(add_to_terminal("krait", &err), -EINVAL);
}

static const struct format_ops *format_of_stdout(const char *format)
{
	_cleanup_(outputs_done) outputs list = {};
	struct err err = {};

	CHECK_EQ(outputs_add_stdout(&list, format_named(format), &err), 0);
	return list.at[0].ops;
}

TEST(a_terminal_gets_a_table)
{
	_rig_ r;
	const struct format_ops *piped, *shown, *chosen;
	struct terminal t;
	int file, was;

	rig_init(&r);
	file = redirect(STDOUT_FILENO, &was);
	piped = format_of_stdout("auto");
	free(restore(STDOUT_FILENO, file, was));
	terminal_init(&t, 0);
	shown = format_of_stdout("auto");
	chosen = format_of_stdout("folded");
	terminal_done(&t);
	CHECK(piped == &format_folded && shown == &format_table && chosen == &format_folded);
}

static const char *contents(const char *name, char *text, size_t size)
{
	_fclose_ FILE *from = fopen(name, "r");

	text[from ? fread(text, 1, size - 1, from) : 0] = '\0';
	return text;
}

/* Names in a file are not cut: the file may be read on any terminal. */
TEST(only_a_terminal_cuts_names)
{
	static const char name[] = "serve (/srv/app.py:7)";
	char shown[4096] = "", kept[4096];
	struct terminal t;
	_rig_ r;
	int file, was;

	rig_init(&r);
	terminal_init(&t, 60);
	file = redirect(STDERR_FILENO, &was);
	CHECK_EQ(run_here("report --lines --full-paths one.krait -o x.report -o -"), 0);
	free(restore(STDERR_FILENO, file, was));
	CHECK(read(t.pty, shown, sizeof(shown) - 1) > 0);
	terminal_done(&t);
	CHECK(strstr(contents("x.report", kept, sizeof(kept)), name));
	CHECK(strstr(shown, " serve (/srv/app.py:7\r\n") || !printf("# %s\n", shown));
}
