/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that calls a function. With OTHER (swapped_other.c) it has the same size, but other code. */
typedef int function(int);

#ifdef OTHER
#define MIDDLE middle_other

int filler(int n)
{
	volatile int sum = n;

	for (int i = 0; i < 3; i++)
		sum += i;
	return sum;
}
#else
#define MIDDLE middle_one
#endif

__attribute__((noinline)) int MIDDLE(function *f, int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += f(i);
	return sum;
}

__attribute__((noinline)) int outer(function *f, int n)
{
#ifdef OTHER
	volatile long more[4] = { 1 };

	n += more[1];
#endif
	return MIDDLE(f, n) + 1;
}
