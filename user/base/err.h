/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error messages. Libraries return -errno and, where one number cannot tell the user what to do,
 * also fill a struct err; commands print it. A message reads
 * "module: 'object': cause; action".
 */
#ifndef KRAIT_ERR_H
#define KRAIT_ERR_H

struct err {
	int code; /* -errno, 0: nothing recorded */
	char text[500];
};

/* Stores @code and the message in @err (unless it is NULL) and returns @code. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
