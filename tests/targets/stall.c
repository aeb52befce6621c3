/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stall BACKING DIRECTORY [USER]: a FUSE file system whose only file, DIRECTORY/file, has the
 * content of BACKING, and which stops answering on request. Prints READY when it is mounted.
 * Commands on standard input:
 *
 *	stall	from now on, hold requests that look up, open or read the file; prints STALLED for
 *		each one held
 *	serve	answer all held requests, and further ones immediately
 *
 * With USER, a numeric uid, the file system is mounted as that user's own: nobody else may open the
 * file, not even root. At the end of its input it unmounts. It speaks the kernel's protocol itself,
 * so libfuse is not needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <signal.h>
#include <unistd.h>

enum { FILE_NODE = 2, BUFFER = 1 << 20, HELD = 1024, READ_MOST = 1 << 17 };

struct server {
	int fuse, backing;
	bool stalled;
	struct fuse_in_header *held[HELD];
	size_t nheld;
};

static void say(const char *word)
{
	printf("%s\n", word);
	fflush(stdout);
}

static void answer(const struct server *s, uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header head = { .len = sizeof(head) + len,
					.error = -error,
					.unique = unique };
	const struct iovec parts[] = { { &head, sizeof(head) }, { (void *)data, len } };

	/* The process that asked may be gone. */
	if (writev(s->fuse, parts, 2) < 0 && errno != ENOENT)
		perror("stall: answer");
}

static struct fuse_attr attr_of(const struct server *s, uint64_t node)
{
	struct fuse_attr a = { .ino = node, .nlink = 1, .mode = S_IFDIR | 0755, .blksize = 4096 };
	struct stat st;

	if (node != FILE_NODE || fstat(s->backing, &st))
		return a;
	a.mode = S_IFREG | 0755;
	a.size = st.st_size;
	a.blocks = (st.st_size + 511) / 512;
	return a;
}

static void on_read(const struct server *s, uint64_t unique, const struct fuse_read_in *in)
{
	static char data[READ_MOST];
	ssize_t n =
		pread(s->backing, data, in->size < READ_MOST ? in->size : READ_MOST, in->offset);

	answer(s, unique, n < 0 ? errno : 0, data, n < 0 ? 0 : n);
}

static void on_lookup(const struct server *s, uint64_t unique, const char *name)
{
	struct fuse_entry_out out = { .nodeid = FILE_NODE,
				      .attr_valid = 3600,
				      .entry_valid = 3600 };

	out.attr = attr_of(s, FILE_NODE);
	if (strcmp(name, "file"))
		answer(s, unique, ENOENT, NULL, 0);
	else
		answer(s, unique, 0, &out, sizeof(out));
}

static void on_request(const struct server *s, const struct fuse_in_header *in)
{
	const void *body = in + 1;
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = FUSE_KERNEL_MINOR_VERSION,
				      .max_readahead = 4096,
				      .max_write = 4096 };
	struct fuse_attr_out attr = { .attr_valid = 3600, .attr = attr_of(s, in->nodeid) };
	struct fuse_open_out open = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(s, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		on_lookup(s, in->unique, body);
		break;
	case FUSE_GETATTR:
		answer(s, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(s, in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		on_read(s, in->unique, body);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* no answer */
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		answer(s, in->unique, 0, NULL, 0);
		break;
	default:
		answer(s, in->unique, ENOSYS, NULL, 0);
	}
}

static bool may_stall(uint32_t opcode)
{
	return opcode == FUSE_LOOKUP || opcode == FUSE_GETATTR || opcode == FUSE_OPEN ||
	       opcode == FUSE_READ;
}

/* False: the request must be answered now. */
static bool hold(struct server *s, const struct fuse_in_header *in)
{
	struct fuse_in_header *copy;

	if (!s->stalled || !may_stall(in->opcode) || s->nheld == HELD)
		return false;
	copy = malloc(in->len);
	if (!copy)
		return false;
	s->held[s->nheld++] = memcpy(copy, in, in->len);
	say("STALLED");
	return true;
}

static void release(struct server *s)
{
	for (size_t i = 0; i < s->nheld; i++) {
		on_request(s, s->held[i]);
		free(s->held[i]);
	}
	s->nheld = 0;
}

/* False: end of the input. */
static bool on_line(struct server *s)
{
	char line[64] = "";
	ssize_t n = read(0, line, sizeof(line) - 1);

	if (n <= 0)
		return false;
	s->stalled = !strncmp(line, "stall", 5);
	if (!s->stalled)
		release(s);
	say(s->stalled ? "STALLING" : "SERVING");
	return true;
}

static void serve(struct server *s)
{
	static char buffer[BUFFER];
	struct pollfd fds[] = { { .fd = s->fuse, .events = POLLIN },
				{ .fd = 0, .events = POLLIN } };
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			return;
		if (fds[0].revents) {
			n = read(s->fuse, buffer, sizeof(buffer));
			if (n < 0 && errno == ENODEV)
				return;
			if (n > 0 && !hold(s, (struct fuse_in_header *)buffer))
				on_request(s, (struct fuse_in_header *)buffer);
		}
		if (fds[1].revents && !on_line(s))
			return;
	}
}

int main(int argc, char **argv)
{
	struct server s = { .fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC) };
	const char *user = argc == 4 ? argv[3] : NULL;
	char options[128];

	if (argc != 3 && argc != 4)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s.backing = open(argv[1], O_RDONLY | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%s,group_id=%s%s", s.fuse,
		 user ?: "0", user ?: "0", user ? "" : ",allow_other");
	if (s.fuse < 0 || s.backing < 0 ||
	    mount("stall", argv[2], "fuse", MS_NOSUID | MS_NODEV, options)) {
		perror("stall");
		return 1;
	}
	say("READY");
	serve(&s);
	umount2(argv[2], MNT_DETACH);
	return 0;
}
