// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// The recording as it is embedded in the page: tables whose entries refer to each other by index.
//
//	row: count of a stack                node: a stack          frame: a line      function
//	{node, group, weight}         ---->  {parent, frame}  --->  {func, line} ----> {name, file, kind}
//	   |    \--> group {program, process, thread, state}: an index into the values of each dimension
//	   \--> the bins of time in which it was sampled, with a weight for each
//
// Nodes are renumbered here in depth-first order: node N and its descendants are N..end[N] - 1, and node 0 is
// the empty stack. So if rows are sorted by node, the rows below a node are a range.

const KINDS = ["Own code", "Standard library", "Site-packages", "krait's markers", "Waiting", "Native code", "Kernel"];
const MARKER = 3, WAITING = 4, NATIVE = 5, KERNEL = 6;

// Invisible characters and those that change the direction of text. (Names of the recording have them escaped
// already; this is for the meta of the file.)
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

class Profile {
	constructor(raw) {
		this.meta = raw.meta;
		this.losses = raw.losses;
		this.unit = raw.meta.unit || "samples";
		this.files = raw.files;
		this.funcs = raw.funcs;
		this.frames = raw.frames;
		this.bins = raw.bins && raw.bins.count > 1 ? raw.bins : null; // time axis {ns, count}, null: none
		this.by = raw.by;
		this.dims = raw.dims;
		this.number(raw.nodes);
		this.takeRows(raw.rows);
		this.hasNative = raw.funcs.kind.includes(NATIVE);
		if (this.hasNative) this.addLibraries();
		this.ranks = rankBy(raw.funcs.name, (a, b) => this.compare(a, b));
		for (const dim of this.dims) dim.ranks = rankBy(dim.values, (a, b) => order(dim.values[a], dim.values[b]));
	}

	// Numbers the nodes depth first. In the given order, too, parents precede their children.
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

	// The children of node N, in order, are kids[firstKid[N]..firstKid[N + 1] - 1].
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

	// The bins of row N are bin[firstBin[N]..firstBin[N + 1] - 1]; weights have the same indices.
	takeBins(rows) {
		if (!this.bins) return;
		this.bin = Int32Array.from(rows.bin);
		this.binWeight = Float64Array.from(rows.binWeight);
		this.firstBin = new Int32Array(rows.bins.length + 1);
		rows.bins.forEach((n, row) => { this.firstBin[row + 1] = this.firstBin[row] + n; });
	}

	// --- native frames --------------------------------------------------------------------------

	// Adds a dimension that the groups do not have: the library that each row ended in. It divides groups.
	addLibraries() {
		const values = new Map(), parts = new Map(), groups = [], of = [];
		const number = (map, key) => map.get(key) ?? (map.set(key, map.size), map.size - 1);

		this.rowGroup = this.rowGroup.map((group, row) => {
			const value = number(values, this.library(this.rowNode[row]));
			const part = number(parts, group + " " + value);
			groups[part] = group;
			of[part] = value;
			return part;
		});
		for (const dim of this.dims) dim.of = groups.map((group) => dim.of[group]);
		this.dims.push({ name: "library", title: "Libraries", values: [...values.keys()], of });
	}

	// The library with the last function of a stack.
	library(node) {
		while (node && this.kind(this.frames.func[this.frame[node]]) === WAITING) node = this.parent[node];
		const func = this.frames.func[this.frame[node]], kind = node ? this.kind(func) : MARKER;

		if (kind === MARKER) return "[unknown]";
		if (kind === KERNEL) return "Kernel";
		if (kind !== NATIVE) return "Python";
		return this.file(func) < 0 ? "[unknown]" : this.files.short[this.file(func)];
	}

	// Is it a C function, or a marker for C functions that are missing?
	isNative(func) {
		return this.kind(func) === NATIVE ||
			(this.kind(func) === MARKER && this.funcs.name[func].startsWith("[native:"));
	}

	// The same recording without native frames: a node stands for those that lead to it, in the same order.
	withoutNative() {
		const n = this.parent.length, fresh = new Int32Array(n), kept = [0];

		for (let i = 1; i < n; i++) {
			const hidden = this.isNative(this.frames.func[this.frame[i]]);
			fresh[i] = hidden ? fresh[this.parent[i]] : kept.push(i) - 1;
		}
		const folded = Object.assign(Object.create(this), {
			frame: Int32Array.from(kept, (i) => this.frame[i]),
			parent: Int32Array.from(kept, (i) => fresh[this.parent[i]]),
			end: Int32Array.from(kept, (i) => lowerBound(kept, this.end[i], 0, kept.length)),
			rowNode: this.rowNode.map((node) => fresh[node]),
		});
		folded.linkKids();
		return folded;
	}

	// Calls see(bin, weight) for each bin of a row.
	eachBin(row, see) {
		for (let i = this.firstBin[row]; i < this.firstBin[row + 1]; i++) see(this.bin[i], this.binWeight[i]);
	}

	// The weight of a row in a range of bins.
	weightIn(row, from, to) {
		let sum = 0;

		if (!this.bins || (from === 0 && to === this.bins.count - 1)) return this.rowWeight[row];
		this.eachBin(row, (bin, weight) => { if (bin >= from && bin <= to) sum += weight; });
		return sum;
	}

	// The weight of each bin, summed over the groups that pass.
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

	// ":12", or ":~12" for an approximate line.
	lineText(frame) {
		const place = this.frames.place[frame];

		return place > 1 ? (place & 1 ? ":~" : ":") + (place >> 1) : "";
	}

	// As in the folded output: "name (file)", or with a frame "name (file:12)".
	text(func, frame = -1) {
		const file = this.file(func), name = this.funcs.name[func];

		if (file < 0) return name;
		const path = this.meta.fullPaths ? this.files.path[file] : this.files.short[file];
		return name + " (" + path + (frame < 0 ? "" : this.lineText(frame)) + ")";
	}

	// The dimension with this name, undefined if there is none.
	dim(name) {
		return this.dims.find((d) => d.name === name);
	}
}

function order(a, b) {
	return a < b ? -1 : a > b ? 1 : 0;
}

// For each index of a table, its rank in the order of compare().
function rankBy(table, compare) {
	const ranks = new Int32Array(table.length);

	Array.from(table.keys()).sort(compare).forEach((i, rank) => { ranks[i] = rank; });
	return ranks;
}

// Text that is safe to show, cut to a maximum length.
function shown(text, length = Infinity) {
	const cut = text.length > length ? text.slice(0, length - 1) + "\u2026" : text;

	return cut.replace(UNSEEN, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
}

function count(n) {
	return n.toLocaleString("en");
}

function percent(part, whole) {
	return (whole ? 100 * part / whole : 0).toFixed(2) + "\u00a0%"; // no line break before the sign
}
