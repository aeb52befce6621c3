// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// The page. Its state is also in the address, so that a link reproduces what its sender saw. Every action of the
// user changes the state, and everything else is derived from it:
//
//	state {by, lines, reversed, fold, only, time} -> tree --+
//	state {q} ---------------------------> found -----+--> graph, details, functions
//	state {zoom, colour, theme, flame} ----------------+
//
// window.krait lets tests and the console read what is shown, as numbers. It is read-only.

const $ = (id) => document.getElementById(id);

const FLAGS = ["flame", "reversed", "lines", "fold"]; // of the state, each a checkbox

class Page {
	constructor(profile) {
		this.p = profile;
		this.searches = 0;
		this.state = this.read();
		this.dimOf = { state: profile.dim("state"), code: profile.dim("kind") }; // of ways to colour
		this.graph = new Graph($("graph"), $("flames"), {
			look: (box) => this.describe(box),
			zoom: (box) => this.change({ zoom: this.tree.path(box) }),
		});
		this.panels = profile.dims.filter((dim) => dim.values.length > 1)
			.map((dim) => new DimPanel(profile, dim, (name, only) => this.choose(name, only)));
		this.strip = profile.bins ? new Strip(profile.bins, (time, slides) => this.change({ time }, slides)) : null;
		this.fill();
		this.listen();
	}

	// --- state and address --------------------------------------------------------------------------

	allTime() {
		return [0, this.p.bins ? this.p.bins.count - 1 : 0];
	}

	// The state that the address asks for. Missing parts get their defaults; names that do not exist in this
	// recording are ignored.
	read() {
		const asked = new URLSearchParams(location.hash.slice(1)), p = this.p;
		const by = asked.has("by") ? asked.get("by").split(",") : p.by;
		const time = (asked.get("time") || "").split("-").map(Number);
		const last = this.allTime()[1];

		return {
			q: asked.get("q") || "",
			by: by.filter((name) => p.dim(name)),
			colour: ["kind", "state", "code", "name"].find((c) => c === asked.get("colour")) || "kind",
			theme: ["light", "dark"].find((t) => t === asked.get("theme")) || "auto",
			flame: asked.get("flame") === "1",
			reversed: asked.get("reversed") === "1",
			lines: asked.get("lines") === "1",
			fold: asked.get("fold") === "1",
			zoom: (asked.get("zoom") || "").split(".").filter((x) => /^\d+$/.test(x)).map(Number),
			time: time.length === 2 && time[0] <= time[1] && time[1] <= last ? time : this.allTime(),
			only: new Map(p.dims.map((dim) => [dim.name, this.readOnly(dim, asked)])),
		};
	}

	readOnly(dim, asked) {
		const values = asked.getAll("in." + dim.name).map((text) => dim.values.indexOf(text));

		return new Set(values.filter((value) => value >= 0));
	}

	write() {
		const s = this.state, address = new URLSearchParams(), p = this.p;
		const put = (key, value, usual = "") => { if (String(value) !== String(usual)) address.append(key, value); };

		put("q", s.q);
		put("by", s.by.join(","), p.by.join(","));
		put("colour", s.colour, "kind");
		put("theme", s.theme, "auto");
		for (const flag of FLAGS) put(flag, s[flag] ? 1 : "");
		put("zoom", s.zoom.join("."));
		put("time", s.time.join("-"), this.allTime().join("-"));
		for (const dim of p.dims)
			for (const value of s.only.get(dim.name)) address.append("in." + dim.name, dim.values[value]);
		return "#" + address;
	}

	// Resets the zoom if the change makes a new tree, where the boxes are different ones.
	change(changes, replace = false) {
		if (["by", "reversed", "lines", "fold"].some((key) => key in changes)) changes = { zoom: [], ...changes };
		this.state = { ...this.state, ...changes };
		this.remember(this.write(), replace);
		this.show();
	}

	// Browsers may refuse history.pushState() in local files or if called often; then the hash is set instead.
	remember(address, replace) {
		if (address === (location.hash || "#")) return;
		try {
			history[replace ? "replaceState" : "pushState"](null, "", address);
		} catch {
			location.hash = address;
		}
	}

	choose(name, values) {
		this.change({ only: new Map(this.state.only).set(name, values) });
	}

