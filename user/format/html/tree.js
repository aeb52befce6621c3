// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// A view of the recording: the selected rows as a tree of boxes, which is built on demand. Below the root, boxes
// are first the values of the dimensions that rows are grouped by, then frames:
//
//	all -- web-41 -- main -- serve           root first
//	 \--- db-7 ---- parse - serve - main    leaf first
//
// Rows are sorted by group, then by node, with prefix sums of their weights: the rows below a node are a range,
// and its weight is one subtraction. "parts" of a box are its sources. Root first they are triples (node, from,
// to), since several nodes may have the same text when lines are off. Leaf first they are pairs (row, node),
// where node is the rest of the row's stack, the callers of the box.
//
// So only the children of boxes that are wide enough to be seen are ever built.

class Box {
	constructor(parent, key) {
		this.parent = parent;
		this.key = key; // index of a dimension's value, of a function, or with lines of a frame
		this.depth = parent ? parent.depth + 1 : 0;
		this.parts = [];
		this.weight = 0;
		this.kids = null; // not built yet
		this.hit = 0; // weight of stacks that match the search number "asked"
		this.asked = -1;
	}
}

class Tree {
	// what: {by: names of dimensions, reversed, lines, passes(group), from, to: bins}
	constructor(profile, what) {
		this.p = profile;
		this.what = what;
		this.dims = what.by.map((name) => profile.dim(name));
		this.sort();
		this.sums = sumUp(this.weights);
		this.total = this.sums[this.sums.length - 1];
		this.sumsOf = new Map(); // dimension -> for each of its values, prefix sums of the rows
		this.search(null, 0);
		this.root = new Box(null, 0);
		this.root.parts = [0, this.rows.length];
		this.root.weight = this.total;
	}

	// --- rows -----------------------------------------------------------------------------------

	pick() {
		const p = this.p, { passes, from, to } = this.what;
		const groups = p.dims.length ? p.dims[0].of.length : 0;
		const ok = Uint8Array.from({ length: groups }, (_, group) => passes(group));

		return Int32Array.from(p.rowNode.keys())
			.filter((row) => ok[p.rowGroup[row]] && p.weightIn(row, from, to));
	}

	sort() {
		const { p, what: { from, to } } = this;
		let rows = sortBy(this.pick(), (row) => p.rowNode[row], p.parent.length);

		for (const dim of this.dims.slice().reverse())
			rows = sortBy(rows, (row) => dim.ranks[dim.of[p.rowGroup[row]]], dim.values.length);
		this.rows = rows;
		this.nodes = rows.map((row) => p.rowNode[row]);
		this.weights = Float64Array.from(rows, (row) => p.weightIn(row, from, to));
	}

	// --- children -------------------------------------------------------------------------------

	kids(box) {
		if (box.kids) return box.kids;
		const found = new Map();

		if (box.depth < this.dims.length) this.splitByDim(box, found);
		else if (this.what.reversed) this.stepOut(box, found);
		else this.stepIn(box, found);
		box.kids = Array.from(found.values()).sort((a, b) => this.compare(a, b));
		return box.kids;
	}

	child(box, key, found) {
		let kid = found.get(key);

		if (!kid) found.set(key, kid = new Box(box, key));
		return kid;
	}

	splitByDim(box, found) {
		const dim = this.dims[box.depth], [from, to] = box.parts;

		for (let i = from; i < to; i++) {
			const kid = this.child(box, dim.of[this.p.rowGroup[this.rows[i]]], found);
			if (!kid.parts.length) kid.parts = [i, i];
			kid.parts[1] = i + 1;
			kid.weight += this.weights[i];
		}
	}

	// The parts from which the frames directly below a box of a dimension are built.
	start(box) {
		const [from, to] = box.parts, parts = [];

		if (!this.what.reversed) return [0, from, to];
		for (let i = from; i < to; i++) parts.push(i, this.nodes[i]);
		return parts;
	}

	frameParts(box) {
		return box.depth === this.dims.length ? this.start(box) : box.parts;
	}

	frameKey(node) {
		const frame = this.p.frame[node];

		return this.what.lines ? frame : this.p.frames.func[frame];
	}

