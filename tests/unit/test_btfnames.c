/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in BTF files made by hand, cut and absurd ones among them, and in this kernel's. */
#include <linux/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "load/btfnames.h"
#include "tap.h"

#define _names_ _cleanup_(btfnames_freep)

static const char strings[] = "\0int\0bpf_task_from_pid\0BPF_FUNC_loop";

/* What is read from a file with this header and the first @len bytes of the strings. */
static struct btfnames *read_file(struct btf_header h, size_t len)
{
	char path[] = "/tmp/krait-btf-XXXXXX", gap[8] = "";
	int fd = mkstemp(path);
	struct btfnames *b;

	if (fd < 0 || write(fd, &h, sizeof(h)) != sizeof(h) || write(fd, gap, 8) != 8 ||
	    write(fd, strings, len) != (ssize_t)len)
		return NULL;
	close(fd);
	b = btfnames_read(path);
	unlink(path);
	return b;
}

static struct btf_header header(void)
{
	return (struct btf_header){ .magic = BTF_MAGIC,
				    .hdr_len = sizeof(struct btf_header),
				    .type_len = 8,
				    .str_off = 8,
				    .str_len = sizeof(strings) };
}

TEST(whole_names_only)
{
	_names_ struct btfnames *b = read_file(header(), sizeof(strings));
	char longest[200];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CHECK(b);
	CHECK(btfnames_has(b, "int"));
	CHECK(btfnames_has(b, "bpf_task_from_pid"));
	CHECK(btfnames_has(b, "BPF_FUNC_loop"));
	CHECK(!btfnames_has(b, "bpf_task_from"));
	CHECK(!btfnames_has(b, "task_from_pid"));
	CHECK(!btfnames_has(b, longest));
}

TEST(damaged_files)
{
	struct btf_header h = header();

	for (size_t len = 0; len < sizeof(strings); len++)
		CHECK(!read_file(h, len));
	h.magic = 1;
	CHECK(!read_file(h, sizeof(strings)));
	h = header();
	h.str_len = UINT32_MAX;
	CHECK(!read_file(h, sizeof(strings)));
	h = header();
	h.str_off = UINT32_MAX;
	CHECK(!read_file(h, sizeof(strings)));
	CHECK(!btfnames_read("/nowhere"));
	CHECK(!btfnames_read("/dev/null"));
}

TEST(of_this_kernel)
{
	_names_ struct btfnames *b = btfnames_read("/sys/kernel/btf/vmlinux");

	if (!b) {
		SKIP("no BTF here");
		return;
	}
	CHECK(btfnames_has(b, "task_struct"));
	CHECK(btfnames_has(b, "BPF_FUNC_map_lookup_elem"));
	CHECK(!btfnames_has(b, "no_such_name_in_any_kernel"));
}
