/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/runtime: state files in the formats of the engines, below a temporary root. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/runtime.h"
#include "tap.h"

#define A "5f0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f"
#define B "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct {
	const char *path, *content;
	const char *name, *image, *pod, *ns;
} files[] = {
	{ "var/lib/docker/containers/" A "/config.v2.json",
	  "{\"ID\":\"" A "\",\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{}}}",
	  "web", "nginx:1", "", "" },
	{ "var/lib/docker/containers/" A "/config.v2.json",
	  "{\"Name\":\"/k8s_app_web-1_shop_x_0\",\"Config\":{\"Image\":\"sha256:1\",\"Labels\":{"
	  "\"io.kubernetes.container.name\":\"app\",\"io.kubernetes.pod.name\":\"web-1\","
	  "\"io.kubernetes.pod.namespace\":\"shop\"}}}",
	  "app", "sha256:1", "web-1", "shop" },
	{ "run/containerd/io.containerd.runtime.v2.task/k8s.io/" A "/config.json",
	  "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\",\"io.kubernetes.cri."
	  "image-name\":"
	  "\"a/"
	  "b:2\",\"io.kubernetes.cri.sandbox-name\":\"web-1\",\"io.kubernetes.cri.sandbox-"
	  "namespace\":"
	  "\"shop\"},\"hostname\":\"x\"}",
	  "app", "a/b:2", "web-1", "shop" },
	{ "run/containerd/io.containerd.runtime.v2.task/default/" A "/config.json",
	  "{\"annotations\":{\"nerdctl/name\":\"box\"}}", "box", "", "", "" },
	{ "run/containers/storage/overlay-containers/" A "/userdata/config.json",
	  "{\"annotations\":{\"io.kubernetes.container.name\":\"app\",\"io.kubernetes.cri-o."
	  "ImageName\":"
	  "\"q/r\",\"io.kubernetes.pod.name\":\"web-1\",\"io.kubernetes.pod.namespace\":\"shop\"}}",
	  "app", "q/r", "web-1", "shop" },
	{ "var/lib/containers/storage/overlay-containers/containers.json",
	  "[{\"id\":\"" B "\",\"names\":[\"no\"]},{\"id\":\"" A "\",\"names\":[\"web\",\"other\"],"
	  "\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/x\\\"}\"}]",
	  "web", "docker.io/x", "", "" },
	{ "var/log/containers/web-1_shop_app-" A ".log", "", "app", "", "web-1", "shop" },
	/* Other files, and files without a name. */
	{ "var/lib/docker/containers/" A "/config.v2.json", "", NULL, "", "", "" },
	{ "var/lib/docker/containers/" A "/config.v2.json", "{\"Name\":{},\"Config\":[", NULL, "",
	  "", "" },
	{ "var/lib/docker/containers/" A "/config.v2.json/x", "", NULL, "", "", "" },
	{ "var/lib/containers/storage/overlay-containers/containers.json", "[{\"id\":\"" B "\"}]",
	  NULL, "", "", "" },
	{ "var/log/containers/web-" A ".log", "", NULL, "", "", "" },
	{ "var/log/containers/web_x-" A ".log", "", NULL, "", "", "" },
};

static void make_file(const char *root, const char *path, const char *content)
{
	_free_ char *full = NULL;
	_fclose_ FILE *f = NULL;

	if (asprintf(&full, "%s/%s", root, path) < 0)
		return;
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "we");
	if (CHECK(f))
		fputs(content, f);
}

static void remove_root(const char *root)
{
	_free_ char *command = NULL;

	if (asprintf(&command, "rm -rf '%s'", root) > 0)
		CHECK_EQ(system(command), 0);
}

TEST(files_of_engines)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char root[] = "/tmp/krait-test-XXXXXX";
		struct runtime_refused refused = {};
		struct runtime_names n;
		bool good, found;

		if (!CHECK(mkdtemp(root)))
			return;
		make_file(root, files[i].path, files[i].content);
		found = runtime_names(root, A, &n, &refused);
		good = CHECK_EQ(found, files[i].name != NULL);
		good &= CHECK_STR(n.name, files[i].name ?: "");
		good &= CHECK_STR(n.image, files[i].image);
		good &= CHECK_STR(n.pod, files[i].pod);
		good &= CHECK_STR(n.ns, files[i].ns);
		if (!good)
			printf("# %s\n", files[i].path);
		remove_root(root);
	}
}

/* Ids that are names, or have a meaning in a pattern. */
TEST(other_ids)
{
	static const char *const ids[] = { "", "*", "../x", "web" };
	struct runtime_refused refused = {};
	struct runtime_names n;

	CHECK(!runtime_names("/nowhere", A, &n, &refused));
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		CHECK(!runtime_names("/", ids[i], &n, &refused));
	CHECK_EQ(refused.texts, 0);
}

static void expect_labels(const char *path, const char *content, const char *want)
{
	char root[] = "/tmp/krait-test-XXXXXX";
	struct runtime_refused refused = {};
	struct runtime_names n;

	if (!CHECK(mkdtemp(root)))
		return;
	make_file(root, path, content);
	runtime_names(root, A, &n, &refused);
	CHECK_STR(n.labels, want);
	remove_root(root);
}

