/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where CPython keeps what a walk reads: one row of offsets for one build of the interpreter. Rows
 * come from a table (3.6-3.12) or from the target's own _Py_DebugOffsets (3.13+); the walker knows
 * no version, only rows. Offsets are bytes; names follow CPython's.
 *
 *	PyThreadState --frame--> PyFrameObject --f_back--> ...           up to 3.10
 *	PyThreadState --cframe--> _PyCFrame --> _PyInterpreterFrame      3.11, 3.12
 *	PyThreadState --current_frame--> _PyInterpreterFrame --previous--> ...   3.13+
 */
#ifndef KRAIT_PYLAYOUT_H
#define KRAIT_PYLAYOUT_H

#include "wire.h"

enum py_flags {
	PY_IFRAME = 1,      /* frames are _PyInterpreterFrame and lie in the data stack */
	PY_CFRAME = 2,      /* the thread state points to a _PyCFrame on the C stack */
	PY_LASTI_UNITS = 4, /* f_lasti counts 2-byte code units */
	PY_SHIM = 8, /* owner >= owner_shim: an entry frame, no code; the root has no previous */
	PY_IS_ENTRY = 16,         /* the root has is_entry set */
	PY_CONTIGUOUS = 32,       /* a new frame's link may be stale: its callers bear marks */
	PY_ENTRY_WINDOW = 64,     /* the prologue of the interpreter has no chain */
	PY_CODE_VERSION = 128,    /* ident[] holds a number that no two code objects share */
	PY_INIT_CLEANUP = 256,    /* a code object whose file is its name is no function */
	PY_KEY_FLAG = 512,        /* the int before the slot's number says whether it is made */
	PY_GEN_NEEDS_BACK = 1024, /* a generator at the root is a generator half resumed (3.10) */
};

enum py_flavour {
	PY_DEBUG = 1, /* built with Py_DEBUG */
	PY_FREE_THREADED = 2,
	PY_NEWER = 4, /* than the rows: read like the newest one */
	PY_FLAVOURS = 8,
};

enum {
	PY_TS_MAX = 512,    /* bytes of a thread state that a row may ask for */
	PY_FRAME_MAX = 256, /* of a frame */
	PY_CODE_MAX = 240,  /* of a code object */
	PY_IDENTS = 6,
	PY_ENTRY_BYTES = 0x100,
};

struct py_layout {
	__u16 version; /* PY_VERSION_HEX >> 16 */
	__u16 flags;   /* enum py_flags */

	/* PyThreadState: one read of ts_size bytes. */
	__u16 ts_size;
	__u16 ts_next;
	__u16 ts_interp;
	__u16 ts_thread_id;
	__u16 ts_native_id; /* 0: there is none */
	__u16 ts_frame;     /* frame, cframe or current_frame */
	__u16 ts_chunk;     /* datastack_chunk (3.11, 3.12) */
	__u16 cf_frame;     /* _PyCFrame.current_frame */
	__u16 ts_executor;  /* current_executor: not NULL in compiled code (3.14+ with a JIT) */

	/* Frames. */
	__u16 fr_size;
	__u16 fr_code;
	__u16 fr_back;
	__u16 fr_instr; /* f_lasti (int), or the pointer prev_instr or instr_ptr */
	__u16 fr_owner;
	__u16 fr_entry;
	__u16 fr_stacktop; /* -1 while the frame runs or is in C code (3.11, 3.12) */
	__u16 fr_return;   /* return_offset, u16 (3.12); 0: there is none */
	__u16 fr_locals;   /* localsplus: the words before it precede a frame's variables */
	__u16 owner_shim;
	__u16 fr_tlbc; /* i32, which of co_tlbc's bytecodes runs (free-threaded 3.14+); 0: none */

	/* PyCodeObject: one read of co_size bytes. */
	__u16 co_size;
	__u16 co_flags;
	__u16 co_firstline;
	__u16 co_file;
	__u16 co_name;
	__u16 co_qualname; /* 0: there is none */
	__u16 co_table;
	__u16 co_bytecode; /* co_code_adaptive; 0: frames keep an index */
	__u16 co_stacksize;
	__u16 co_nlocalsplus;
	__u16 co_tlbc;             /* array of bytecodes: its size, then pointers; 0: none */
	__u16 co_ident[PY_IDENTS]; /* 8-aligned words that never change in a code object's life */

	/* Objects. */
	__u16 ob_type;
	__u16 us_length;
	__u16 us_hash;
	__u16 us_state; /* u32: kind at bit us_kind (3 bits), ascii at bit us_ascii_bit */
	__u16 us_kind;
	__u16 us_ascii_bit;
	__u16 us_ascii;   /* data of an ASCII string */
	__u16 us_compact; /* data of any other */
	__u16 by_size;
	__u16 by_data;

	/* Interpreters. */
	__u16 in_next;
	__u16 in_threads;
	__u16 rt_interps;  /* in _PyRuntime; the four are for the loader */
	__u16 rt_current;  /* gilstate.tstate_current */
	__u16 rt_key;      /* gilstate.autoTSSkey._key */
	__u16 line_format; /* enum linetable_format */
	__u16 flavour;     /* set of enum py_flavour; for the loader, too */
};
_Static_assert(sizeof(struct py_layout) == 112, "wire");

#endif
