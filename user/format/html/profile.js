// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// The recording, as the page was given it: tables of numbers that point into each other.
//
//	row: a stack was seen so often       node: a stack          frame: where       function
//	{node, group, weight}         ---->  {parent, frame}  --->  {func, line} ----> {name, file, kind}
//	   |    \--> group {program, process, thread, state}: an index into the values of each dimension
//	   \--> the bins of time in which it was seen, and how much of the weight each has
//
// Nodes are renumbered here in depth-first order: node N with all that is below it is N..end[N] - 1, and
// node 0 is the empty stack. So "all rows below a node" is a range wherever rows are sorted by node.

const KINDS = ["Own code", "Standard library", "Site-packages", "krait's marks", "Waiting"];

// What is not seen itself, or would turn the direction of the text around it. (The recording's own texts have
// these escaped already; what is left is what a file says of itself.)
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

class Profile {
	constructor(raw) {
		this.meta = raw.meta;
		this.losses = raw.losses;
		this.unit = raw.meta.unit || "samples";
		this.files = raw.files;
		this.funcs = raw.funcs;
		this.frames = raw.frames;
		this.bins = raw.bins && raw.bins.count > 1 ? raw.bins : null; // {ns, count}: the time axis, null: none
		this.by = raw.by;
		this.dims = raw.dims;
		this.number(raw.nodes);
		this.takeRows(raw.rows);
		this.ranks = rankBy(raw.funcs.name, (a, b) => this.compare(a, b));
		for (const dim of this.dims) dim.ranks = rankBy(dim.values, (a, b) => order(dim.values[a], dim.values[b]));
	}

	// Depth-first numbers. A parent is always before its children, in the given order too.
	number(nodes) {
		const n = nodes.up.length;
		const size = new Int32Array(n).fill(1), fresh = new Int32Array(n), next = new Int32Array(n);
		const up = (i) => i - nodes.up[i];

		for (let i = n - 1; i > 0; i--) size[up(i)] += size[i];
		this.parent = new Int32Array(n);
		this.frame = new Int32Array(n);
		this.end = new Int32Array(n);
		for (let i = 0; i < n; i++) {
			if (i) {
				fresh[i] = next[up(i)];
				next[up(i)] += size[i];
			}
			next[i] = fresh[i] + 1;
			this.parent[fresh[i]] = i ? fresh[up(i)] : 0;
			this.frame[fresh[i]] = nodes.frame[i];
			this.end[fresh[i]] = fresh[i] + size[i];
		}
		this.fresh = fresh;
		this.linkKids();
	}

	// Children of node N, in order: kids[firstKid[N]..firstKid[N + 1] - 1].
	linkKids() {
		const n = this.parent.length, first = new Int32Array(n + 2);

		for (let i = 1; i < n; i++) first[this.parent[i] + 2]++;
		for (let i = 2; i < n + 2; i++) first[i] += first[i - 1];
		this.kids = new Int32Array(n);
		for (let i = 1; i < n; i++) this.kids[first[this.parent[i] + 1]++] = i;
		this.firstKid = first;
	}

	takeRows(rows) {
		this.rowNode = Int32Array.from(rows.node, (n) => this.fresh[n]);
		this.rowGroup = Int32Array.from(rows.group);
		this.rowWeight = Float64Array.from(rows.weight);
		this.takeBins(rows);
		this.total = this.rowWeight.reduce((a, b) => a + b, 0);
		this.fresh = null;
	}

	// Of row N: bin[firstBin[N]..firstBin[N + 1] - 1] with the weights at the same places.
	takeBins(rows) {
		if (!this.bins) return;
		this.bin = Int32Array.from(rows.bin);
		this.binWeight = Float64Array.from(rows.binWeight);
		this.firstBin = new Int32Array(rows.bins.length + 1);
		rows.bins.forEach((n, row) => { this.firstBin[row + 1] = this.firstBin[row] + n; });
	}

	// Calls see(bin, weight) for each bin of a row.
	eachBin(row, see) {
		for (let i = this.firstBin[row]; i < this.firstBin[row + 1]; i++) see(this.bin[i], this.binWeight[i]);
	}

	// What a row has from one bin to another.
	weightIn(row, from, to) {
		let sum = 0;

		if (!this.bins || (from === 0 && to === this.bins.count - 1)) return this.rowWeight[row];
		this.eachBin(row, (bin, weight) => { if (bin >= from && bin <= to) sum += weight; });
		return sum;
	}

	// The weight of each bin, of the groups that pass.
	activity(passes) {
		const sums = new Float64Array(this.bins.count);

		this.rowGroup.forEach((group, row) => {
			if (passes(group)) this.eachBin(row, (bin, weight) => { sums[bin] += weight; });
		});
		return sums;
	}

	compare(a, b) {
		return order(this.funcs.name[a], this.funcs.name[b]) || this.funcs.file[a] - this.funcs.file[b];
	}

	kind(func) {
		return this.funcs.kind[func];
	}

	file(func) {
		return this.funcs.file[func] - 1; // -1: none
	}

	path(func) {
		const file = this.file(func);

		return file < 0 ? "" : this.files.path[file];
	}

	line(frame) {
		return this.frames.place[frame] >> 1; // 0: none
	}

	// ":12", ":~12" for a line that is near the one that ran.
	lineText(frame) {
		const place = this.frames.place[frame];

		return place > 1 ? (place & 1 ? ":~" : ":") + (place >> 1) : "";
	}

	// As in the folded output: "name (file)", with a frame "name (file:12)".
	text(func, frame = -1) {
		const file = this.file(func), name = this.funcs.name[func];

		if (file < 0) return name;
		const path = this.meta.fullPaths ? this.files.path[file] : this.files.short[file];
		return name + " (" + path + (frame < 0 ? "" : this.lineText(frame)) + ")";
	}

	// The dimension of that name, undefined if there is none.
	dim(name) {
		return this.dims.find((d) => d.name === name);
	}
}

function order(a, b) {
	return a < b ? -1 : a > b ? 1 : 0;
}

// For each index of a table its place in that order.
function rankBy(table, compare) {
	const ranks = new Int32Array(table.length);

	Array.from(table.keys()).sort(compare).forEach((i, rank) => { ranks[i] = rank; });
	return ranks;
}

// Text that is harmless and of bounded length wherever it is drawn.
function shown(text, length = Infinity) {
	const cut = text.length > length ? text.slice(0, length - 1) + "\u2026" : text;

	return cut.replace(UNSEEN, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
}

function count(n) {
	return n.toLocaleString("en");
}

function percent(part, whole) {
	return (whole ? 100 * part / whole : 0).toFixed(2) + "\u00a0%"; // that sign stays on its line
}
