/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/labels.h"

#include <string.h>

bool label_next(const char **at, struct label *ret)
{
	while (**at) {
		const char *line = *at;
		size_t len = strcspn(line, "\n"), key = strcspn(line, "=\n");

		*at = line + len + (line[len] == '\n');
		if (line[key] != '=' || !key)
			continue;
		*ret = (struct label){ line, line + key + 1, key, len - key - 1 };
		return true;
	}
	return false;
}
