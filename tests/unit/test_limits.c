/* SPDX-License-Identifier: BSD-2-Clause */
/* session/limits: what the tables hold at some rates, on some hosts. */
#include "session/limits.h"
#include "tap.h"

static const struct limits defaults = { .max_depth = 4096, .max_procs = 32768 };

static struct kern_opts size_at(double hz, int cpus, bool wall)
{
	struct kern_opts o = {};

	limits_size(&defaults, hz, cpus, wall, &o);
	return o;
}

/* Two and a half seconds of samples, all of them new stacks. */
TEST(nothing_is_lost_while_krait_is_late)
{
	static const double rates[] = { 1, 99, 999, 10000, 20000 };
	static const int cpus[] = { 1, 2, 8, 64, 128 };

	for (size_t r = 0; r < sizeof(rates) / sizeof(*rates); r++)
		for (size_t c = 0; c < sizeof(cpus) / sizeof(*cpus); c++) {
			struct kern_opts o = size_at(rates[r], cpus[c], false);
			double samples = rates[r] * cpus[c] * 2.5;

			CHECK(o.max_counts >= samples || o.max_counts == 4194304);
			CHECK(o.ring_bytes >= samples * 512 || o.ring_bytes == 1 << 30);
			CHECK(o.config.sent_stacks >= samples);
			CHECK(!(o.ring_bytes & (o.ring_bytes - 1)));
		}
}

TEST(small_at_usual_rates)
{
	struct kern_opts cpu = size_at(99, 2, false), wall = size_at(99, 2, true);

	CHECK_EQ(cpu.ring_bytes, 2 << 20);
	CHECK(cpu.ring_bytes + 8 * (cpu.config.sent_stacks + cpu.config.sent_codes) < 4 << 20);
	CHECK_EQ(wall.ring_bytes, 2 << 20);
	CHECK_EQ(cpu.ring_most, 64 << 20);
	CHECK(wall.max_counts >= 2048 + 495);
}

TEST(as_asked)
{
	struct limits l = { .max_depth = 7,
			    .max_procs = 2000,
			    .max_counts = 500,
			    .max_stacks = 100,
			    .max_codes = 50,
			    .ring_bytes = 3 << 20 };
	struct kern_opts o = {};

	limits_size(&l, 99, 2, true, &o);
	CHECK_EQ(o.config.max_depth, 7);
	CHECK_EQ(o.max_procs, 2000);
	CHECK_EQ(o.max_counts, 500);
	CHECK_EQ(o.config.sent_stacks, 128);
	CHECK_EQ(o.config.sent_codes, 64);
	CHECK_EQ(o.ring_bytes, 4 << 20);
	CHECK_EQ(o.ring_most, 4 << 20);
}
