/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A module that behaves like the output of a Python-to-C compiler that keeps Python's frames
 * (Nuitka). run(call) never ends: its function outer() calls inner(), which is machine code only,
 * and then call(). Both link frames of their own, which have no current instruction, and set the
 * line only before calls.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#if PY_VERSION_HEX >= 0x030b0000
#define Py_BUILD_CORE
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#endif
#include <time.h>

enum { OUTER_LINE = 10, CALL_INNER = 12, CALL_BACK = 13, INNER_LINE = 20 };

struct frame {
	PyFrameObject object;
#if PY_VERSION_HEX >= 0x030b0000
	void *of_its_own[8];
	_PyInterpreterFrame inner;
#endif
};

#if PY_VERSION_HEX >= 0x030d0000
#define CURRENT(state) ((state)->current_frame)
#elif PY_VERSION_HEX >= 0x030b0000
#define CURRENT(state) ((state)->cframe->current_frame)
#endif

static PyTypeObject frame_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "compiled.frame",
	.tp_basicsize = sizeof(struct frame),
	.tp_flags = Py_TPFLAGS_DEFAULT,
};

static int frame_init(struct frame *f, const char *name, int line)
{
	PyCodeObject *code = PyCode_NewEmpty("/compiled.py", name, line);

	if (!code)
		return -1;
	memset(f, 0, sizeof(*f));
	PyObject_Init((PyObject *)f, &frame_type);
	f->object.f_lineno = line;
#if PY_VERSION_HEX >= 0x030d0000
	f->inner.f_executable = (PyObject *)code;
	f->inner.instr_ptr = _PyCode_CODE(code) + 1;
#elif PY_VERSION_HEX >= 0x030b0000
	f->inner.f_code = code;
	f->inner.prev_instr = _PyCode_CODE(code);
#else
	f->object.f_code = code;
	f->object.f_lasti = -1;
#endif
#if PY_VERSION_HEX >= 0x030b0000
	f->inner.frame_obj = &f->object;
	f->inner.owner = FRAME_OWNED_BY_GENERATOR;
	f->object.f_frame = &f->inner;
#endif
	return 0;
}

static void push(PyThreadState *state, struct frame *f)
{
#if PY_VERSION_HEX >= 0x030b0000
	f->inner.previous = CURRENT(state);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	CURRENT(state) = &f->inner;
#else
	f->object.f_back = state->frame;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	state->frame = &f->object;
#endif
}

static void pop(PyThreadState *state, struct frame *f)
{
#if PY_VERSION_HEX >= 0x030b0000
	CURRENT(state) = f->inner.previous;
#else
	state->frame = f->object.f_back;
#endif
}

static void inner(PyThreadState *state, struct frame *f)
{
	clock_t end = clock() + CLOCKS_PER_SEC / 500;

	push(state, f);
	while (clock() < end)
		;
	pop(state, f);
}

/* Calls that have ended leave their words below the stack pointer, where the next calls may keep them. */
__attribute__((noinline)) static void wipe(void)
{
	char below[1 << 16];

	memset(below, 0, sizeof(below));
	__asm__ volatile("" : : "r"(below) : "memory"); /* not in vain, compiler */
}

static PyObject *run(PyObject *module, PyObject *call)
{
	PyThreadState *state = PyThreadState_Get();
	struct frame outer, in_outer;
	PyObject *result;

	if (frame_init(&outer, "outer", OUTER_LINE) || frame_init(&in_outer, "inner", INNER_LINE))
		return NULL;
	push(state, &outer);
	do {
		wipe();
		outer.object.f_lineno = CALL_INNER;
		inner(state, &in_outer);
		outer.object.f_lineno = CALL_BACK;
		result = PyObject_CallObject(call, NULL);
		Py_XDECREF(result);
	} while (result);
	pop(state, &outer);
	return NULL;
}

static PyMethodDef methods[] = { { "run", run, METH_O, NULL }, { NULL, NULL, 0, NULL } };

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT,
	.m_name = "compiled",
	.m_size = -1,
	.m_methods = methods,
};

PyMODINIT_FUNC PyInit_compiled(void)
{
	return PyType_Ready(&frame_type) ? NULL : PyModule_Create(&definition);
}
