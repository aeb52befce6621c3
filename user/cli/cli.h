/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line as const rows: a program has commands, a command has options, an option has a
 * kind and the field that it sets. Help, manual pages, completion, defaults and error messages are
 * all generated from these rows, so they cannot disagree.
 *
 *   cli_prog --> cli_cmd --> cli_opt --> cli_kind
 *                   |            `-----> field in the command's options struct
 *                   `-- defaults, check, run
 *
 * Commands and long options must be given in full: a script with an abbreviation would break when
 * another name with the same beginning is added.
 */
#ifndef KRAIT_CLI_H
#define KRAIT_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/vec.h"

/* Exit status of the process; scripts rely on it. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_UNABLE = 3, /* missing privilege or kernel support */
};

struct cli_opt;

/* A kind of option: how its value is parsed and shown. Comments below give the type of the field it sets. */
struct cli_kind {
	bool value;  /* takes a value */
	bool bounds; /* help shows the allowed values */
	/*
	 * Parses @text (NULL without a value) into @field. 0 or -errno; @err is set only if the cause is
	 * something other than a value that is not allowed.
	 */
	int (*parse)(const struct cli_opt *o, const char *text, void *field, struct err *err);
	/* Describes the allowed values ("1 to 9"). NULL: any value. */
	void (*allowed)(const struct cli_opt *o, struct buf *out);
	/* The field as text, to show the default. NULL: no default to show. */
	void (*show)(const struct cli_opt *o, const void *field, struct buf *out);
	/* Frees what the field owns, not the field itself. NULL: it owns nothing. */
	void (*done)(void *field);
};

/* Strings owned by the vector. */
typedef VEC(char *) cli_names;
/* Pointers into argv. */
typedef VEC(const char *) cli_words;
/* Indices into the row's choices. */
typedef VEC(unsigned int) cli_picks;

extern const struct cli_kind cli_flag;     /* bool */
extern const struct cli_kind cli_count;    /* unsigned int: how many times it was given */
extern const struct cli_kind cli_uint;     /* uint64_t, min..max */
extern const struct cli_kind cli_size;     /* uint64_t bytes, min..max */
extern const struct cli_kind cli_duration; /* uint64_t ns, min..max or NUM_UNLIMITED */
extern const struct cli_kind cli_string;   /* const char * into argv, of min..max bytes */
extern const struct cli_kind cli_strings;  /* cli_words: likewise, one for each time it is given */
extern const struct cli_kind cli_choice;   /* unsigned int: index into choices */
/* Lists are comma-separated, and options with lists may be repeated. */
extern const struct cli_kind cli_uint_list;   /* num_vec, each min..max */
extern const struct cli_kind cli_name_list;   /* cli_names, each of min..max bytes */
extern const struct cli_kind cli_choice_list; /* cli_picks, in the order given, no duplicates */
extern const struct cli_kind
	cli_user_list; /* num_vec of uids, by name or number, each at most max */

typedef bool cli_flag_field;
typedef unsigned int cli_count_field;
typedef uint64_t cli_uint_field;
typedef uint64_t cli_size_field;
typedef uint64_t cli_duration_field;
typedef const char *cli_string_field;
typedef cli_words cli_strings_field;
typedef unsigned int cli_choice_field;
typedef num_vec cli_uint_list_field;
typedef cli_names cli_name_list_field;
typedef cli_picks cli_choice_list_field;
typedef num_vec cli_user_list_field;

/* A choice, signal, exit status or example, with its description. */
struct cli_term {
	const char *name;
	const char *help;
};

/* How shells complete a value. */
enum cli_value { CLI_ANYTHING, CLI_FILES, CLI_DIRECTORIES, CLI_USERS, CLI_PIDS };

struct cli_opt {
	const char *name;  /* long, without dashes; NULL ends the rows */
	char letter;       /* 0: none */
	char alias_letter; /* 0: none */
	const char *alias; /* NULL: none */
	const char *metavar;
	const char *help;      /* starts in lower case, no full stop */
	const char *group;     /* heading above this and the following rows; NULL: no new heading */
	const char *zero;      /* text for the default if that is 0 or empty */
	enum cli_value expand; /* how to complete the value, unless there are choices */
	const struct cli_kind *kind;
	size_t at; /* offset of the field */
	uint64_t min, max;
	const struct cli_term *choices; /* ends with a NULL name */
};

