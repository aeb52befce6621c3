/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/term.h"

#include <sys/ioctl.h>

size_t term_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}
