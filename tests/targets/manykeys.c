/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manykeys LIBPYTHON ARGV0 ARGS...: a program that embeds Python. It makes 40 pthread keys first,
 * so that Python's own key is beyond the 32 that glibc keeps inside the thread descriptor, and then
 * loads libpython. The other arguments are passed to Python.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum { KEYS = 40, MAX_ARGS = 16 };

typedef int main_bytes(int argc, char **argv);
typedef int main_wide(int argc, wchar_t **argv);
typedef wchar_t *decode(const char *text, size_t *len);

static int run_wide(void *lib, int argc, char **argv)
{
	main_wide *run = (main_wide *)dlsym(lib, "Py_Main");
	decode *widen = (decode *)dlsym(lib, "Py_DecodeLocale");
	wchar_t *wide[MAX_ARGS + 1] = { NULL };

	if (!run || !widen || argc > MAX_ARGS)
		return 2;
	for (int i = 0; i < argc; i++)
		wide[i] = widen(argv[i], NULL);
	return run(argc, wide);
}

int main(int argc, char **argv)
{
	pthread_key_t key;
	main_bytes *run;
	void *lib;

	if (argc < 3)
		return 2;
	for (int i = 0; i < KEYS; i++)
		if (pthread_key_create(&key, NULL))
			return 2;
	lib = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	run = (main_bytes *)dlsym(lib, "Py_BytesMain");
	return run ? run(argc - 2, argv + 2) : run_wide(lib, argc - 2, argv + 2);
}