TEST(labels)
{
	static const char docker[] = "var/lib/docker/containers/" A "/config.v2.json",
			  crio[] = "var/lib/containers/storage/overlay-containers/" A
				   "/userdata/config.json";

	expect_labels(docker, "{\"Config\":{\"Labels\":{\"app\":\"web\",\"a.b/c\":\"x=y z\"}}}",
		      "app=web\na.b/c=x=y z\n");
	expect_labels(docker, "{\"Config\":{\"Labels\":{}}}", "");
	expect_labels(docker, "{\"Config\":{\"Labels\":null}}", "");
	expect_labels(docker, "{\"Config\":{\"Labels\":[\"app\",\"web\"]}}", "");
	/* Labels that would read as two, have no text value, or are cut off. */
	expect_labels(
		docker,
		"{\"Config\":{\"Labels\":{\"a\":\"b\\nc=d\",\"e=f\":\"g\",\"\":\"h\",\"i\":{\"j\":"
		"\"k\"},\"l\":\"\"}}}",
		"a=b c=d\nl=\n");
	expect_labels(docker, "{\"Config\":{\"Labels\":{\"a\":\"b\",\"c\":\"d", "");
	expect_labels(
		crio,
		"{\"annotations\":{\"io.kubernetes.cri-o.Labels\":\"{\\\"app\\\":\\\"web\\\"}\"}}",
		"app=web\n");
}

/* A label that does not fit is left out as a whole. */
TEST(long_labels)
{
	_free_ char *text = NULL, *want = NULL;
	static char value[3001], key[318]; /* a key as long as Kubernetes allows */

	memset(value, 'v', sizeof(value) - 1);
	memset(key, 'k', sizeof(key) - 1);
	CHECK(asprintf(&text, "{\"Config\":{\"Labels\":{\"a\":\"%s\",\"b\":\"%s\",\"%s\":\"d\"}}}",
		       value, value, key) > 0);
	CHECK(asprintf(&want, "a=%s\n%s=d\n", value, key) > 0);
	expect_labels("var/lib/docker/containers/" A "/config.v2.json", text, want);
}

static bool next_listed(struct json_text *rest, char *id, struct runtime_names *n,
			unsigned int *refused)
{
	_json_ json_t *element = jsonread_next(rest, refused);

	return element && runtime_listed(element, id, n);
}

TEST(answers_of_sockets)
{
	char list[] =
		"[{\"Id\":\"" A "\",\"Names\":[\"/web\"],\"Image\":\"nginx\",\"Labels\":null},"
		"{\"Id\":\"" B "\",\"Names\":[\"/k8s_x\"],\"Image\":\"y\",\"Labels\":{"
		"\"io.kubernetes.container.name\":\"app\",\"io.kubernetes.pod.name\":\"web-1\","
		"\"io.kubernetes.pod.namespace\":\"shop\"}},{\"Id\":5}]";
	struct json_text rest = { list, strlen(list) };
	struct runtime_names n;
	unsigned int refused = 0;
	char id[RUNTIME_NAME];

	CHECK(next_listed(&rest, id, &n, &refused));
	CHECK_STR(id, A);
	CHECK_STR(n.name, "web");
	CHECK_STR(n.image, "nginx");
	CHECK(next_listed(&rest, id, &n, &refused));
	CHECK_STR(id, B);
	CHECK_STR(n.name, "app");
	CHECK_STR(n.pod, "web-1");
	CHECK_STR(n.ns, "shop");
	CHECK(strstr(n.labels, "io.kubernetes.pod.name=web-1\n"));
	CHECK(!next_listed(&rest, id, &n, &refused));
	CHECK_EQ(refused, 0);
}

/* A label that a strict parser refuses must cost neither the other labels nor the name. */
TEST(labels_with_invalid_text)
{
	static const char docker[] = "var/lib/docker/containers/" A "/config.v2.json";

	expect_labels(docker,
		      "{\"Config\":{\"Labels\":{\"a\":\"b\",\"bytes\":\"x\xff\xc0y\",\"half\":"
		      "\"\\ud83dz\",\"nul\":\"p\\u0000q\",\"k\\u0000\":\"v\",\"tab\":\"1\t2\","
		      "\"escape\":\"\\x\",\"z\":\"end\"}}}",
		      "a=b\nbytes=x??y\nhalf=\xef\xbf\xbdz\nnul=p\xef\xbf\xbdq\n"
		      "k\xef\xbf\xbd=v\ntab=1 2\nescape=?x\nz=end\n");
}

/* Texts that are not JSON, or too long, are counted, and the first file is named. */
TEST(texts_that_are_refused)
{
	static const char path[] = "var/lib/docker/containers/" A "/config.v2.json";
	_free_ char *padded = NULL;
	static const char *const broken[] = { "", "{", "{\"Name\":\"web\"" };
	char root[] = "/tmp/krait-test-XXXXXX";
	struct runtime_refused refused = {};
	struct runtime_names n;

	if (!CHECK(mkdtemp(root)))
		return;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		make_file(root, path, broken[i]);
		CHECK(!runtime_names(root, A, &n, &refused));
		CHECK_EQ(refused.texts, i + 1);
	}
	CHECK(asprintf(&padded, "{\"Name\":\"web\"%*s}", JSONREAD_MAX, "") > 0);
	make_file(root, path, padded);
	CHECK(!runtime_names(root, A, &n, &refused));
	CHECK_EQ(refused.texts, 4);
	CHECK(strstr(refused.first, path) && !strncmp(refused.first, root, strlen(root)));
	remove_root(root);
}