/* ".kind = ..., .at = ..." of an option row; does not compile if the field's type does not fit the kind. */
#define CLI_FIELD(k, type, field) CLI_FIELD_OF(cli_##k, cli_##k##_field, type, field)
#define CLI_FIELD_OF(k, k_field, type, field)                                                      \
	.kind = &(k),                                                                              \
	.at = offsetof(type, field) +                                                              \
	      0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->field),         \
							   k_field)                                \
				      ? 1                                                          \
				      : -1])

struct cli_cmd {
	const char *name;
	const char *usage;       /* what follows the name in the synopsis */
	const char *summary;     /* one line, no full stop */
	const char *const *text; /* paragraphs of the man page, NULL-terminated */
	const struct cli_opt *opts;
	size_t opts_size;     /* of the options struct */
	const void *defaults; /* an options struct; its lists must be empty */
	/*
	 * Metavariable of the words after -- ("CMD"). They are stored as a NULL-terminated char ** into argv
	 * in the field at offset words_at, which is not changed without --. NULL: the command takes no words.
	 */
	const char *words;
	bool words_bare; /* words may also precede, follow and mix with options, without -- */
	size_t words_at;
	/* Checks combinations of options. 0 or -EINVAL with @err; may complete @opts. NULL: nothing to check. */
	int (*check)(void *opts, struct err *err);
	/* Prints its own errors. Returns enum cli_exit. */
	int (*run)(const void *opts);
	const struct cli_term *signals, *examples; /* end with a NULL name; NULL: none */
	const struct cli_term *exits;              /* NULL: same as the program's */
};

struct cli_prog {
	const char *name, *version, *summary;
	const char *date; /* of the version, "2026-11-29" */
	const char *const *text;
	const struct cli_cmd *const *cmds; /* NULL-terminated */
	const struct cli_term *exits, *examples;
	const char *const *see_also; /* manual pages, "proc (5)", NULL-terminated; NULL: none */
};

/* The exit status for a result of 0 or -errno. */
enum cli_exit cli_exit_of(int r);

/*
 * Finds the command, parses its options and runs it. Help and other requested texts go to @out, errors to
 * @diag. Returns the exit status.
 */
int cli_main(const struct cli_prog *p, int argc, char **argv, FILE *out, FILE *diag);

/*
 * Parses the options of @argv[1..] into @opts, which holds the defaults. *@ret_rest: index of the first
 * word that is not an option; *@ret_dashes: -- precedes it. 0, CLI_HELP (--help was given) or -errno with
 * @err.
 */
enum { CLI_HELP = 1 };
int cli_parse(const struct cli_opt *rows, int argc, char **argv, void *opts, int *ret_rest,
	      bool *ret_dashes, struct err *err);
/* Frees what the fields of @opts own. */
void cli_done(const struct cli_opt *rows, void *opts);

/* For kinds with lists: calls @add for each item of @text until one fails. Returns its error, 0 or -ENOMEM. */
typedef int (*cli_add_fn)(const struct cli_opt *o, const char *item, void *field, struct err *err);
int cli_items(const struct cli_opt *o, const char *text, void *field, cli_add_fn add,
	      struct err *err);

/* --help, which every command has without a row of its own. */
extern const struct cli_opt cli_help_row;
/* The options of the program itself. */
extern const struct cli_opt cli_prog_rows[];

/* Texts generated from the rows. */
void cli_print_help(const struct cli_prog *p, FILE *out);
/* Commands and examples, printed when the program is called without arguments. */
void cli_print_short_help(const struct cli_prog *p, FILE *out);
void cli_print_cmd_help(const struct cli_prog *p, const struct cli_cmd *cmd, FILE *out);
/* @page: "PROGRAM" or "PROGRAM-COMMAND". False: there is no such page. */
bool cli_print_man(const struct cli_prog *p, const char *page, FILE *out);
/* For bash, zsh or fish. False: another shell. */
bool cli_print_completion(const struct cli_prog *p, const char *shell, FILE *out);

#endif
