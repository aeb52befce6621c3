/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/cgroup: paths that container engines use, paths that only resemble them, and our own. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/cgroup.h"
#include "tap.h"

#define A     "5f0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f"
#define B     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define POD   "1a2b3c4d_5e6f_7a8b_9c0d_1e2f3a4b5c6d"
#define SLICE "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD ".slice"

#define UUID "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
#define TASK "0123456789abcdef0123456789abcdef"

static const struct {
	const char *path, *id, *engine, *pod, *unit;
} known[] = {
	{ "/system.slice/docker-" A ".scope", A, "docker", "", "docker-" A ".scope" },
	{ "/docker/" A, A, "docker", "", "" },
	{ "/docker/" A "/init.scope", A, "docker", "", "init.scope" },
	{ "/system.slice/docker-" A ".scope/init", A, "docker", "", "docker-" A ".scope" },
	{ "/docker/buildkit/k2x9c4w1m0v7q8z3t5n6b1d2f", "k2x9c4w1m0v7q8z3t5n6b1d2f", "docker", "",
	  "" },
	{ "/actions_job/" A, A, "oci", "", "" },
	{ "/machine.slice/libpod-" A ".scope/container", A, "podman", "", "libpod-" A ".scope" },
	{ "/libpod_parent/libpod-" A, A, "podman", "", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope", A,
	  "podman", "", "libpod-" A ".scope" },
	{ SLICE "/cri-containerd-" A ".scope", A, "containerd", UUID,
	  "cri-containerd-" A ".scope" },
	{ SLICE "/crio-" A ".scope", A, "cri-o", UUID, "crio-" A ".scope" },
	{ SLICE "/crio-" A, A, "cri-o", UUID, "" },
	{ SLICE "/docker-" A ".scope", A, "docker", UUID, "docker-" A ".scope" },
	{ SLICE "/" A, A, "kubernetes", UUID, "" },
	{ SLICE, "", NULL, UUID, "" },
	{ "/kubepods.slice/kubepods-pod" POD ".slice/cri-containerd-" A ".scope", A, "containerd",
	  UUID, "cri-containerd-" A ".scope" },
	{ "/kubepods/besteffort/pod" UUID "/" A, A, "kubernetes", UUID, "" },
	{ "/kubepods/pod" UUID "/" A "/child", A, "kubernetes", UUID, "" },
	{ "/kubepods/burstable/pod" TASK "/" A, A, "kubernetes", TASK, "" },
	{ "/kubepods/burstable/pod1a2b-3c4d/" A, A, "kubernetes", "", "" }, /* not a pod uid */
	{ "/kubepods/burstable/pod" UUID "/crio-" A, A, "cri-o", UUID, "" },
	{ "/kubepods-burstable-pod" POD ".slice:cri-containerd:" A, A, "containerd", UUID, "" },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" POD ".slice:cri-containerd:" A,
	  A, "containerd", UUID, "containerd.service" },
	{ "/system.slice/nerdctl-" A ".scope", A, "containerd", "", "nerdctl-" A ".scope" },
	{ "/default/" A, A, "containerd", "", "" },
	{ "/k8s.io/" A, A, "containerd", "", "" },
	{ "/ecs/" TASK "/" A, A, "ecs", "", "" },
	{ "/ecs/" TASK "/" TASK "-2881437093", TASK "-2881437093", "ecs", "", "" },
	{ "/ecstasks.slice/ecstasks-" TASK ".slice/docker-" A ".scope", A, "docker", "",
	  "docker-" A ".scope" },
	{ "/lxc.payload.web/init.scope", "web", "lxc", "", "init.scope" },
	{ "/lxc.payload.web/system.slice/nginx.service", "web", "lxc", "", "nginx.service" },
	{ "/lxc.payload/web", "web", "lxc", "", "" },
	{ "/lxc/web", "web", "lxc", "", "" },
	{ "/machine.slice/systemd-nspawn@web.service/payload", "web", "nspawn", "",
	  "systemd-nspawn@web.service" },
	{ "/machine.slice/machine-my\\x2dweb.scope", "my-web", "nspawn", "",
	  "machine-my\\x2dweb.scope" },
	{ "/system.slice/nginx.service", "", NULL, "", "nginx.service" },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "", NULL, "",
	  "getty@tty1.service" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", "", NULL, "",
	  "app-x.scope" },
	{ "/user.slice/user-1000.slice/session-3.scope", "", NULL, "", "session-3.scope" },
	/* A container in a container, one seen from another container, a kind node and its pod. */
	{ "/docker/" A "/docker/" B, B, "docker", "", "" },
	{ "/docker/" A "/libpod_parent/libpod-" B, B, "podman", "", "" },
	{ "/lxc.payload.web/docker/" B, B, "docker", "", "" },
	{ "/../../docker/" A, A, "docker", "", "" },
	{ "/docker/" A "/a:b::c", A, "docker", "", "" },
	{ "/docker/" A "/kubelet/kubepods/burstable/pod" UUID "/" B, B, "kubernetes", UUID, "" },
	{ "/system.slice/docker-" A
	  ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" POD
	  ".slice/cri-containerd-" B ".scope",
	  B, "containerd", UUID, "cri-containerd-" B ".scope" },
};

