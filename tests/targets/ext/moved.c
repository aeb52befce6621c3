/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded: replaces the mappings of the file that contains CPython's interpreter by anonymous
 * memory at the same addresses, as programs do to get huge pages for their code. $MOVED: "text"
 * replaces executable mappings only, "all" also data.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PIECES = 32 };

struct piece {
	unsigned long start, end;
	char perms[5], path[512];
};

/* Finds the mappings of @path, or if that is NULL, the one with @address. Returns their number. */
static int find(const char *path, uintptr_t address, struct piece *ret)
{
	char line[1024];
	struct piece p;
	int n = 0;
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && n < PIECES && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %4s %*x %*s %*u %511s", &p.start, &p.end, p.perms,
			   p.path) != 4)
			continue;
		if (path ? !strcmp(p.path, path) : address >= p.start && address < p.end)
			ret[n++] = p;
	}
	if (f)
		fclose(f);
	return n;
}

static void move(const struct piece *p)
{
	size_t len = p->end - p->start;
	int prot = (p->perms[0] == 'r' ? PROT_READ : 0) | (p->perms[1] == 'w' ? PROT_WRITE : 0) |
		   (p->perms[2] == 'x' ? PROT_EXEC : 0);
	void *copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED || !(prot & PROT_READ))
		return;
	memcpy(copy, (void *)p->start, len);
	if (mprotect(copy, len, prot) ||
	    mremap(copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)p->start) == MAP_FAILED)
		abort();
}

__attribute__((constructor)) static void start(void)
{
	const char *what = getenv("MOVED");
	void *eval = dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault");
	struct piece own, all[PIECES];
	bool text;
	int n;

	if (!what || !eval || !find(NULL, (uintptr_t)eval, &own))
		return;
	text = !strcmp(what, "text");
	n = find(own.path, 0, all);
	for (int i = 0; i < n; i++)
		if (!text || all[i].perms[2] == 'x')
			move(&all[i]);
}
