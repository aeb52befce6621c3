/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands, each in a folder of its own: NAME/NAME.c has the option rows, NAME/NAME.man the further prose of
 * its manual page. main.c lists the commands.
 */
#ifndef KRAIT_CMD_H
#define KRAIT_CMD_H

#include "cli/cli.h"

extern const struct cli_cmd cmd_doctor, cmd_dump, cmd_list, cmd_record, cmd_report;

/* The choices of --by: enum dim, then "none". */
extern const struct cli_term cmd_bys[];
/* Completes the list of --by: an empty one becomes "process", "none" becomes empty. 0 or -errno with @err. */
int cmd_check_by(cli_picks *by, struct err *err);

/*
 * Options that choose processes, the same in all commands: rows for a struct @type with the fields num_vec
 * pids, num_vec uids and cli_names comms. @heading is their heading in the help.
 */
enum { CMD_PID_LIMIT = 4194304 }; /* PID_MAX_LIMIT of a 64-bit kernel */

#define CMD_ROW_PID(type, heading)                                                                 \
	{                                                                                          \
		.group = (heading), .name = "pid", .letter = 'p', .metavar = "LIST",               \
		.help = "only these processes", .expand = CLI_PIDS, .min = 1,                      \
		.max = CMD_PID_LIMIT, CLI_FIELD(uint_list, type, pids)                             \
	}
#define CMD_ROW_COMM(type)                                                                         \
	{                                                                                          \
		.name = "comm", .metavar = "LIST",                                                 \
		.help = "only processes with these names (comm, at most 15 bytes)", .min = 1,      \
		.max = 15, CLI_FIELD(name_list, type, comms)                                       \
	}
#define CMD_ROW_UID(type)                                                                          \
	{                                                                                          \
		.name = "uid", .metavar = "LIST",                                                  \
		.help = "only processes of these users (name or number)", .expand = CLI_USERS,     \
		.max = UINT32_MAX - 1, CLI_FIELD(user_list, type, uids)                            \
	}
/* The same for the fields cli_names containers, pods, units and cgroups; @more ends the help of the first. */
#define CMD_ROW_CONTAINER(type, more)                                                              \
	{                                                                                          \
		.name = "container", .metavar = "LIST",                                            \
		.help = "only these containers, by name or ID prefix" more, .min = 1, .max = 255,  \
		CLI_FIELD(name_list, type, containers)                                             \
	}
#define CMD_ROW_POD(type)                                                                          \
	{                                                                                          \
		.name = "pod", .metavar = "LIST",                                                  \
		.help = "only these Kubernetes pods, as NAMESPACE/NAME", .min = 3, .max = 320,     \
		CLI_FIELD(name_list, type, pods)                                                   \
	}
#define CMD_ROW_UNIT(type)                                                                         \
	{                                                                                          \
		.name = "unit", .metavar = "LIST", .help = "only these systemd units", .min = 1,   \
		.max = 255, CLI_FIELD(name_list, type, units)                                      \
	}
#define CMD_ROW_CGROUP(type)                                                                       \
	{                                                                                          \
		.name = "cgroup", .metavar = "LIST",                                               \
		.help = "only these cgroups and their descendants, by path in the hierarchy or "   \
			"below its mount point",                                                   \
		.expand = CLI_DIRECTORIES, .min = 1, .max = 4095,                                  \
		CLI_FIELD(name_list, type, cgroups)                                                \
	}

/* Of such options: the fields of struct survey_opts that say who is chosen. */
#define CMD_WHO(o)                                                                                 \
	.pids = (o)->pids.at, .npids = (o)->pids.len, .uids = (o)->uids.at,                        \
	.nuids = (o)->uids.len, .comms = (const char *const *)(o)->comms.at,                       \
	.ncomms = (o)->comms.len
/* The initializer of a struct places_opts. */
#define CMD_PLACES(o)                                                                              \
	{                                                                                          \
		.containers = (o)->containers.at, .ncontainers = (o)->containers.len,              \
		.pods = (o)->pods.at, .npods = (o)->pods.len, .units = (o)->units.at,              \
		.nunits = (o)->units.len, .cgroups = (o)->cgroups.at,                              \
		.ncgroups = (o)->cgroups.len,                                                      \
	}

/*
 * Options for output, the same in all commands: rows for a struct @type with the fields cli_words outputs,
 * unsigned format, cli_picks by, bool no_lines, no_states and full_paths. @other: the default, as help shows it.
 */
#define CMD_ROW_OUTPUT(type, heading, other)                                                       \
	{                                                                                          \
		.group = (heading), .name = "output", .letter = 'o', .metavar = "FILE",            \
		.help = "write to FILE, in the format of its extension (.gz compresses); - is "    \
			"standard output; repeatable",                                             \
		.zero = (other), .expand = CLI_FILES, .min = 1, .max = 4095,                       \
		CLI_FIELD(strings, type, outputs)                                                  \
	}
#define CMD_ROW_FORMAT(type)                                                                       \
	{                                                                                          \
		.name = "format", .letter = 'f', .metavar = "NAME",                                \
		.help = "output format; auto: from the file extension", .choices = cmd_formats,    \
		CLI_FIELD(choice, type, format)                                                    \
	}
#define CMD_ROW_BY(type, text, other)                                                              \
	{                                                                                          \
		.name = "by", .metavar = "LIST", .help = (text), .choices = cmd_bys,               \
		.zero = (other), CLI_FIELD(choice_list, type, by)                                  \
	}
#define CMD_ROW_NO_LINES(type)                                                                     \
	{                                                                                          \
		.name = "no-lines", .help = "omit line numbers", CLI_FIELD(flag, type, no_lines)   \
	}
#define CMD_ROW_NO_STATES(type)                                                                    \
	{                                                                                          \
		.name = "no-states",                                                               \
		.help = "omit what threads wait for, frames such as [futex], and the columns of "  \
			"the table that divide a share",                                           \
		CLI_FIELD(flag, type, no_states)                                                   \
	}
#define CMD_ROW_FULL_PATHS(type)                                                                   \
	{                                                                                          \
		.name = "full-paths", .help = "show full paths of files",                          \
		CLI_FIELD(flag, type, full_paths)                                                  \
	}

#endif
