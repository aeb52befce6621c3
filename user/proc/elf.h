/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what krait needs from a 64-bit ELF file: symbols, loaded bytes, needed libraries. The file
 * belongs to a target, so it may be truncated, absurd, or change while it is read: reads go through
 * pread (never mmap, a truncation would be a SIGBUS), every offset and count is bounded.
 *
 * Where nobody may open the file (a user's FUSE mount, an overlay whose layers are gone), or where what was
 * mapped has been moved to other memory, the same is read from the memory of a process that has it loaded.
 * There are no sections then, and so no .symtab: what .dynsym defines is found.
 */
#ifndef KRAIT_ELF_H
#define KRAIT_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "proc/symtab.h"

struct elf_file;

/*
 * Takes @fd (closed by elf_close(), and on failure). NULL with @err: not ELF, not 64-bit
 * little-endian, of another machine than ours, truncated.
 */
struct elf_file *elf_open(int fd, struct err *err);
/*
 * What process @pid has loaded at @start, which is where the first bytes of the file are. NULL with @err,
 * as above. It is as good as @pid is not executing something else.
 */
struct elf_file *elf_open_memory(pid_t pid, uint64_t start, struct err *err);
void elf_close(struct elf_file *e);
static inline void elf_closep(struct elf_file **e)
{
	elf_close(*e);
}
/* Whose code is in it: EM_X86_64, EM_AARCH64, ... */
uint16_t elf_machine(const struct elf_file *e);

/* Closes the descriptor, so that the file may go: from now on only elf_bias() works. Of memory all goes on. */
void elf_detach(struct elf_file *e);

/*
 * Looks up @n names in one pass over .dynsym, and over .symtab for those still missing. Fills
 * @ret[i] (value 0 where undefined). Names are distinct and have 4 to 127 bytes. Returns how many
 * were found, or -errno.
 */
int elf_symbols(struct elf_file *e, const char *const *names, struct elf_sym *ret, size_t n);
/* Has the file, not the memory, a section of that name? Names are at most 31 bytes. */
bool elf_has_section(struct elf_file *e, const char *name);
/* Bytes of the loaded image at virtual address @vaddr, from the file. 0 or -errno (-EFAULT: not in a segment's file part). */
int elf_read(struct elf_file *e, uint64_t vaddr, void *buf, size_t len);
/*
 * Load bias for a mapping that starts at @start with file offset @offset: address = bias + vaddr.
 * 0 or -ENOENT if no segment covers that offset. ET_EXEC gives 0. Sure for the executable mapping
 * and the one with offset 0; others may share their page of the file with a second segment. Of what was
 * read from memory it is the bias there, whatever is asked.
 */
int elf_bias(struct elf_file *e, uint64_t start, uint64_t offset, uint64_t *ret_bias);
/* Virtual addresses of the dynamic section and of the value of its entry DT_DEBUG; 0: there is none. */
void elf_dynamic(struct elf_file *e, uint64_t *ret_section, uint64_t *ret_debug);
/*
 * The build id: its virtual address and the first @max bytes of it. Returns how many bytes it has, at
 * most @max; 0: there is none that is loaded.
 */
size_t elf_build_id(struct elf_file *e, uint8_t *id, size_t max, uint64_t *ret_address);
/* True if DT_NEEDED names a library that starts with @prefix ("libpython"). */
bool elf_needs(struct elf_file *e, const char *prefix);

#endif
