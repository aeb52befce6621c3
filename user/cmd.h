/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, one file each (cmd_NAME.c). main.c lists them. */
#ifndef KRAIT_CMD_H
#define KRAIT_CMD_H

#include "cli.h"

extern const struct cli_cmd cmd_doctor, cmd_list, cmd_record;

/* A list of users by name or number, into a num_vec; each at most the row's max. */
extern const struct cli_kind cmd_user_list;
typedef num_vec cmd_user_list_field;

#endif