static const char *const unknown[] = {
	"/",
	"/system.slice",
	"/user.slice/user-1000.slice",
	"/lxc.monitor.web",
	"/lxc",
	"/ecs",
	"/ecs/" TASK,
	"/docker",
	"/docker/buildkit",
	"/kubepods/burstable/podx/web",
	/* Not ids: too short, too long, wrong digits, wrong suffix. */
	"/docker/5f0c3a1be2d4",
	"/docker/" A "0",
	"/docker/5F0C3A1BE2D4968778695A4B3C2D1E0F5F0C3A1BE2D4968778695A4B3C2D1E0F",
	"/docker/ 0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f",
	"/system.slice/docker-" A ".scopes",
	"/ecs/" TASK "/" TASK "-",
	"/ecs/" TASK "/" TASK "-12x",
	"/apps/vte-spawn-" UUID ".slice",
	"",
};

/* Paths with a unit, but without a container. */
static const char *const helpers[] = {
	"/init.scope",
	"/system.slice/docker.service",
	"/machine.slice/libpod-conmon-" A ".scope",
	"/kubepods.slice/crio-conmon-" A ".scope",
	"/machine.slice/machine-qemu\\x2d3\\x2dvm.scope",
	"/system.slice/docker-" A "0.scope",
	"/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-" UUID ".scope",
};

/* Contents of /proc/PID/cgroup. */
static const struct {
	const char *name, *text, *id, *engine, *pod, *unit;
} files[] = {
	{ "docker on version 1",
	  "12:devices:/docker/" A "\n11:cpuset:/docker/" A "\n4:cpu,cpuacct:/docker/" A
	  "\n3:pids:/docker/" A "\n1:name=systemd:/docker/" A
	  "\n0::/system.slice/containerd.service\n",
	  A, "docker", "", "" },
	{ "docker on version 2", "0::/system.slice/docker-" A ".scope\n", A, "docker", "",
	  "docker-" A ".scope" },
	{ "kubernetes on version 1, cgroupfs",
	  "11:memory:/kubepods/burstable/pod" UUID "/" A "\n10:freezer:/kubepods/burstable/pod" UUID
	  "/" A "\n1:name=systemd:/kubepods/burstable/pod" UUID "/" A "\n",
	  A, "kubernetes", UUID, "" },
	{ "kubernetes on version 2, systemd", "0::" SLICE "/cri-containerd-" A ".scope\n", A,
	  "containerd", UUID, "cri-containerd-" A ".scope" },
	{ "podman on a hybrid host",
	  "9:name=systemd:/libpod_parent/libpod-" A "\n4:memory:/libpod_parent/libpod-" A
	  "\n0::/libpod_parent/libpod-" A "\n",
	  A, "podman", "", "" },
	{ "one hierarchy alone knows it",
	  "9:name=systemd:/system.slice/x.service\n4:memory:/docker/" A
	  "\n0::/system.slice/x.service\n",
	  A, "docker", "", "" },
	{ "fargate",
	  "11:memory:/ecs/" TASK "/" TASK "-3275678\n1:name=systemd:/ecs/" TASK "/" TASK
	  "-3275678\n",
	  TASK "-3275678", "ecs", "", "" },
	{ "lxc on version 1",
	  "11:memory:/lxc/web\n1:name=systemd:/lxc/web/system.slice/ssh.service\n", "web", "lxc",
	  "", "" },
	{ "a service on a hybrid host",
	  "9:name=systemd:/system.slice/nginx.service\n8:pids:/system.slice/"
	  "nginx.service\n3:cpuset:/"
	  "\n0::/system.slice/nginx.service\n",
	  "", NULL, "", "nginx.service" },
	{ "a private namespace", "0::/\n", "", NULL, "", "" },
	{ "broken lines", "\n0\n0:\n0::\ndocker/" A "\n0::docker/" A "\n///::://\n", "", NULL, "",
	  "" },
	{ "nothing", "", "", NULL, "", "" },
};