	// --- from state to picture ------------------------------------------------------------------------

	show() {
		this.setTheme();
		this.updateTree();
		this.updateSearch();
		this.focus = this.tree.follow(this.state.zoom);
		this.showControls();
		$("empty").hidden = this.tree.total > 0;
		$("graph").hidden = !this.tree.total;
		this.graph.show(this.tree, this.focus, {
			colours: this.colours, way: this.state.colour, flame: this.state.flame,
			dim: this.dimOf[this.state.colour] || null,
		});
		this.showMatched();
		this.showLegend();
		this.showFunctions();
		this.describe(this.graph.cursor);
		this.followRoot();
	}

	// With the root at the bottom, the root of a high graph is out of sight: scroll to it as that view opens.
	followRoot() {
		if (this.state.flame && !this.wasFlame) this.graph.reveal(this.focus);
		this.wasFlame = this.state.flame;
	}

	setTheme() {
		const { theme, colour } = this.state;
		const dark = theme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";

		document.documentElement.dataset.theme = dark ? "dark" : "light";
		if (this.painted === colour + dark) return;
		this.painted = colour + dark;
		this.colours = new Colours(this.p, dark);
	}

	updateTree() {
		const { by, reversed, lines, fold, only, time } = this.state;
		const key = JSON.stringify([by, reversed, lines, fold, time, [...only].map(([name, set]) => [name, ...set])]);

		if (key === this.treeKey) return;
		this.treeKey = key;
		if (fold && !this.folded) this.folded = this.p.withoutNative();
		this.tree = new Tree(fold ? this.folded : this.p, { by, reversed, lines, from: time[0], to: time[1], passes: this.filter(only) });
		this.searched = null;
	}

	filter(only) {
		const chosen = this.p.dims.filter((dim) => only.get(dim.name).size);

		return (group) => chosen.every((dim) => only.get(dim.name).has(dim.of[group]));
	}

	// A capital letter, unless after a backslash, makes the search case-sensitive.
	updateSearch() {
		const { q } = this.state;
		let found = null;

		if (q === this.searched) return;
		this.searched = q;
		this.wrong = "";
		try {
			if (q) found = searchProfile(this.tree.p, new RegExp(q, /[A-Z]/.test(q.replace(/\\./g, "")) ? "u" : "iu"));
		} catch (e) {
			this.wrong = e.message;
		}
		this.tree.search(found, ++this.searches);
	}

	showMatched() {
		const { tree, focus, wrong } = this, all = tree.hit(tree.root), said = $("matched");

		$("search").setAttribute("aria-invalid", Boolean(wrong));
		said.classList.toggle("bad", Boolean(wrong));
		if (wrong) said.textContent = wrong;
		else if (!tree.found) said.textContent = "";
		else said.textContent = `Matched: ${percent(all, tree.total)} (${count(all)} ${this.p.unit})` +
			(focus.depth ? `, ${percent(tree.hit(focus), focus.weight)} of the zoomed frame` : "");
	}

	showLegend() {
		const dim = this.dimOf[this.state.colour];
		const parts = dim ? this.valueParts(dim) : this.state.colour === "kind" ? this.kindParts() : [];

		$("legend").replaceChildren(...parts.filter(([, weight]) => weight).map(([name, weight, colour]) => {
			const swatch = make("i");
			swatch.style.background = colour;
			return make("li", {}, swatch, `${name} ${percent(weight, this.focus.weight)}`);
		}));
	}

	valueParts(dim) {
		return Array.from(this.tree.shares(this.focus, dim),
			(weight, value) => [shown(dim.values[value]), weight, this.colours.value(dim.values[value])]);
	}

	// Weights by the kind of the leaf frame, that is, whose code ran.
	kindParts() {
		const { self } = this.functions(), weights = KINDS.map(() => 0);

		self.forEach((weight, func) => { weights[this.p.kind(func)] += weight; });
		return weights.map((weight, kind) => [KINDS[kind], weight, this.colours.kind(kind)]);
	}

	functions() {
		if (this.functionsOf !== this.focus) {
			this.functionsOf = this.focus;
			this.ran = this.tree.functions(this.focus);
		}
		return this.ran;
	}

