/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait list`: its options, and its output for a made-up survey. */
#include "cmd/list/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "surveymock.h"

#define ID "5f0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f"

/* --- options ---------------------------------------------------------------------------------- */

static void look_nothing(const struct survey_opts *o)
{
	CHECK_EQ(o->npids + o->nuids + o->ncomms, 0);
}

static void look_everything(const struct survey_opts *o)
{
	CHECK_EQ(o->npids, 1);
	CHECK_EQ(o->pids[0], 1);
	CHECK_EQ(o->nuids, 2);
	CHECK_EQ(o->uids[1], 7);
	CHECK_EQ(o->ncomms, 2);
	CHECK_STR(o->comms[1], "celery");
}

TEST(options)
{
	static const struct asking rows[] = {
		{ "list", look_nothing },
		{ "list --json", look_nothing },
		{ "list -p 1 --uid root,7 --comm uwsgi --comm celery --json", look_everything },
	};

	must_ask(&cmd_list, rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(refused)
{
	static const struct refusal rows[] = {
		{ "list -p 0", "--pid: '0'" },
		{ "list -p 1,", "--pid: '1,'" },
		{ "list --uid no-such-user", "--uid: 'no-such-user': no such user" },
		{ "list --comm 0123456789abcdef", "--comm: '0123456789abcdef'" },
		{ "list --json=yes", "--json" },
		{ "list extra", "extra" },
	};

	must_refuse(&cmd_list, rows, sizeof(rows) / sizeof(rows[0]));
}

/* --- output ----------------------------------------------------------------------------------- */

#define ARGUMENTS(text) .arguments = (text), .arguments_len = sizeof(text) - 1

#define NOWHERE                                                                                    \
	.container = "", .engine = "", .name = "", .image = "", .pod = "", .ns = "", .labels = "", \
	.pod_uid = "", .unit = ""

static const struct survey_process rows[] = {
	{ .pid = 7,
	  .ns_pid = 7,
	  .threads = 1,
	  .hex = 0x030b02f0,
	  .link = SURVEY_STATIC,
	  .library = "",
	  NOWHERE,
	  .comm = "python3",
	  ARGUMENTS("python3\0a b\0\x1b[31m\xff") },
	{ .pid = 123456,
	  .ns_pid = 1,
	  .uid = 1000,
	  .threads = 20,
	  .hex = 0x030d00c2,
	  .more = { 0x020712f0 },
	  .link = SURVEY_SHARED,
	  .embedded = true,
	  .debug = true,
	  .free_threaded = true,
	  .library = "/usr/lib/libpython3.13td.so.1.0",
	  .container = ID,
	  .labels = "app=a \"b\"\nx=\n",
	  .engine = "docker",
	  .name = "",
	  .image = "nginx:1",
	  .pod = "",
	  .ns = "",
	  .pod_uid = "",
	  .unit = "docker.scope",
	  .comm = "gr\xc3\xbc\xc3\x9f",
	  ARGUMENTS(""),
	  .reason = "no\nreason" },
	{ .pid = 123457,
	  .ns_pid = 123457,
	  .threads = 2,
	  .library = "",
	  NOWHERE,
	  .comm = "",
	  ARGUMENTS("x") },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

#define HEAD                                                                                       \
	"   PID  NSPID  VERSION             BUILD                LINKED                          " \
	"  "                                                                                       \
	"THREADS  CONTAINER     COMM     SUPPORTED   "
#define FIRST                                                                                      \
	"     7      -  3.11.2              release              static                          " \
	"  "                                                                                       \
	"      1  -             python3  yes         "
#define SECOND                                                                                     \
	"123456      1  3.13.0rc2 + 2.7.18  free-threaded debug  embedded, "                       \
	"libpython3.13td.so.1.0 "                                                                  \
	"      20  5f0c3a1be2d4  gr\xc3\xbc\xc3\x9f     no\\nreason  "
#define THIRD                                                                                      \
	"123457      -  ?                   ?                    ?                               " \
	"  "                                                                                       \
	"      2  -             -        yes         "

TEST(table)
{
	_cleanup_(buf_done) struct buf out = {};

	list_print_table(rows, ROWS, 0, &out);
	CHECK_STR(out.data, HEAD "COMMAND\n" FIRST "python3 a b \\x1b[31m\\xff\n" SECOND
				 "[gr\xc3\xbc\xc3\x9f]\n" THIRD "x\n");
}

/* Only the command is cut, at a character boundary; if there is no room at all, it is left out. */
TEST(table_on_a_terminal)
{
	_cleanup_(buf_done) struct buf out = {};

	list_print_table(rows, ROWS, strlen(HEAD) + 4, &out);
	CHECK_STR(out.data, HEAD "COMM\n" FIRST "pyth\n" SECOND "[gr\xc3\xbc\n" THIRD "x\n");
	buf_clear(&out);
	list_print_table(rows, ROWS, 10, &out);
	CHECK_STR(out.data, HEAD "\n" FIRST "\n" SECOND "\n" THIRD "\n");
}

TEST(empty_table)
{
	_cleanup_(buf_done) struct buf out = {};

	list_print_table(NULL, 0, 0, &out);
	CHECK_STR(out.data, "PID  NSPID  VERSION  BUILD  LINKED  THREADS  CONTAINER  COMM  "
			    "SUPPORTED  COMMAND\n");
}

/* A container's name or its pod; hexadecimal ids are shortened, other ids are shown in full. */
TEST(containers)
{
	static const struct {
		const char *container, *name, *pod, *ns, *want;
	} places[] = {
		{ ID, "web", "", "", " web " },
		{ ID, "app", "web-1", "shop", " shop/web-1/app " },
		{ ID, "", "web-1", "shop", " shop/web-1/5f0c3a1be2d4 " },
		{ "a-long-name-of-lxc", "", "", "", " a-long-name-of-lxc " },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		_cleanup_(buf_done) struct buf out = {};
		struct survey_process p = rows[0];

		p.container = places[i].container;
		p.name = places[i].name;
		p.pod = places[i].pod;
		p.ns = places[i].ns;
		list_print_table(&p, 1, 0, &out);
		if (!CHECK(strstr(out.data, places[i].want)))
			printf("# %s: %s", places[i].want, out.data);
	}
}

TEST(versions)
{
	static const struct {
		uint32_t hex;
		const char *want;
	} versions[] = {
		{ 0x030612f0, "3.6.18" },    { 0x030e00a1, "3.14.0a1" },
		{ 0x030e00bf, "3.14.0b15" }, { 0x030e00c3, "3.14.0rc3" },
		{ 0x030900a0, "3.9.0pre" },  { 0xffffffff, "255.255.255" },
	};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		_cleanup_(buf_done) struct buf out = {};
		struct survey_process p = rows[0];

		p.hex = versions[i].hex;
		list_print_table(&p, 1, 0, &out);
		if (!CHECK(strstr(out.data, versions[i].want)))
			printf("# %s: %s", versions[i].want, out.data);
	}
}

TEST(json)
{
	_cleanup_(buf_done) struct buf out = {};

	list_print_json(rows, ROWS, 5, &out);
	CHECK_STR(out.data,
		  "{\"processes\":["
		  "{\"pid\":7,\"ns_pid\":7,\"uid\":0,\"comm\":\"python3\","
		  "\"command\":[\"python3\",\"a b\",\"\\u001b[31m\xef\xbf\xbd\"],"
		  "\"version\":\"3.11.2\",\"more_versions\":[],\"build\":\"release\",\"linked\":"
		  "\"static\","
		  "\"library\":null,\"embedded\":false,\"threads\":1,\"container\":null,\"unit\":"
		  "null,"
		  "\"supported\":true,\"reason\":null},"
		  "{\"pid\":123456,\"ns_pid\":1,\"uid\":1000,\"comm\":\"gr\xc3\xbc\xc3\x9f\","
		  "\"command\":[],\"version\":\"3.13.0rc2\",\"more_versions\":[\"2.7.18\"],"
		  "\"build\":\"free-threaded debug\","
		  "\"linked\":\"shared\",\"library\":\"/usr/lib/libpython3.13td.so.1.0\","
		  "\"embedded\":true,\"threads\":20,"
		  "\"container\":{\"id\":\"" ID "\",\"engine\":\"docker\",\"name\":null,\"image\":"
		  "\"nginx:1\",\"pod\":null,\"namespace\":null,\"pod_uid\":null,\"labels\":{"
		  "\"app\":\"a \\\"b\\\"\","
		  "\"x\":\"\"}},"
		  "\"unit\":\"docker.scope\","
		  "\"supported\":false,\"reason\":\"no\\nreason\"},"
		  "{\"pid\":123457,\"ns_pid\":123457,\"uid\":0,\"comm\":\"\",\"command\":[\"x\"],"
		  "\"version\":null,\"more_versions\":[],\"build\":null,\"linked\":null,"
		  "\"library\":null,"
		  "\"embedded\":false,\"threads\":2,\"container\":null,\"unit\":null,\"supported\":"
		  "true,"
		  "\"reason\":null}"
		  "],\"not_permitted\":5}\n");
}

TEST(empty_json)
{
	_cleanup_(buf_done) struct buf out = {};

	list_print_json(NULL, 0, 0, &out);
	CHECK_STR(out.data, "{\"processes\":[],\"not_permitted\":0}\n");
}
