// SPDX-License-Identifier: BSD-2-Clause
// node speedscope.js MODULES PROFILE EXPORT: opens a profile in speedscope and writes what its
// Export button gives. MODULES is a node_modules with speedscope and jsdom.
//
// The page is speedscope's own script in jsdom, a browser without graphics: speedscope complains
// about the missing WebGL and draws no flames, but it loads, shows its table and exports.
"use strict";
const fs = require("fs");
const path = require("path");

const PATIENCE = 30000; // milliseconds
const [modules, profile, output] = process.argv.slice(2);
const { JSDOM, VirtualConsole } = require(path.join(modules, "jsdom"));

function fail(why) {
	console.error(why);
	process.exit(1);
}

// The script that the page of this release names.
function script() {
	const release = path.join(modules, "speedscope", "dist", "release");
	const page = fs.readFileSync(path.join(release, "index.html"), "utf8");
	return fs.readFileSync(path.join(release, /<script src="([^"]+)"/.exec(page)[1]), "utf8");
}

// What a browser has and jsdom has not.
function complete(window) {
	const ignore = () => {};
	Object.assign(window, { TextDecoder, TextEncoder, alert: fail });
	window.Element.prototype.scrollTo = ignore;
	window.matchMedia = () => ({ matches: false, addListener: ignore, removeListener: ignore });
	window.URL.createObjectURL = (blob) => {
		const reader = new window.FileReader();
		reader.onload = () => {
			fs.writeFileSync(output, reader.result);
			process.exit(0);
		};
		reader.readAsText(blob);
		return "about:blank";
	};
}

// localProfilePath: speedscope waits for the call by which its command line hands over a file.
const { window } = new JSDOM("<body></body>", {
	url: "http://localhost/#view=sandwich&localProfilePath=none",
	runScripts: "outside-only",
	pretendToBeVisual: true,
	virtualConsole: new VirtualConsole(),
});
const name = path.basename(profile);
const data = fs.readFileSync(profile).toString("base64");

process.on("unhandledRejection", (e) => fail(e.stack));
complete(window);
window.eval(script());
setTimeout(() => fail("speedscope: no export: " + window.document.body.textContent), PATIENCE);
setInterval(() => {
	const { title, body } = window.document;
	if (!window.speedscope) return;
	if (title === "") {
		window.document.title = "asked";
		window.speedscope.loadFileFromBase64(name, data);
	} else if (body.textContent.includes("Export")) {
		window.dispatchEvent(new window.KeyboardEvent("keydown", { key: "s", ctrlKey: true }));
	}
}, 20);
