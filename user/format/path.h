/* SPDX-License-Identifier: BSD-2-Clause */
/* What the path of a source file tells: what modules people know it by, and whose code it is. */
#ifndef KRAIT_FORMAT_PATH_H
#define KRAIT_FORMAT_PATH_H

/*
 * The part of @path that tells modules apart, a pointer into it: what follows the last
 * site-packages, dist-packages or standard library directory, else the last two components.
 */
const char *path_short(const char *path);

/* Whose code a file is, by its path. */
enum path_origin {
	PATH_OWN,    /* of the program */
	PATH_STDLIB, /* Python's own */
	PATH_SITE,   /* of an installed package */
};
enum path_origin path_origin(const char *path);

#endif
