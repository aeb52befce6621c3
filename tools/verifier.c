/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verifier OBJECT: loads each BPF program of the object alone and prints "PROGRAM INSNS", the
 * number of instructions that the kernel's verifier processed. Needs root.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static int show(const char *object, const char *name)
{
	static char log[1 << 20];
	struct bpf_object *obj = bpf_object__open_file(object, NULL);
	struct bpf_program *prog;
	const char *said;
	long insns;

	if (!obj)
		return -1;
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	prog = bpf_object__find_program_by_name(obj, name);
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 4); /* statistics only */
	if (bpf_object__load(obj)) {
		fprintf(stderr, "verifier: '%s' does not load: %s\n", name, strerror(errno));
		return -1;
	}
	said = strstr(log, "processed ");
	if (!said || sscanf(said, "processed %ld insns", &insns) != 1)
		return -1;
	printf("%s %ld\n", name, insns);
	bpf_object__close(obj);
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct bpf_program *prog;

	libbpf_set_print(silent);
	obj = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
	if (!obj) {
		fprintf(stderr, "usage: verifier OBJECT\n");
		return 2;
	}
	bpf_object__for_each_program(prog,
				     obj) if (show(argv[1], bpf_program__name(prog))) return 1;
	return 0;
}
