/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line as const rows: a program has commands, a command has options, an option knows
 * its kind and the field that it fills. Help, man page, completion, defaults and error messages
 * all come from these rows, so they cannot disagree.
 *
 *   cli_prog --> cli_cmd --> cli_opt --> cli_kind
 *                   |            `-----> field in the command's options struct
 *                   `-- defaults, check, run
 *
 * Rows are never written to. Commands and long options are matched exactly: an abbreviation that
 * works today would break scripts when a name is added.
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

/* What the process returns; part of the interface that scripts see. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_UNABLE = 3, /* no privilege or no kernel support */
};

struct cli_opt;

/* What options of one kind have in common. The comment of each row below says what field it fills. */
struct cli_kind {
	bool value;  /* takes one */
	bool bounds; /* what is allowed is short and part of the help */
	/*
	 * Reads @text (NULL without a value) into @field. 0 or -errno; with @err where the cause is
	 * other than "not what is allowed".
	 */
	int (*parse)(const struct cli_opt *o, const char *text, void *field, struct err *err);
	/* Says what is allowed ("1 to 9"). NULL: anything. */
	void (*allowed)(const struct cli_opt *o, struct buf *out);
	/* The field as text, for the default. NULL: has none worth showing. */
	void (*show)(const struct cli_opt *o, const void *field, struct buf *out);
	/* Frees what the field holds, not the field. NULL: nothing. */
	void (*done)(void *field);
};

/* Owned strings. */
typedef VEC(char *) cli_names;
/* Into argv. */
typedef VEC(const char *) cli_words;
/* Indexes into the row's choices. */
typedef VEC(unsigned int) cli_picks;

extern const struct cli_kind cli_flag;     /* bool */
extern const struct cli_kind cli_count;    /* unsigned int: how often it was given */
extern const struct cli_kind cli_uint;     /* uint64_t, min..max */
extern const struct cli_kind cli_size;     /* uint64_t bytes, min..max */
extern const struct cli_kind cli_duration; /* uint64_t ns, min..max or NUM_UNLIMITED */
extern const struct cli_kind cli_string;   /* const char * into argv, of min..max bytes */
extern const struct cli_kind cli_strings;  /* cli_words: such strings, one each time it is given */
extern const struct cli_kind cli_choice;   /* unsigned int: index into choices */
/* Lists are comma separated, and an option that takes one may be repeated. */
extern const struct cli_kind cli_uint_list;   /* num_vec, each min..max */
extern const struct cli_kind cli_name_list;   /* cli_names, each of min..max bytes */
extern const struct cli_kind cli_choice_list; /* cli_picks, in the order given, each once */
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

/* A choice, a signal, an exit status, an example: a word and what it means. */
struct cli_term {
	const char *name;
	const char *help;
};

/* What a shell offers for a value. */
enum cli_value { CLI_ANYTHING, CLI_FILES, CLI_DIRECTORIES, CLI_USERS, CLI_PIDS };

struct cli_opt {
	const char *name;  /* long, without dashes; NULL ends the rows */
	char letter;       /* 0: none */
	char alias_letter; /* 0: none */
	const char *alias; /* NULL: none */
	const char *metavar;
	const char *help;      /* starts in lower case, no full stop */
	const char *group;     /* heading of this and the following rows; NULL: as before */
	const char *zero;      /* what the default stands for when it is 0 or empty */
	enum cli_value expand; /* what completes the value where there are no choices */
	const struct cli_kind *kind;
	size_t at; /* offset of the field */
	uint64_t min, max;
	const struct cli_term *choices; /* ends with a NULL name */
};

/* ".kind = ..., .at = ..." of an option row; does not compile if the field is not of the kind. */
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
	const void *defaults; /* such a struct; lists must be empty */
	/*
	 * What the words after -- are called ("CMD"); they become a char ** into argv, NULL-terminated,
	 * at words_at; without -- it stays as it is. NULL: the command takes no words.
	 */
	const char *words;
	bool words_bare; /* they may also stand before, between and behind the options, without -- */
	size_t words_at;
	/* Combinations. 0 or -EINVAL with @err; may complete @opts. NULL: all are fine. */
	int (*check)(void *opts, struct err *err);
	/* Prints its own errors. Returns enum cli_exit. */
	int (*run)(const void *opts);
	const struct cli_term *signals, *examples; /* end with a NULL name; NULL: none */
	const struct cli_term *exits;              /* NULL: those of the program */
};

struct cli_prog {
	const char *name, *version, *summary;
	const char *date; /* of the version, "2026-11-29" */
	const char *const *text;
	const struct cli_cmd *const *cmds; /* NULL-terminated */
	const struct cli_term *exits, *examples;
	const char *const *see_also; /* manual pages, "proc (5)", NULL-terminated; NULL: none */
};

/* The exit status for what a command got: 0 or -errno. */
enum cli_exit cli_exit_of(int r);

/*
 * Finds the command, parses its options, runs it. Texts that were asked for go to @out, errors to
 * @diag. Returns the exit status.
 */
int cli_main(const struct cli_prog *p, int argc, char **argv, FILE *out, FILE *diag);

/*
 * Parses the options of @argv[1..] into @opts, which holds the defaults. *@ret_rest is the index of
 * the first word that is no option, *@ret_dashes whether -- stands before it. 0, CLI_HELP (--help was
 * met) or -errno with @err.
 */
enum { CLI_HELP = 1 };
int cli_parse(const struct cli_opt *rows, int argc, char **argv, void *opts, int *ret_rest,
	      bool *ret_dashes, struct err *err);
/* Frees what the fields hold. */
void cli_done(const struct cli_opt *rows, void *opts);

/* For kinds of lists: calls @add for each item of @text until it fails. Returns that or -ENOMEM. */
typedef int (*cli_add_fn)(const struct cli_opt *o, const char *item, void *field, struct err *err);
int cli_items(const struct cli_opt *o, const char *text, void *field, cli_add_fn add,
	      struct err *err);

/* The row that every command has without listing it. */
extern const struct cli_opt cli_help_row;
/* The rows of the program itself. */
extern const struct cli_opt cli_prog_rows[];

/* Texts from the rows. */
void cli_print_help(const struct cli_prog *p, FILE *out);
/* Commands and examples: what the program prints where it is called without a word. */
void cli_print_short_help(const struct cli_prog *p, FILE *out);
void cli_print_cmd_help(const struct cli_prog *p, const struct cli_cmd *cmd, FILE *out);
/* @page: "PROGRAM", or "PROGRAM-COMMAND". False: there is no such page. */
bool cli_print_man(const struct cli_prog *p, const char *page, FILE *out);
/* For bash, zsh or fish. False: @shell is none of them. */
bool cli_print_completion(const struct cli_prog *p, const char *shell, FILE *out);

#endif
