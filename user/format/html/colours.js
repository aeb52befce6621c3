// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// Colours of boxes, as [hue, saturation, lightness]: one table for the light theme, one for the dark one.
// Functions of the same kind differ slightly in lightness, so that adjacent boxes can be told apart.

const PALETTES = {
	light: {
		text: "#14161a", faint: "#dfe2e7", quiet: "#565b66", bar: "#6f9fd0", cursor: "#0b5cad",
		kinds: [[38, 92, 64], [207, 68, 76], [152, 44, 66], [350, 48, 80], [262, 40, 82],
			[14, 76, 74], [350, 56, 68]],
		group: [225, 14, 84],
		states: {
			"running": [110, 44, 62], "runnable": [48, 80, 62], "throttled": [0, 60, 74], "gil wait": [22, 80, 68],
			"futex": [330, 46, 76], "sleeping": [262, 46, 80], "disk wait": [180, 36, 62], "stopped": [0, 0, 72],
		},
		codes: {
			"python": [207, 68, 72], "interpreter": [38, 90, 64], "native": [14, 76, 72], "kernel": [350, 56, 68],
			"gc": [84, 46, 62],
		},
		otherState: [0, 0, 84],
		name: [50, 50, 68],
		match: [300, 85, 74],
	},
	dark: {
		text: "#f2f4f7", faint: "#31353e", quiet: "#a4abb8", bar: "#44709f", cursor: "#9fd0ff",
		kinds: [[32, 74, 32], [207, 52, 34], [152, 42, 27], [350, 34, 36], [262, 26, 38],
			[14, 54, 36], [350, 44, 38]],
		group: [225, 12, 30],
		states: {
			"running": [110, 38, 28], "runnable": [48, 60, 28], "throttled": [0, 46, 38], "gil wait": [22, 56, 34],
			"futex": [330, 34, 38], "sleeping": [262, 32, 42], "disk wait": [180, 36, 27], "stopped": [0, 0, 34],
		},
		codes: {
			"python": [207, 54, 36], "interpreter": [34, 70, 32], "native": [14, 54, 36], "kernel": [350, 44, 38],
			"gc": [84, 38, 28],
		},
		otherState: [0, 0, 26],
		name: [50, 40, 32],
		match: [300, 64, 40],
	},
};

// A small number derived from a name.
function hash(text) {
	let h = 2166136261;

	for (let i = 0; i < text.length && i < 64; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
	return (h >>> 0) % 997;
}

function hsl([hue, saturation, lightness], shift = 0) {
	return `hsl(${hue} ${saturation}% ${lightness + shift}%)`;
}

class Colours {
	constructor(profile, dark) {
		this.p = profile;
		this.palette = PALETTES[dark ? "dark" : "light"];
		this.memo = new Map();
	}

	// The colour of a box that has a single one; way: "kind" or "name".
	box(tree, box, way, matched) {
		const id = tree.isFrame(box) ? tree.func(box) : -1;
		const key = (id + 1) * 2 + matched;
		let colour = this.memo.get(key);

		if (!colour) this.memo.set(key, colour = this.make(id, way, matched));
		return colour;
	}

	make(func, way, matched) {
		const { palette } = this;

		if (func < 0) return hsl(matched ? palette.match : palette.group);
		const h = hash(this.p.funcs.name[func]), shift = h % 5 * 2 - 4;
		if (matched) return hsl(palette.match, shift);
		if (way === "name") return hsl([10 + h % 13 * 5, ...palette.name.slice(1)], shift);
		return hsl(palette.kinds[this.p.kind(func)], shift);
	}

	kind(kind) {
		return hsl(this.palette.kinds[kind]);
	}

	// Of a thread state, or of a kind of code: "kernel: read" has the colour of "kernel".
	value(name) {
		const { states, codes, otherState } = this.palette;

		return hsl(states[name] || codes[name.split(":")[0]] || otherState);
	}
}
