/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	idle ─ask─► connecting ─► sending ─► receiving ─► the end: containers ─► idle
 *	                 `───────────┴───────────┴─ too late, too long, no answer ─► idle, and left alone
 *
 * The request path names no API version, because engines refuse versions that are too old for them.
 * In HTTP 1.0 the answer ends with the connection, so there are no chunks to reassemble.
 */
#include "proc/engines.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/vec.h"

enum { ANSWER_MAX = 16 << 20, PIECE = 65536 };

static const int64_t ANSWER_NS = 2000000000;  /* from the query to the end of the answer */
static const int64_t PAUSE_NS = 1000000000;   /* between two queries */
static const int64_t FAILED_NS = 30000000000; /* after a failed query */
static const char request[] = "GET /containers/json HTTP/1.0\r\nHost: krait\r\n\r\n";

enum stage { IDLE, CONNECTING, SENDING, RECEIVING };

struct engine {
	struct sockaddr_un address;
	enum stage stage;
	int fd;             /* -1 while idle */
	size_t sent;        /* bytes of the request */
	int64_t end, again; /* CLOCK_MONOTONIC ns: timeout of this query, earliest next query */
	struct buf answer;
};

struct engines {
	VEC(struct engine) all;
};

/* --- sockets ---------------------------------------------------------------------------------- */

int engines_add(struct engines *e, const char *path)
{
	struct engine engine = { .address = { .sun_family = AF_UNIX }, .fd = -1 };

	if (strlen(path) >= sizeof(engine.address.sun_path))
		return -ENAMETOOLONG;
	strcpy(engine.address.sun_path, path);
	return vec_push(&e->all, engine);
}

/* Only "unix:///run/x.sock": an engine on another host does not know our containers. */
static int add_from_environment(struct engines *e, const char *name)
{
	static const char scheme[] = "unix://";
	const char *value = getenv(name);

	if (!value || strncmp(value, scheme, strlen(scheme)))
		return 0;
	return engines_add(e, value + strlen(scheme));
}

static int add_format(struct engines *e, const char *dir, const char *file)
{
	_free_ char *path = NULL;

	if (asprintf(&path, "%s%s", dir, file) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return engines_add(e, path);
}

struct engines *engines_new(const char *root)
{
	struct engines *e = calloc(1, sizeof(*e));
	const char *own = getenv("XDG_RUNTIME_DIR");
	int err[5] = {};

	if (!e)
		return NULL;
	err[0] = add_from_environment(e, "DOCKER_HOST");
	err[1] = add_from_environment(e, "CONTAINER_HOST");
	err[2] = add_format(e, root, "/run/docker.sock");
	err[3] = add_format(e, root, "/run/podman/podman.sock");
	if (own)
		err[4] = add_format(e, own, "/podman/podman.sock");
	for (size_t i = 0; i < sizeof(err) / sizeof(err[0]); i++) {
		if (err[i] == -ENOMEM) {
			engines_free(e);
			return NULL;
		}
	}
	return e;
}

void engines_free(struct engines *e)
{
	struct engine *it;

	if (!e)
		return;
	vec_each (&e->all, it) {
		close_fd(&it->fd);
		buf_done(&it->answer);
	}
	vec_done(&e->all);
	free(e);
}

/* --- one query -------------------------------------------------------------------------------- */

static void finish(struct engine *e, bool failed)
{
	close_fd(&e->fd);
	e->fd = -1;
	e->stage = IDLE;
	e->again = clock_ns() + (failed ? FAILED_NS : PAUSE_NS);
	buf_done(&e->answer);
}

/* If the engine's backlog is full, a later call tries again. */
static void try_connect(struct engine *e)
{
	if (!connect(e->fd, (struct sockaddr *)&e->address, sizeof(e->address)))
		e->stage = SENDING;
	else if (errno != EAGAIN && errno != EINPROGRESS && errno != EINTR)
		finish(e, true);
}

static void try_send(struct engine *e)
{
	size_t len = strlen(request);
	ssize_t n = send(e->fd, request + e->sent, len - e->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		e->sent += n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		finish(e, true);
	if (e->stage == SENDING && e->sent == len)
		e->stage = RECEIVING;
}

/* True: the answer is complete. */
static bool try_receive(struct engine *e)
{
	char piece[PIECE];
	ssize_t n = recv(e->fd, piece, sizeof(piece), MSG_DONTWAIT);

	if (n > 0)
		buf_add(&e->answer, piece, n);
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || e->answer.err ||
	    e->answer.len > ANSWER_MAX)
		finish(e, true);
	return !n;
}

/* The body of a successful answer; NULL: not one. */
static char *body(const struct buf *answer)
{
	char *data = answer->data, *end;
	unsigned int status;

	if (!data || sscanf(data, "HTTP/1.%*1[01] %3u", &status) != 1 || status != 200)
		return NULL;
	end = strstr(data, "\r\n\r\n");
	return end ? end + 4 : NULL;
}

static void take_answer(struct engine *e, struct runtime_refused *refused,
			void (*fn)(void *ctx, const char *id, const struct runtime_names *names),
			void *ctx)
{
	char *at = body(&e->answer);
	struct json_text rest = { at, at ? e->answer.data + e->answer.len - at : 0 };
	struct runtime_names names;
	unsigned int elements = 0;
	char id[RUNTIME_NAME];
	json_t *element;

	while (at && (element = jsonread_next(&rest, &elements))) {
		if (runtime_listed(element, id, &names))
			fn(ctx, id, &names);
		json_decref(element);
	}
	runtime_refuse(refused, e->address.sun_path, elements);
	finish(e, !at);
}

static void step(struct engine *e, struct runtime_refused *refused,
		 void (*fn)(void *ctx, const char *id, const struct runtime_names *names),
		 void *ctx)
{
	if (e->stage == CONNECTING)
		try_connect(e);
	if (e->stage == SENDING)
		try_send(e);
	if (e->stage == RECEIVING && try_receive(e))
		take_answer(e, refused, fn, ctx);
	else if (e->stage != IDLE && clock_ns() > e->end)
		finish(e, true);
}

/* --- all engines ------------------------------------------------------------------------------ */

void engines_ask(struct engines *e)
{
	int64_t now = clock_ns();
	struct engine *it;

	vec_each (&e->all, it) {
		if (it->stage != IDLE || now < it->again)
			continue;
		it->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (it->fd < 0)
			continue;
		it->sent = 0;
		it->end = now + ANSWER_NS;
		it->stage = CONNECTING;
	}
}

/* A long answer comes in pieces; a call takes at most PIECES of each. */
void engines_step(struct engines *e, struct runtime_refused *refused,
		  void (*fn)(void *ctx, const char *id, const struct runtime_names *names),
		  void *ctx)
{
	enum { PIECES = 16 };
	struct engine *it;

	vec_each (&e->all, it) {
		size_t before = 0;

		for (int i = 0; i < PIECES && it->stage != IDLE; i++) {
			before = it->answer.len;
			step(it, refused, fn, ctx);
			if (it->stage != RECEIVING || it->answer.len == before)
				break;
		}
	}
}

bool engines_wait(struct engines *e, int ms)
{
	struct pollfd fds[8] = {};
	struct engine *it;
	nfds_t n = 0;

	vec_each (&e->all, it) {
		if (it->stage == IDLE || n == sizeof(fds) / sizeof(fds[0]))
			continue;
		/* poll() does not report a free place in the engine's backlog. */
		if (it->stage == CONNECTING)
			ms = ms < 20 ? ms : 20;
		fds[n++] = (struct pollfd){
			.fd = it->stage == CONNECTING ? -1 : it->fd,
			.events = it->stage == SENDING ? POLLOUT : POLLIN,
		};
	}
	if (n)
		poll(fds, n, ms);
	return n > 0;
}
