/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads symbols, loaded bytes and needed libraries from a 64-bit ELF file. The file belongs to a
 * target, so it may be truncated, absurd, or change while it is read: reads go through pread (never
 * mmap, where a truncation would be a SIGBUS), and every offset and count is bounded.
 *
 * If the file cannot be opened (a user's FUSE mount, an overlay whose layers are gone), or if its
 * code has been moved to anonymous memory, the same is read from the memory of a process that has
 * it loaded. Memory has no sections, so only the symbols of .dynsym are found there, not those of
 * .symtab.
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
 * Takes over @fd (closed by elf_close(), and on failure). NULL with @err: not ELF, not 64-bit
 * little-endian, for another machine, truncated.
 */
struct elf_file *elf_open(int fd, struct err *err);
/* The same for a file of @machine (EM_AARCH64, ...) instead of this host's. */
struct elf_file *elf_open_for(int fd, uint16_t machine, struct err *err);
/*
 * Opens the file that process @pid has loaded; its first bytes are at address @start. NULL with
 * @err, as above. Valid until @pid executes another program.
 */
struct elf_file *elf_open_memory(pid_t pid, uint64_t start, struct err *err);
void elf_close(struct elf_file *e);
static inline void elf_closep(struct elf_file **e)
{
	elf_close(*e);
}
/* The machine of its code: EM_X86_64, EM_AARCH64, ... */
uint16_t elf_machine(const struct elf_file *e);

/* Closes the file; from now on only elf_bias() works. An elf_file opened from memory is not affected. */
void elf_detach(struct elf_file *e);

/*
 * Looks up @n names in .dynsym, then the missing ones in .symtab. Fills @ret[i] (value 0:
 * undefined). Names must be distinct and have 4 to 127 bytes. Returns the number of names found, or
 * -errno.
 */
int elf_symbols(struct elf_file *e, const char *const *names, struct elf_sym *ret, size_t n);
/* Address and size of the section @name. False: none. Memory has no sections. */
bool elf_section(struct elf_file *e, const char *name, struct elf_sym *ret);
/* Address and size of the table .eh_frame_hdr (PT_GNU_EH_FRAME). False: none. */
bool elf_eh_table(const struct elf_file *e, struct elf_sym *ret);
/* The part of a loaded segment that comes from the file. */
struct elf_segment {
	uint64_t vaddr, size; /* the sum does not overflow */
	uint64_t offset;      /* in the file */
	bool exec, write;
};
/* Segment number @i of the loaded ones, in the order of the file. False: there are fewer. */
bool elf_segment(const struct elf_file *e, size_t i, struct elf_segment *ret);
/*
 * From the first executable byte to the last, as loaded; between them may be other bytes of the same
 * file. False: nothing is executable.
 */
bool elf_code(const struct elf_file *e, struct elf_sym *ret);
/* Place of the section @name in the file. False: none, or one without bytes. Memory has no sections. */
bool elf_section_range(struct elf_file *e, const char *name, struct range *ret);
/* Symbol table number @i, .dynsym first. False: there are no more. */
bool elf_symtab(const struct elf_file *e, size_t i, struct symtab *ret);
/* The bytes that these two are places in. Valid as long as @e. */
const struct elf_source *elf_from(const struct elf_file *e);
/* Reads the loaded image at @vaddr. 0 or -errno (-EFAULT: not in a segment's file part). */
int elf_read(struct elf_file *e, uint64_t vaddr, void *buf, size_t len);
/*
 * Load bias for a mapping that starts at @start with file offset @offset: address = bias + vaddr. 0
 * or -ENOENT if no segment covers that offset. ET_EXEC gives bias 0. Reliable for the executable
 * mapping and the one with offset 0; other mappings may share their page of the file with a second
 * segment. For memory it is the known bias, and the arguments are ignored.
 */
int elf_bias(struct elf_file *e, uint64_t start, uint64_t offset, uint64_t *ret_bias);
/* Virtual addresses of the dynamic section and of the value of its DT_DEBUG entry; 0: none. */
void elf_dynamic(struct elf_file *e, uint64_t *ret_section, uint64_t *ret_debug);
/*
 * Gets the virtual address of the build id and its first @max bytes. Returns its length, at most
 * @max; 0: no build id is loaded.
 */
size_t elf_build_id(struct elf_file *e, uint8_t *id, size_t max, uint64_t *ret_address);
/* True if DT_NEEDED names a library that starts with @prefix ("libpython"). */
bool elf_needs(struct elf_file *e, const char *prefix);

#endif
