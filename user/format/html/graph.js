// SPDX-License-Identifier: BSD-2-Clause
"use strict";
// The boxes on the canvas: layout, drawing, pointer and keys. A level is a row of cells:
//
//	levels[0]   [ all                                ]    the zoomed box and its ancestors are as wide as
//	levels[1]   [ web-41                             ]    the page; below them, width is weight
//	levels[2]   [ main         ][ idle ][:::]             [:::]: boxes too narrow to be drawn alone
//
// The canvas is never higher than the window: it sticks to the window's edge, and levels are drawn according to
// the scroll position. Only visible levels are drawn.

const NARROWEST = 0.7; // minimum width in pixels of a box that is drawn

class Graph {
	// on: {look(box, or cell of narrow boxes, or null), zoom(box)}
	constructor(holder, canvas, on) {
		Object.assign(this, { holder, canvas, on, levels: [], cursor: null, hover: null, draws: 0 });
		this.context = canvas.getContext("2d");
		this.row = matchMedia("(pointer: coarse)").matches ? 26 : 20;
		this.listen();
	}

	listen() {
		const { canvas } = this;

		canvas.addEventListener("pointermove", (e) => this.point(e));
		canvas.addEventListener("pointerleave", () => this.look(null));
		canvas.addEventListener("click", (e) => this.click(e));
		canvas.addEventListener("keydown", (e) => this.key(e));
		for (const event of ["focus", "blur"]) canvas.addEventListener(event, () => this.drawSoon());
		addEventListener("scroll", () => this.drawSoon(), { passive: true });
		addEventListener("resize", () => { if (this.tree) this.show(this.tree, this.focus, this.style); });
	}

	// --- layout -----------------------------------------------------------------------------------

	// style: {colours, way, flame: root at the bottom, dim: whose values have the colours, null: none}
	show(tree, focus, style) {
		Object.assign(this, { tree, focus, style, hover: null });
		this.width = this.holder.clientWidth;
		this.levels = this.layOut();
		if (!this.cursor || !this.cellOf(this.cursor)) this.cursor = focus;
		this.height = this.levels.length * this.row;
		this.holder.style.height = this.height + "px";
		this.draw();
	}

	layOut() {
		const levels = [];

		for (let box = this.focus.parent; box; box = box.parent)
			levels.unshift([{ box, x: 0, w: this.width, above: true }]);
		for (let level = [{ box: this.focus, x: 0, w: this.width }]; level.length; level = this.below(level))
			levels.push(level);
		return levels;
	}

	below(level) {
		const next = [];

		for (const cell of level)
			if (cell.box) this.divide(cell, next);
		return next;
	}

	// Narrow boxes are merged into one cell at the end: each of them would be less than a pixel wide.
	divide(cell, next) {
		const scale = cell.w / cell.box.weight, narrow = { box: null, w: 0, boxes: 0, weight: 0 };
		let { x } = cell;

		for (const box of this.tree.kids(cell.box)) {
			const w = box.weight * scale;
			if (w < NARROWEST) {
				narrow.boxes++;
				narrow.weight += box.weight;
				continue;
			}
			next.push({ box, x, w });
			x += w;
		}
		narrow.w = narrow.weight * scale;
		if (narrow.w >= NARROWEST) next.push({ ...narrow, x });
	}

	top(depth) {
		return (this.style.flame ? this.levels.length - 1 - depth : depth) * this.row;
	}

	cellOf(box) {
		const level = this.levels[box.depth];

		return level && level.find((cell) => cell.box === box);
	}

	// --- drawing ----------------------------------------------------------------------------------

	drawSoon() {
		if (this.waiting || !this.tree) return;
		this.waiting = true;
		requestAnimationFrame(() => this.draw());
	}

	// Sizes the canvas to the visible part of the graph, and computes where that part begins.
	place() {
		const ratio = devicePixelRatio || 1, { canvas } = this;
		const height = Math.min(this.height, innerHeight);

		if (canvas.width !== Math.round(this.width * ratio) || canvas.height !== Math.round(height * ratio)) {
			canvas.width = Math.round(this.width * ratio);
			canvas.height = Math.round(height * ratio);
			canvas.style.height = height + "px";
		}
		this.offset = Math.max(0, Math.min(this.height - height, -this.holder.getBoundingClientRect().top));
		this.context.setTransform(ratio, 0, 0, ratio, 0, -this.offset * ratio);
		return height;
	}

	draw() {
		const height = this.place(), c = this.context;

		this.waiting = false;
		this.draws++;
		c.clearRect(0, this.offset, this.width, height);
		c.font = "12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
		c.textBaseline = "middle";
		this.letter = this.letter || c.measureText("m").width;
		this.levels.forEach((level, depth) => {
			const y = this.top(depth);
			if (y + this.row > this.offset && y < this.offset + height)
				for (const cell of level) this.drawCell(cell, y);
		});
		this.outline(this.hover && this.hover.box, 1);
		if (document.activeElement === this.canvas) this.outline(this.cursor, 2.5);
	}