	stepIn(box, found) {
		const { end } = this.p, parts = this.frameParts(box);

		for (let n = 0; n < parts.length; n += 3) {
			let from = lowerBound(this.nodes, parts[n] + 1, parts[n + 1], parts[n + 2]);
			while (from < parts[n + 2]) {
				const node = this.kidWith(parts[n], this.nodes[from]);
				const to = lowerBound(this.nodes, end[node], from, parts[n + 2]);
				const kid = this.child(box, this.frameKey(node), found);
				kid.parts.push(node, from, to);
				kid.weight += this.sums[to] - this.sums[from];
				from = to;
			}
		}
	}

	// The child of a node that is an ancestor of (or is) a deeper node.
	kidWith(node, deeper) {
		const { kids, firstKid } = this.p;

		return kids[lowerBound(kids, deeper + 1, firstKid[node], firstKid[node + 1]) - 1];
	}

	stepOut(box, found) {
		const parts = this.frameParts(box);

		for (let n = 0; n < parts.length; n += 2) {
			if (!parts[n + 1]) continue;
			const kid = this.child(box, this.frameKey(parts[n + 1]), found);
			kid.parts.push(parts[n], this.p.parent[parts[n + 1]]);
			kid.weight += this.weights[parts[n]];
		}
	}

	compare(a, b) {
		if (a.depth <= this.dims.length) {
			const { ranks } = this.dims[a.depth - 1];
			return ranks[a.key] - ranks[b.key];
		}
		return this.p.ranks[this.func(a)] - this.p.ranks[this.func(b)] || a.key - b.key;
	}

	// --- properties of a box ----------------------------------------------------------------------

	isFrame(box) {
		return box.depth > this.dims.length;
	}

	func(box) {
		return this.what.lines ? this.p.frames.func[box.key] : box.key;
	}

	text(box) {
		if (!box.depth) return "all";
		if (!this.isFrame(box)) return this.dims[box.depth - 1].values[box.key];
		return this.p.text(this.func(box), this.what.lines ? box.key : -1);
	}

	self(box) {
		return this.kids(box).reduce((rest, kid) => rest - kid.weight, box.weight);
	}

	// Calls see(from, to) for ranges of rows that together are the rows of the box.
	eachRange(box, see) {
		const { parts } = box, frames = this.isFrame(box);

		if (!frames) see(parts[0], parts[1]);
		else if (this.what.reversed) for (let n = 0; n < parts.length; n += 2) see(parts[n], parts[n] + 1);
		else for (let n = 0; n < parts.length; n += 3) see(parts[n + 1], parts[n + 2]);
	}

	// The weight of each line of a function's box: [[frame, weight], ...], heaviest first.
	lines(box) {
		const { p, what } = this, of = new Map(), { parts } = box;
		const add = (frame, weight) => of.set(frame, (of.get(frame) || 0) + weight);

		if (!this.isFrame(box) || what.lines) return [];
		// Leaf first the node of a part is already the caller: step back to the node of the box itself.
		if (what.reversed)
			for (let n = 0; n < parts.length; n += 2)
				add(p.frame[this.stepBack(box, parts[n])], this.weights[parts[n]]);
		else
			for (let n = 0; n < parts.length; n += 3)
				add(p.frame[parts[n]], this.sums[parts[n + 2]] - this.sums[parts[n + 1]]);
		return [...of].filter(([frame]) => p.line(frame)).sort((a, b) => b[1] - a[1]);
	}

	// Leaf first: the node of the row's stack that the box stands for.
	stepBack(box, row) {
		let node = this.nodes[row];

		for (let n = this.dims.length + 1; n < box.depth; n++) node = this.p.parent[node];
		return node;
	}

	// The keys from the root to a box; follow() is the inverse and stops at a key that does not exist.
	path(box) {
		const keys = [];

		for (; box.parent; box = box.parent) keys.unshift(box.key);
		return keys;
	}

	follow(keys) {
		let box = this.root;

		for (const key of keys) {
			const kid = this.kids(box).find((k) => k.key === key);
			if (!kid) break;
			box = kid;
		}
		return box;
	}

	// --- search -----------------------------------------------------------------------------------

	// found: {funcs, values: a table for each dimension}, tables of 0 and 1; null: no search.
	search(found, time) {
		this.found = found;
		this.time = time;
		this.hitSums = found && sumUp(this.weights.map((weight, i) => this.rowMatches(i) ? weight : 0));
	}

