/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embed [-l] [-w] LIBPYTHON SCRIPT [ARGUMENT...]: a program with Python inside, which runs a script
 * as the command python would.
 *
 *	-l	loads libpython RTLD_LOCAL: extension modules do not find it, as in some plugins
 *	-w	says COMPUTING and computes, without Python, until a line comes on standard input;
 *		then it starts Python (and, if it loads libpython, it loads it only then)
 *
 * Built with -DLINKED it needs libpython as any program needs a library, and LIBPYTHON is not looked
 * at. No header of Python's is needed: what it calls has been the same since Python 3.2.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef void initialize(void);
typedef int run_string(const char *text, void *flags);
typedef int run_file(FILE *file, const char *name, int close, void *flags);
typedef int finalize(void);

struct python {
	initialize *start;
	run_string *run_string;
	run_file *run_file;
	finalize *end;
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
	*ret = (struct python){ Py_Initialize, PyRun_SimpleStringFlags, PyRun_SimpleFileExFlags,
				Py_FinalizeEx };
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
		fprintf(stderr, "embed: no line\n");
}

/* Paths of the tests have no quotes. */
static int run(const struct python *py, int argc, char **argv)
{
	char text[4096] = "import sys; sys.argv = [";
	FILE *script = fopen(argv[0], "r");
	int err;

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
	err = py->run_string(text, NULL) || py->run_file(script, argv[0], 1, NULL);
	return py->end() || err;
}

int main(int argc, char **argv)
{
	struct python py;
	int scope = RTLD_GLOBAL, i;
	bool wait = false;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-l"))
			scope = RTLD_LOCAL;
		else if (!strcmp(argv[i], "-w"))
			wait = true;
	}
	if (i + 1 >= argc)
		return 2;
	if (wait)
		compute();
	if (!load(argv[i], scope, &py))
		return 1;
	return run(&py, argc - i - 1, argv + i + 1);
}
