/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, one file each (cmd_NAME.c). main.c lists them. */
#ifndef KRAIT_CMD_H
#define KRAIT_CMD_H

#include "cli.h"

extern const struct cli_cmd cmd_record;

#endif
