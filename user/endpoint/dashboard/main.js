// SPDX-License-Identifier: GPL-2.0-only
// Fetches the status once a second and draws it; says so when there is no answer.

import {clock} from "./numbers.js";
import {Model, address} from "./model.js";
import {drawVerdict, drawUnknown, say} from "./verdict.js";
import {drawDiagram, layOut, onLayOut} from "./diagram.js";
import {drawCharts, makeCharts} from "./charts.js";
import {drawTables} from "./tables.js";
import {drawHttp} from "./http.js";
import {startEnded} from "./ended.js";
import {followEvents} from "./events.js";

const EVERY_MS = 1000;
const HIDDEN_MS = 5000;
const PATIENCE_MS = 4000;
const GAP_US = 2.5e6; /* from this gap between two samples on, those of `run` are fetched */

const model = new Model();
let missing = false; /* samples of the time before the page was opened, or while it was hidden */
let heard = null; /* time of the last answer */

async function get(path) {
	const answer = await fetch(address(path), {cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS)});

	if (!answer.ok)
		throw new Error(`status ${answer.status}`);
	return answer.json();
}

function drawWhere(status) {
	const interfaces = status.interfaces.map((one) => `${one.name} (${one.xdp_mode})`).join(", ");
	const dry = status.dry_run ? ", dry run: everything passes" : "";

	say("where", `${status.version} on ${interfaces || "no interface"}${dry}`);
}

function draw() {
	if (!model.now)
		return;
	drawWhere(model.now);
	drawVerdict(model);
	drawDiagram(model);
	drawCharts(model);
	drawTables(model);
	drawHttp(model);
}

function showLive() {
	document.body.classList.remove("stale");
	document.getElementById("stale").hidden = true;
	say("link", "live");
}

function showStale(why) {
	const since = heard ? clock(heard) : "the page was opened";

	document.body.classList.add("stale");
	document.getElementById("stale").hidden = false;
	say("stale", `synwarden run does not answer (${why}). ${heard ? `The page shows the state of ${since}.` : ""}`);
	say("link", "no answer");
	drawUnknown(since);
}

async function look() {
	const status = await get("api/status"), last = model.now;

	model.add(status);
	if (!last || status.monotonic_us - last.monotonic_us > GAP_US)
		missing = true;
	heard = new Date();
	showLive();
	draw();
	if (missing)
		await recall();
}

/* Tried again with the next look if it fails; only the charts need it. */
async function recall() {
	try {
		model.remember(await get("api/history"));
		missing = false;
		draw();
	} catch {
		missing = true;
	}
}

async function watch() {
	try {
		await look();
	} catch (error) {
		showStale(error.name === "TimeoutError" ? "timeout" : error.message);
	}
	setTimeout(watch, document.hidden ? HIDDEN_MS : EVERY_MS);
}

layOut();
onLayOut(draw);
makeCharts();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
	makeCharts();
	draw();
});
startEnded();
followEvents();
watch();
