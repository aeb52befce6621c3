/* SPDX-License-Identifier: BSD-2-Clause */
/* The short, module-like form of a source file's path, and whose code the file is. */
#ifndef KRAIT_FORMAT_PATH_H
#define KRAIT_FORMAT_PATH_H

/*
 * The part of @path that identifies the module, as a pointer into it: what follows the last
 * site-packages, dist-packages or standard library directory, else the last two components.
 */
const char *path_short(const char *path);

/* Whose code a file is, by its path. */
enum path_origin {
	PATH_OWN,    /* the program's own code */
	PATH_STDLIB, /* Python's standard library */
	PATH_SITE,   /* an installed package */
};
enum path_origin path_origin(const char *path);

#endif
