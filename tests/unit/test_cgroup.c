/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/cgroup: the paths that engines give, those that only look like them, and our own. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/cgroup.h"
#include "tap.h"

#define A     "5f0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f"
#define B     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define POD   "1a2b3c4d_5e6f_7a8b_9c0d_1e2f3a4b5c6d"
#define SLICE "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD ".slice"

static const struct {
	const char *line, *id, *engine;
} known[] = {
	{ "0::/system.slice/docker-" A ".scope\n", A, "docker" },
	{ "12:cpu,cpuacct:/docker/" A "\n", A, "docker" },
	{ "1:name=systemd:/docker/" A, A, "docker" },
	{ "0::/docker/" A "/init.scope\n", A, "docker" },
	{ "0::/machine.slice/libpod-" A ".scope/container\n", A, "podman" },
	{ "4:memory:/libpod_parent/libpod-" A "\n", A, "podman" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope\n", A,
	  "podman" },
	{ "0::" SLICE "/cri-containerd-" A ".scope\n", A, "containerd" },
	{ "0::" SLICE "/crio-" A ".scope\n", A, "cri-o" },
	{ "0::" SLICE "/crio-" A "\n", A, "cri-o" },
	{ "0::" SLICE "/docker-" A ".scope\n", A, "docker" },
	{ "0::" SLICE "/" A "\n", A, "kubernetes" },
	{ "3:cpu:/kubepods/besteffort/pod1a2b-3c4d/" A "\n", A, "kubernetes" },
	{ "3:cpu:/kubepods/pod1a2b-3c4d/" A "/child\n", A, "kubernetes" },
	{ "3:cpu:/kubepods-burstable-pod" POD ".slice:cri-containerd:" A "\n", A, "containerd" },
	{ "3:cpu:/system.slice/containerd.service/kubepods-burstable-pod" POD
	  ".slice:cri-containerd:" A "\n",
	  A, "containerd" },
	{ "0::/system.slice/nerdctl-" A ".scope\n", A, "containerd" },
	{ "0::/default/" A "\n", A, "containerd" },
	{ "0::/k8s.io/" A "\n", A, "containerd" },
	/* A container in a container, and one seen from another. */
	{ "0::/docker/" A "/docker/" B "\n", B, "docker" },
	{ "0::/docker/" A "/libpod_parent/libpod-" B "\n", B, "podman" },
	{ "0::/../../docker/" A "\n", A, "docker" },
	{ "0::/docker/" A "/a:b::c\n", A, "docker" },
};

static const char *const unknown[] = {
	"0::/\n",
	"0::/init.scope\n",
	"0::/user.slice/user-1000.slice/session-3.scope\n",
	"0::/system.slice/docker.service\n",
	/* Helpers of an engine, outside of the container. */
	"0::/machine.slice/libpod-conmon-" A ".scope\n",
	"0::/kubepods.slice/crio-conmon-" A ".scope\n",
	/* Not an id: too short, too long, other digits, something behind it. */
	"0::/docker/5f0c3a1be2d4\n",
	"0::/docker/" A "0\n",
	"0::/system.slice/docker-" A "0.scope\n",
	"0::/docker/5F0C3A1BE2D4968778695A4B3C2D1E0F5F0C3A1BE2D4968778695A4B3C2D1E0F\n",
	"0::/docker/ 0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f\n",
	"0::/system.slice/docker-" A ".scopes\n",
	/* 64 digits that nobody's table says to be a container. */
	"0::/" A "\n",
	"0::/jobs/" A "\n",
	"0::/docker/x/" A "\n",
	/* No line of such a file. */
	"",
	"\n",
	"0:\n",
	"0::\n",
	"docker/" A "\n",
	"0::docker/" A "\n",
	"///::://\n",
};

static int parse(const char *line, struct cgroup_container *ret)
{
	_free_ char *copy = strdup(line);

	return cgroup_parse(copy, ret);
}

TEST(paths_of_engines)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct cgroup_container c = {};
		bool good = CHECK_EQ(parse(known[i].line, &c), 1);

		good &= CHECK_STR(c.id, known[i].id);
		good &= CHECK_STR(c.engine, known[i].engine);
		if (!good)
			printf("# %s\n", known[i].line);
	}
}

TEST(other_paths)
{
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct cgroup_container c = { .engine = "untouched" };
		bool good = CHECK_EQ(parse(unknown[i], &c), 0);

		good &= CHECK_STR(c.engine, "untouched");
		if (!good)
			printf("# %s\n", unknown[i]);
	}
}

/* Cut anywhere, a line is read within its bounds and gives no other id. */
TEST(cut_lines)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (size_t len = 0; len < strlen(known[i].line); len++) {
			_free_ char *copy = strndup(known[i].line, len);
			struct cgroup_container c = {};

			if (cgroup_parse(copy, &c))
				CHECK(!strcmp(c.id, A) || !strcmp(c.id, B));
		}
	}
}

TEST(of_processes)
{
	struct cgroup_container c;
	pid_t pid = fork();
	int found;

	if (!pid)
		_exit(0);
	found = cgroup_of(getpid(), &c);
	CHECK(found == 0 || found == 1);
	if (found == 1)
		CHECK_EQ(strlen(c.id), CGROUP_ID);
	waitpid(pid, NULL, 0);
	CHECK_EQ(cgroup_of(pid, &c), -ESRCH);
}
