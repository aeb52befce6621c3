/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embed [-l] [-w] [-t] LIBPYTHON SCRIPT [ARGUMENT...]: a program that embeds Python and runs a
 * script as the python command would.
 *
 *	-l	loads libpython with RTLD_LOCAL, as some plugin hosts do: extension modules cannot
 *		find its symbols
 *	-w	prints COMPUTING and computes without Python until a line arrives on standard input;
 *		only then loads libpython (unless it is linked) and starts Python
 *	-t	starts Python in one thread and runs the script in another, with the same thread
 *		state
 *
 * Built with -DLINKED it is linked against libpython like any program, and ignores LIBPYTHON. It
 * needs no Python header: the functions it calls have not changed since Python 3.2.
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef void initialize(void);
typedef int run_string(const char *text, void *flags);
typedef int run_file(FILE *file, const char *name, int close, void *flags);
typedef int finalize(void);
typedef void *save(void);
typedef void use(void *state);

struct python {
	initialize *start;
	run_string *run_string;
	run_file *run_file;
	finalize *end;
	save *save; /* set if the script may run in another thread */
	use *use;
};

#ifdef LINKED
extern initialize Py_Initialize;
extern run_string PyRun_SimpleStringFlags;
extern run_file PyRun_SimpleFileExFlags;
extern finalize Py_FinalizeEx;

static bool load(const char *path, int scope, struct python *ret)
{
	(void)path;
	(void)scope;
	*ret = (struct python){ Py_Initialize,
				PyRun_SimpleStringFlags,
				PyRun_SimpleFileExFlags,
				Py_FinalizeEx,
				NULL,
				NULL };
	return true;
}
#else
static bool load(const char *path, int scope, struct python *ret)
{
	void *lib = dlopen(path, RTLD_NOW | scope);

	if (!lib) {
		fprintf(stderr, "embed: %s\n", dlerror());
		return false;
	}
	ret->start = (initialize *)dlsym(lib, "Py_Initialize");
	ret->run_string = (run_string *)dlsym(lib, "PyRun_SimpleStringFlags");
	ret->run_file = (run_file *)dlsym(lib, "PyRun_SimpleFileExFlags");
	ret->end = (finalize *)dlsym(lib, "Py_FinalizeEx");
	ret->save = (save *)dlsym(lib, "PyEval_SaveThread");
	ret->use = (use *)dlsym(lib, "PyEval_AcquireThread");
	return ret->start && ret->run_string && ret->run_file && ret->end;
}
#endif

static void compute(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	volatile unsigned long sum = 0;
	char line[64];

	printf("COMPUTING\n");
	fflush(stdout);
	while (!poll(&in, 1, 0))
		for (int i = 0; i < 100000; i++)
			sum += i;
	if (!fgets(line, sizeof(line), stdin))
		fprintf(stderr, "embed: no line on standard input\n");
}

struct script {
	const struct python *py;
	const char *text, *path;
	FILE *file;
	void *state; /* NULL: the current thread's own */
	int err;
};

static void *run_script(void *arg)
{
	struct script *s = arg;

	if (s->state)
		s->py->use(s->state);
	s->err = s->py->run_string(s->text, NULL) || s->py->run_file(s->file, s->path, 1, NULL);
	return s;
}

/* Meanwhile the thread that made the state waits, so no other thread gets the id in the state. */
static void run_elsewhere(struct script *s)
{
	void (*threads)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "PyEval_InitThreads");
	pthread_t thread;

	if (threads)
		threads(); /* up to 3.6 there is no GIL before this call */
	s->state = s->py->save();
	if (!pthread_create(&thread, NULL, run_script, s))
		pthread_join(thread, NULL);
}

/* Calls that have ended leave their words below the stack pointer, where the next calls may keep them. */
__attribute__((noinline)) static void wipe(void)
{
	char below[1 << 16];

	memset(below, 0, sizeof(below));
	__asm__ volatile("" : : "r"(below) : "memory"); /* not in vain, compiler */
}

/* Does not quote its arguments: paths in the tests contain no quotes. */
static int run(const struct python *py, int argc, char **argv, bool elsewhere)
{
	char text[4096] = "import sys; sys.argv = [";
	FILE *script = fopen(argv[0], "r");
	struct script s = { .py = py, .text = text, .path = argv[0], .file = script };

	if (!script) {
		perror(argv[0]);
		return 1;
	}
	for (int i = 0; i < argc; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "'%s', ", argv[i]);
	}
	strncat(text, "]", sizeof(text) - strlen(text) - 1);
	py->start();
	if (elsewhere)
		run_elsewhere(&s);
	else
		run_script(&s);
	wipe(); /* what runs at the end runs as in a program that never was in the interpreter's loop */
	return py->end() || s.err;
}

int main(int argc, char **argv)
{
	struct python py;
	int scope = RTLD_GLOBAL, i;
	bool wait = false, elsewhere = false;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-l"))
			scope = RTLD_LOCAL;
		else if (!strcmp(argv[i], "-w"))
			wait = true;
		else if (!strcmp(argv[i], "-t"))
			elsewhere = true;
	}
	if (i + 1 >= argc)
		return 2;
	if (wait)
		compute();
	if (!load(argv[i], scope, &py))
		return 1;
	return run(&py, argc - i - 1, argv + i + 1, elsewhere);
}