	rowMatches(i) {
		const group = this.p.rowGroup[this.rows[i]];

		return this.found.nodes[this.nodes[i]] ||
			this.dims.some((dim) => this.found.values.get(dim.name)[dim.of[group]]);
	}

	matches(box) {
		if (!this.found || !box.depth) return false;
		if (this.isFrame(box)) return this.found.funcs[this.func(box)] > 0;
		return this.found.values.get(this.dims[box.depth - 1].name)[box.key] > 0;
	}

	// The weight of matching stacks below a box; a stack counts once, even if several of its frames match.
	hit(box) {
		if (!this.found) return 0;
		if (box.asked !== this.time) {
			box.hit = 0;
			box.asked = this.time;
			this.eachRange(box, (from, to) => { box.hit += this.hitSums[to] - this.hitSums[from]; });
		}
		return box.hit;
	}

	// --- states, kinds of code --------------------------------------------------------------------

	// The weight of a box, divided by the values of a dimension.
	shares(box, dim) {
		if (!this.sumsOf.has(dim)) this.sumsOf.set(dim, dim.values.map((_, value) =>
			sumUp(this.weights.map((w, i) => dim.of[this.p.rowGroup[this.rows[i]]] === value ? w : 0))));
		const shares = new Float64Array(dim.values.length);
		this.eachRange(box, (from, to) => {
			this.sumsOf.get(dim).forEach((sums, value) => { shares[value] += sums[to] - sums[from]; });
		});
		return shares;
	}

	// --- functions ----------------------------------------------------------------------------------

	// {self, total} of each function in the rows of a box. A recursive function counts once per stack.
	functions(box) {
		const { p } = this, n = p.funcs.name.length;
		const self = new Float64Array(n), total = new Float64Array(n), below = new Float64Array(p.parent.length);

		this.eachRange(box, (from, to) => {
			for (let i = from; i < to; i++) below[this.nodes[i]] += this.weights[i];
		});
		for (let node = below.length - 1; node > 0; node--) self[p.frames.func[p.frame[node]]] += below[node];
		for (let node = below.length - 1; node > 0; node--) below[p.parent[node]] += below[node];
		this.addTotals(below, total);
		return { self, total };
	}

	// Visits nodes depth first; until[func]: the end of the outermost node of func that the walk is inside.
	addTotals(below, total) {
		const { p } = this, until = new Int32Array(total.length);

		for (let node = 1; node < below.length; node++) {
			const func = p.frames.func[p.frame[node]];
			if (node < until[func]) continue;
			until[func] = p.end[node];
			total[func] += below[node];
		}
	}
}

// Prefix sums: sums[i] is the sum of all values before i.
function sumUp(values) {
	const sums = new Float64Array(values.length + 1);

	for (let i = 0; i < values.length; i++) sums[i + 1] = sums[i] + values[i];
	return sums;
}

// The index of the first item of sorted[from..to - 1] that is >= value, or `to`.
function lowerBound(sorted, value, from, to) {
	while (from < to) {
		const middle = (from + to) >> 1;
		if (sorted[middle] < value) from = middle + 1;
		else to = middle;
	}
	return from;
}

// Stable counting sort; keys are 0..n - 1.
function sortBy(rows, key, n) {
	const next = new Int32Array(n + 1), sorted = new Int32Array(rows.length);

	for (const row of rows) next[key(row) + 1]++;
	for (let i = 1; i <= n; i++) next[i] += next[i - 1];
	for (const row of rows) sorted[next[key(row)]++] = row;
	return sorted;
}

// The functions and values of dimensions that match a regular expression, for Tree.search().
function searchProfile(p, re) {
	const n = p.parent.length, nodes = new Uint8Array(n);
	const files = Uint8Array.from(p.files.path, (path) => re.test(path));
	const funcs = Uint8Array.from(p.funcs.name, (name, i) => re.test(name) || (p.file(i) >= 0 && files[p.file(i)]));
	const values = new Map(p.dims.map((dim) => [dim.name, Uint8Array.from(dim.values, (v) => re.test(v))]));

	for (let node = 1; node < n; node++)
		nodes[node] = nodes[p.parent[node]] | funcs[p.frames.func[p.frame[node]]];
	return { funcs, values, nodes };
}
