/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * two LIBPYTHON SCRIPT LIBPYTHON SCRIPT: two interpreters in one process, each in a library of its
 * own that cannot see the other's symbols. The first runs its script in the main thread, the second
 * in another one. Scripts of the first may call beside(TEXT), which runs TEXT in the second: then
 * one thread has frames of both.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

/* CPython's PyMethodDef; its layout is part of the stable ABI. */
struct method {
	const char *name;
	void *(*call)(void *self, void *arg);
	int flags;
	const char *doc;
};
enum { METH_O = 8 };

struct python {
	const char *script;
	void (*initialize)(int signals);
	int (*run)(const char *text);
	int (*ensure)(void);
	void (*release)(int state);
	void *(*add_module)(const char *name);
	void *(*module_dict)(void *module);
	int (*set_item)(void *dict, const char *key, void *value);
	void *(*function)(struct method *m, void *self, void *module);
	char *(*text)(void *str);
	void *(*none)(void); /* returns a new object, for callers that ignore it */
};

static struct python pythons[2];
static sem_t second_is_there;

static void *find(void *lib, const char *name)
{
	void *found = dlsym(lib, name);

	if (!found)
		fprintf(stderr, "two: %s: symbol not found\n", name);
	return found;
}

static int load(struct python *p, const char *path, const char *script)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		return 0;
	}
	p->script = script;
	p->initialize = find(lib, "Py_InitializeEx");
	p->run = find(lib, "PyRun_SimpleString");
	p->ensure = find(lib, "PyGILState_Ensure");
	p->release = find(lib, "PyGILState_Release");
	p->add_module = find(lib, "PyImport_AddModule");
	p->module_dict = find(lib, "PyModule_GetDict");
	p->set_item = find(lib, "PyDict_SetItemString");
	p->function = find(lib, "PyCFunction_NewEx");
	p->none = find(lib, "PyDict_New");
	p->text = dlsym(lib, "PyUnicode_AsUTF8"); /* 2.7 lacks it, but is never the first */
	return p->initialize && p->run && p->ensure && p->release;
}

static void *beside(void *self, void *arg)
{
	struct python *other = &pythons[1];
	int state = other->ensure();

	other->run(pythons[0].text(arg));
	other->release(state);
	return pythons[0].none();
}

static int run(struct python *p)
{
	char text[4096];

	snprintf(text, sizeof(text), "exec(compile(open('%s').read(), '%s', 'exec'))", p->script,
		 p->script);
	return p->run(text);
}

static void *run_second(void *arg)
{
	pythons[1].initialize(0);
	sem_post(&second_is_there);
	run(&pythons[1]);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct method method = { "beside", beside, METH_O, NULL };
	struct python *first = &pythons[0];
	pthread_t thread;

	if (argc != 5 || !load(first, argv[1], argv[2]) || !load(&pythons[1], argv[3], argv[4]))
		return 2;
	first->initialize(0);
	first->set_item(first->module_dict(first->add_module("__main__")), "beside",
			first->function(&method, NULL, NULL));
	if (sem_init(&second_is_there, 0, 0) || pthread_create(&thread, NULL, run_second, NULL))
		return 2;
	sem_wait(&second_is_there);
	return run(first);
}