	drawCell(cell, y) {
		const { context: c, tree, style } = this, { palette } = style.colours;
		const w = Math.max(0.5, cell.w - (cell.w > 3 ? 1 : 0)), h = this.row - 1;

		if (!cell.box) {
			c.fillStyle = palette.faint;
			c.fillRect(cell.x, y, w, h);
			this.drawText(`${count(cell.boxes)} narrow frames`, cell.x, y, w, palette.quiet);
			return;
		}
		const matched = tree.matches(cell.box);
		c.globalAlpha = cell.above ? 0.55 : tree.found && !matched ? 0.45 : 1;
		if (style.dim && !matched) this.drawShares(cell, y, w, h);
		else {
			c.fillStyle = style.colours.box(tree, cell.box, style.way, matched);
			c.fillRect(cell.x, y, w, h);
		}
		c.globalAlpha = 1;
		this.drawText(tree.text(cell.box), cell.x, y, w, palette.text);
	}

	drawShares(cell, y, w, h) {
		const { context: c, tree, style } = this;
		let { x } = cell;

		tree.shares(cell.box, style.dim).forEach((weight, value) => {
			const part = w * weight / cell.box.weight;
			c.fillStyle = style.colours.value(style.dim.values[value]);
			if (part) c.fillRect(x, y, part, h);
			x += part;
		});
	}

	// Cuts the text to an estimated width; the last argument of fillText() squeezes it if still too wide.
	drawText(text, x, y, w, colour) {
		const room = w - 7, { context: c } = this;

		if (w < 4 * this.letter) return;
		c.fillStyle = colour;
		c.fillText(shown(text, Math.floor(room / this.letter)), x + 3, y + this.row / 2, room);
	}

	outline(box, width) {
		const cell = box && this.cellOf(box), c = this.context;

		if (!cell) return;
		c.strokeStyle = this.style.colours.palette.cursor;
		c.lineWidth = width;
		const inset = width / 2;
		c.strokeRect(cell.x + inset, this.top(box.depth) + inset, Math.max(1, cell.w - 1 - width), this.row - 1 - width);
	}

	// --- pointer ----------------------------------------------------------------------------------

	at(event) {
		const bounds = this.canvas.getBoundingClientRect();
		const x = event.clientX - bounds.left, line = Math.floor((event.clientY - bounds.top + this.offset) / this.row);
		const level = this.levels[this.style.flame ? this.levels.length - 1 - line : line];

		return (level && level.find((cell) => x >= cell.x && x < cell.x + cell.w)) || null;
	}

	look(cell) {
		if (cell === this.hover) return;
		this.hover = cell;
		this.on.look(cell ? cell.box || cell : this.cursor);
		this.drawSoon();
	}

	point(event) {
		if (event.pointerType !== "touch" && this.tree) this.look(this.at(event));
	}

	// A touch screen has no hover: the first touch selects, the second one zooms.
	click(event) {
		const cell = this.at(event), known = cell && cell.box === this.cursor;

		if (!cell || !cell.box) return;
		this.move(cell.box);
		if (event.pointerType !== "touch" || known) this.on.zoom(cell.box);
	}

	// --- keys -------------------------------------------------------------------------------------

	key(event) {
		const inward = this.style.flame ? "ArrowUp" : "ArrowDown", outward = this.style.flame ? "ArrowDown" : "ArrowUp";
		const actions = {
			[inward]: () => this.move(this.widest()),
			[outward]: () => this.move(this.cursor.parent),
			ArrowLeft: () => this.move(this.beside(-1)),
			ArrowRight: () => this.move(this.beside(1)),
			Home: () => this.move(this.tree.root),
			Enter: () => this.on.zoom(this.cursor),
			" ": () => this.on.zoom(this.cursor),
			Backspace: () => this.focus.parent && this.on.zoom(this.focus.parent),
		};

		if (!actions[event.key] || event.ctrlKey || event.altKey || event.metaKey || !this.cursor) return;
		event.preventDefault();
		actions[event.key]();
	}

	// The widest drawn box in the level below the cursor.
	widest() {
		const level = this.levels[this.cursor.depth + 1] || [];

		return level.filter((cell) => cell.box && cell.box.parent === this.cursor)
			.reduce((best, cell) => (!best || cell.w > best.w ? cell : best), null)?.box;
	}

	beside(step) {
		const level = (this.levels[this.cursor.depth] || []).filter((cell) => cell.box);
		const cell = level[level.findIndex((c) => c.box === this.cursor) + step];

		return cell && cell.box;
	}

	move(box) {
		if (!box) return;
		this.cursor = box;
		this.hover = null;
		this.on.look(box);
		this.reveal(box);
		this.drawSoon();
	}

	// Scrolls until the box is inside the window and not covered by the details line.
	reveal(box) {
		const y = this.holder.getBoundingClientRect().top + this.top(box.depth);
		const room = innerHeight - document.getElementById("details").offsetHeight - this.row;

		if (y < 0) scrollBy(0, y);
		else if (y > room) scrollBy(0, y - room);
	}

	// The position of a box in the window, null if it is not drawn.
	rectangle(box) {
		const cell = this.cellOf(box), bounds = this.canvas.getBoundingClientRect();

		return cell ? { x: bounds.left + cell.x, y: bounds.top + this.top(box.depth) - this.offset, w: cell.w,
			h: this.row } : null;
	}
}
