// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// The filters: a list with checkboxes for each dimension with more than one value, and a strip of activity over
// time, if that was recorded. Both only report the user's choice; the page applies it.

const LISTED = 200; // most values that a list shows at once; the search field above it finds the others

// Makes an element with properties and children; strings are inserted as text, never as markup.
function make(tag, properties = {}, ...children) {
	const element = Object.assign(document.createElement(tag), properties);

	element.append(...children);
	return element;
}

class DimPanel {
	// on(name, set of values): called when the selection changes
	constructor(profile, dim, on) {
		Object.assign(this, { profile, dim, on, only: new Set() });
		this.weights = new Float64Array(dim.values.length);
		profile.rowGroup.forEach((group, row) => { this.weights[dim.of[group]] += profile.rowWeight[row]; });
		this.heaviest = Array.from(dim.values.keys()).sort((a, b) => this.weights[b] - this.weights[a]);
		this.element = this.build();
		this.list();
	}

	build() {
		const legend = make("legend", { textContent: `${this.dim.title} (${count(this.dim.values.length)})` });

		this.find = make("input", { type: "search", placeholder: "find", oninput: () => this.list() });
		this.find.setAttribute("aria-label", `Find a ${this.dim.name}`);
		this.clear = make("button", { type: "button", textContent: "All", onclick: () => this.choose(new Set()) });
		this.items = make("ul");
		return make("fieldset", {}, legend, make("div", { className: "head" }, this.find, this.clear), this.items);
	}

	// Selected values stay in the list, whatever is searched for.
	list() {
		const part = this.find.value.toLowerCase();
		const listed = this.heaviest.filter((v) => this.only.has(v) || this.dim.values[v].toLowerCase().includes(part));

		this.items.replaceChildren(...listed.slice(0, LISTED).map((value) => this.item(value)));
		this.clear.disabled = !this.only.size;
	}

	item(value) {
		const text = shown(this.dim.values[value], 300);
		const box = make("input", { type: "checkbox", checked: this.only.has(value) });

		box.onchange = () => {
			const only = new Set(this.only);
			if (box.checked) only.add(value);
			else only.delete(value);
			this.choose(only);
		};
		return make("li", {}, make("label", { title: text }, box, make("span", { textContent: text }),
			make("small", { textContent: percent(this.weights[value], this.profile.total) })));
	}

	choose(only) {
		this.on(this.dim.name, only);
	}

	// Updates the checkboxes from the page's state.
	show(only) {
		const same = only.size === this.only.size && [...only].every((v) => this.only.has(v));

		this.only = only;
		if (!same) this.list();
	}
}

// Bars of samples over time, after the other filters. Dragging selects a range, a click selects everything; two
// sliders do the same for touch and keyboard.
class Strip {
	constructor(bins, on) {
		Object.assign(this, { bins, on, range: [0, bins.count - 1], weights: new Float64Array(bins.count) });
		this.canvas = document.getElementById("strip");
		this.ends = ["from", "to"].map((id) => document.getElementById(id));
		this.listen();
	}

	listen() {
		const { canvas, ends } = this, all = [0, this.bins.count - 1];

		canvas.addEventListener("pointerdown", (e) => {
			canvas.setPointerCapture(e.pointerId);
			this.grip = this.binAt(e);
		});
		canvas.addEventListener("pointermove", (e) => {
			if (this.grip !== undefined && this.binAt(e) !== this.grip) this.pull(this.grip, this.binAt(e));
		});
		canvas.addEventListener("pointerup", (e) => {
			const [from, to] = [this.grip, this.binAt(e)].sort((a, b) => a - b);
			this.grip = undefined;
			this.on(from === to ? all : [from, to]);
		});
		document.getElementById("alltime").onclick = () => this.on(all);
		for (const end of ends) {
			end.max = this.bins.count - 1;
			end.oninput = () => this.on(ends.map((e) => Number(e.value)).sort((a, b) => a - b), true);
		}
		addEventListener("resize", () => this.draw());
	}

	pull(a, b) {
		this.range = [Math.min(a, b), Math.max(a, b)];
		this.draw();
	}

	binAt(event) {
		const { left, width } = this.canvas.getBoundingClientRect();
		const bin = Math.floor((event.clientX - left) / width * this.bins.count);

		return Math.max(0, Math.min(this.bins.count - 1, bin));
	}

	show(range, weights, colours) {
		Object.assign(this, { range, weights, colours });
		document.getElementById("alltime").disabled = range[0] === 0 && range[1] === this.bins.count - 1;
		this.ends.forEach((end, i) => {
			const seconds = (range[i] + i) * this.bins.ns / 1e9;
			end.value = range[i];
			end.nextElementSibling.textContent = seconds.toFixed(1) + " s";
			end.setAttribute("aria-valuetext", seconds.toFixed(1) + " seconds");
		});
		this.draw();
	}

	draw() {
		const { canvas, weights, range } = this, ratio = devicePixelRatio || 1;
		const c = canvas.getContext("2d"), { palette } = this.colours;
		const most = weights.reduce((a, b) => Math.max(a, b), 1);

		canvas.width = canvas.clientWidth * ratio;
		canvas.height = canvas.clientHeight * ratio;
		const bar = canvas.width / weights.length;
		weights.forEach((weight, bin) => {
			const height = canvas.height * weight / most;
			c.fillStyle = bin >= range[0] && bin <= range[1] ? palette.bar : palette.faint;
			c.fillRect(bin * bar, canvas.height - height, Math.max(1, bar > 3 ? bar - 1 : bar), height);
		});
	}
}