	// --- text -----------------------------------------------------------------------------------------

	// Fills the details line for a box, or for a cell of narrow boxes.
	describe(box) {
		const [name, place] = document.querySelectorAll("#details .what > *");
		const { tree } = this, real = box instanceof Box;

		if (!box) return;
		this.selected = real ? box : null;
		const [title, where] = real ? this.title(box) : [`${count(box.boxes)} narrow frames`, ""];
		name.textContent = shown(title, 20000);
		place.textContent = shown(where, 20000);
		$("details").querySelector(".numbers").textContent = this.numbers(box, real);
		$("details").querySelector(".lines").textContent = real ? this.lineText(tree.lines(box), box) : "";
		$("zoom").hidden = !real || box === this.focus;
		this.candidate = real ? box : null;
	}

	title(box) {
		const { tree, p } = this;

		if (!tree.isFrame(box)) return [tree.text(box), ""];
		const func = tree.func(box), line = tree.what.lines ? p.lineText(box.key) : "";
		return [p.funcs.name[func], p.path(func) + line];
	}

	numbers(box, real) {
		const { tree, focus } = this, parts = [`${count(box.weight)} ${this.p.unit}`, `${percent(box.weight, tree.total)}`];

		if (focus.depth) parts.push(`${percent(box.weight, focus.weight)} of the zoomed frame`);
		if (real && tree.isFrame(box) && !tree.what.reversed) parts.push(`self ${percent(tree.self(box), tree.total)}`);
		if (real && tree.found) parts.push(`matched ${percent(tree.hit(box), box.weight)}`);
		return parts.join(" \u00b7 ");
	}

	lineText(lines, box) {
		const most = lines.slice(0, 6).map(([frame, weight]) =>
			`line ${this.p.lineText(frame).slice(1)} ${percent(weight, box.weight)}`);

		return most.concat(lines.length > 6 ? ["\u2026"] : []).join(" \u00b7 ");
	}

	// Updates the table only while it is open: with many functions it takes longer than the graph.
	showFunctions() {
		if (!$("functions").open) return;
		const { self, total } = this.functions();
		const most = Array.from(total.keys()).filter((f) => total[f])
			.sort((a, b) => self[b] - self[a] || total[b] - total[a]).slice(0, 100);

		document.querySelector("#functions tbody").replaceChildren(...most.map((func) => make("tr", {},
			make("td", { textContent: percent(self[func], this.focus.weight) }),
			make("td", { textContent: percent(total[func], this.focus.weight) }),
			make("td", {}, this.searchButton(func),
				make("span", { className: "place", textContent: shown(this.p.path(func), 1000) })))));
	}

	searchButton(func) {
		const name = this.p.funcs.name[func], q = "^" + name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") + "$";

		return make("button", { type: "button", textContent: shown(name, 1000), title: "Search",
			onclick: () => this.change({ q }) });
	}

	// --- controls -------------------------------------------------------------------------------------

	fill() {
		const { p } = this, dims = p.dims.filter((dim) => dim.values.length > 1 || p.by.includes(dim.name));
		const choices = [["", "nothing"], ...dims.map((dim) => [dim.name, dim.name])];
		const usual = p.by.join(",");

		if (!choices.some(([value]) => value === usual)) choices.push([usual, p.by.join(", ")]);
		if (p.dim("process") && p.dim("thread") && dims.includes(p.dim("thread")) && usual !== "process,thread")
			choices.push(["process,thread", "process, thread"]);
		$("by").replaceChildren(...choices.map(([value, text]) => make("option", { value, textContent: text })));
		$("colour").replaceChildren(...[["kind", "origin"], ["state", "thread state"], ["code", "kind of code"],
			["name", "name"]]
			.filter(([value]) => !this.dimOf[value] || this.dimOf[value].values.length > 1)
			.map(([value, text]) => make("option", { value, textContent: text })));
		$("lines").parentElement.hidden = !p.meta.lines;
		$("fold").parentElement.hidden = !p.hasNative;
		$("filter").hidden = !this.panels.length;
		$("dims").append(...this.panels.map((panel) => panel.element));
		$("activity").hidden = !this.strip;
		$("summary").textContent = $("summary").textContent.replace(/^\d+/, count(p.total));
		this.fillLosses();
	}

