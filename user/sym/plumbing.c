/* SPDX-License-Identifier: BSD-2-Clause */
#include "sym/plumbing.h"

#include <stddef.h>
#include <string.h>

/* A trailing * stands for any rest. */
static const char *const passing[] = {
	/* calls */
	"_PyEval_Vector*",
	"_PyEval_EvalCode*",
	"_PyEval_EvalFrame",
	"PyEval_EvalCode*",
	"PyEval_EvalFrame*",
	"_PyFunction_*",
	"function_code_fastcall*",
	"PyObject_Vectorcall*",
	"_PyObject_Vectorcall*",
	"_PyObject_Call*",
	"_PyObject_Fast*",
	"PyObject_Call*",
	"object_vacall*",
	"_PyObject_MakeTpCall*",
	"PyVectorcall_Call*",
	"_PyVectorcall_Call*",
	"_PyStack_*",
	"_PyCFunction_*",
	"_PyMethodDef_RawFastCall*",
	"_PyMethodDescr_*",
	"_PyMethod_*",
	"PyCFunction_*",
	"call_function*",
	"cfunction_*",
	"method_call*",
	"method_vectorcall*",
	"vectorcall_*",
	"do_call*",
	"slot_tp_call*",
	"type_call*",
	"wrapper_call*",
	"context_run*",
	"_call_function*",
	/* a frame of a function or a generator */
	"fast_function*",
	/* the start of a program or thread */
	"_start",
	"main",
	"__libc_start_*",
	"Py_BytesMain",
	"Py_Main",
	"Py_RunMain",
	"pymain_*",
	"run_mod*",
	"run_eval_code*",
	"pyrun_*",
	"PyRun_*",
	"_PyRun_*",
	"clone",
	"clone3",
	"__clone*",
	"start_thread",
	"pythread_wrapper",
	"t_bootstrap",
	"thread_run*",
};

static const char *const loop[] = {
	"_PyEval_EvalFrameDefault*",
	"PyEval_EvalFrameEx*",
	"_TAIL_CALL_*",
};

static bool matches(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');

	return star ? !strncmp(pattern, name, star - pattern) : !strcmp(pattern, name);
}

static bool is_in(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (matches(list[i], name))
			return true;
	return false;
}

bool plumbing_is(const char *name)
{
	return is_in(passing, sizeof(passing) / sizeof(passing[0]), name);
}

bool plumbing_is_loop(const char *name)
{
	return is_in(loop, sizeof(loop) / sizeof(loop[0]), name);
}