TEST(paths_of_engines)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct cgroup_place p;
		bool good;

		cgroup_place(known[i].path, &p);
		good = CHECK_STR(p.id, known[i].id);
		good &= CHECK_STR(p.engine, known[i].engine);
		good &= CHECK_STR(p.pod, known[i].pod);
		good &= CHECK_STR(p.unit, known[i].unit);
		if (!good)
			printf("# %s\n", known[i].path);
	}
}

TEST(other_paths)
{
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct cgroup_place p;
		bool good;

		cgroup_place(unknown[i], &p);
		good = CHECK_STR(p.engine, NULL);
		good &= CHECK_STR(p.id, "");
		good &= CHECK_STR(p.unit, "");
		if (!good)
			printf("# %s\n", unknown[i]);
	}
}

TEST(helpers_of_engines)
{
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		struct cgroup_place p;

		cgroup_place(helpers[i], &p);
		if (!(CHECK_STR(p.engine, NULL) & CHECK_STR(p.unit, strrchr(helpers[i], '/') + 1)))
			printf("# %s\n", helpers[i]);
	}
}

TEST(whole_files)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		_free_ char *copy = strdup(files[i].text);
		_fclose_ FILE *f = fmemopen(copy, strlen(copy) + !*copy, "r");
		struct cgroup_place p;
		bool good = CHECK(f) && CHECK_EQ(cgroup_read(f, &p), 0);

		good = good && CHECK_STR(p.id, files[i].id);
		good = good && CHECK_STR(p.engine, files[i].engine);
		good = good && CHECK_STR(p.pod, files[i].pod);
		good = good && CHECK_STR(p.unit, files[i].unit);
		if (!good)
			printf("# %s\n", files[i].name);
	}
}

/* A path cut at any length is read within its bounds and does not give a different id. */
TEST(cut_paths)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (size_t len = 0; len < strlen(known[i].path); len++) {
			_free_ char *copy = strndup(known[i].path, len);
			struct cgroup_place p;

			cgroup_place(copy, &p);
			CHECK(strlen(p.id) <= len && strlen(p.unit) <= len);
			if (p.engine && strlen(p.id) == CGROUP_ID)
				CHECK(!strcmp(p.id, A) || !strcmp(p.id, B));
		}
	}
}

TEST(components)
{
	CHECK(cgroup_below("/a.slice/b.service", "a.slice"));
	CHECK(cgroup_below("/a.slice/b.service", "b.service"));
	CHECK(cgroup_below("/xb.service/b.service/c", "b.service"));
	CHECK(!cgroup_below("/a.slice/xb.service", "b.service"));
	CHECK(!cgroup_below("/a.slice/b.services", "b.service"));
	CHECK(!cgroup_below("/a", ""));
	CHECK(!cgroup_below("", "a"));
}

TEST(cgroups_of_processes)
{
	struct cgroup_place p;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	CHECK_EQ(cgroup_of(getpid(), &p), 0);
	waitpid(pid, NULL, 0);
	CHECK_EQ(cgroup_of(pid, &p), -ESRCH);
}