	fillLosses() {
		const lost = this.p.losses.filter((loss) => loss.count);
		const sum = lost.reduce((n, loss) => n + loss.count, 0);

		if (!lost.length) return;
		$("lost").hidden = false;
		$("lost").querySelector("summary").textContent = `${count(sum)} samples lost or truncated`;
		$("lost").querySelector("ul").append(...lost.map((loss) =>
			make("li", { textContent: `${count(loss.count)} sample${loss.count === 1 ? "" : "s"}: ${shown(loss.text)}` })));
	}

	showControls() {
		const s = this.state, chosen = [...s.only.values()].filter((set) => set.size).length;

		if (document.activeElement !== $("search") || !s.q) $("search").value = s.q;
		$("by").value = s.by.join(",");
		$("colour").value = s.colour;
		$("theme").value = s.theme;
		for (const flag of FLAGS) $(flag).checked = s[flag];
		$("reset").disabled = !this.focus.depth;
		$("filtered").textContent = chosen || this.tree.total < this.p.total ?
			`\u2013 ${count(this.tree.total)} of ${count(this.p.total)} ${this.p.unit}` : "";
		for (const panel of this.panels) panel.show(s.only.get(panel.dim.name));
		if (this.strip) this.strip.show(s.time, this.p.activity(this.filter(s.only)), this.colours);
	}

	listen() {
		const on = (id, event, action) => $(id).addEventListener(event, action);

		on("search", "input", () => this.change({ q: $("search").value }, true));
		on("reset", "click", () => this.change({ zoom: [] }));
		on("zoom", "click", () => this.candidate && this.change({ zoom: this.tree.path(this.candidate) }));
		on("by", "change", () => this.change({ by: $("by").value.split(",").filter(Boolean) }));
		for (const id of ["colour", "theme"]) on(id, "change", () => this.change({ [id]: $(id).value }));
		for (const id of FLAGS) on(id, "change", () => this.change({ [id]: $(id).checked }));
		on("functions", "toggle", () => this.showFunctions());
		addEventListener("keydown", (e) => this.key(e));
		addEventListener("popstate", () => this.revisit());
		addEventListener("hashchange", () => this.revisit());
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
	}

	revisit() {
		this.state = this.read();
		this.show();
	}

	key(event) {
		const typing = /^(INPUT|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox";

		if (event.key === "Escape") {
			if (event.target === $("search")) this.change({ q: "" });
			else this.change({ zoom: [] });
		} else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
			event.preventDefault();
			$("search").focus();
			$("search").select();
		}
	}
}

// --- window.krait -----------------------------------------------------------------------------------

function told(page, box) {
	const { tree } = page;

	return box && { text: tree.text(box), weight: box.weight, self: tree.self(box), matched: tree.hit(box),
		depth: box.depth, rectangle: page.graph.rectangle(box) };
}

// The box whose path from the root has these texts, null if there is none.
function find(page, texts) {
	let box = page.tree.root;

	for (const text of texts) {
		box = page.tree.kids(box).find((kid) => page.tree.text(kid) === text);
		if (!box) return null;
	}
	return box;
}

// Each path with its self weight, like the lines of the folded format.
function lines(page) {
	const all = [], { tree } = page;
	const walk = (box, texts) => {
		for (const kid of tree.kids(box)) walk(kid, [...texts, tree.text(kid)]);
		if (tree.self(box)) all.push([texts, tree.self(box)]);
	};

	walk(tree.root, []);
	return all;
}

function tellTests(page) {
	const krait = {
		get total() { return page.p.total; },
		get shown() { return page.tree.total; },
		get matched() { return page.tree.hit(page.tree.root); },
		get zoomed() { return told(page, page.focus); },
		get selected() { return told(page, page.selected); },
		get drawn() { return page.graph.levels.reduce((n, level) => n + level.length, 0); },
		get draws() { return page.graph.draws; },
		find: (...texts) => told(page, find(page, texts)),
		lines: () => lines(page),
	};

	Object.defineProperty(window, "krait", { value: Object.freeze(krait) });
}

const page = new Page(new Profile(JSON.parse($("profile").textContent)));
$("app").hidden = false;
page.show();
tellTests(page);
