// SPDX-License-Identifier: GPL-2.0-only
// Fetches the status once a second and draws it; says so when there is no answer.

import {clock} from "./numbers.js";
import {Model} from "./model.js";
import {get} from "./net.js";
import {drawHeader, drawNoAnswer, startHeader} from "./header.js";
import {drawVerdict, drawUnknown} from "./verdict.js";
import {drawAttention} from "./attention.js";
import {drawPorts, startPorts} from "./ports.js";
import {drawDiagram, layOut, onLayOut} from "./diagram.js";
import {forgetSamples, noteGap, remakeOverview, startOverview, updateOverview} from "./overview.js";
import {drawEvents, eventsSoFar, lookForEvents} from "./events.js";
import {drawPort, remakePort, route, startPort} from "./port.js";
import {drawPanels, followLists} from "./panels.js";
import {drawHttp} from "./http.js";
import {drawEnded, setOwnPort, startEnded} from "./ended.js";
import {drawWords, openWords} from "./words.js";
import {element, say} from "./tables.js";

const EVERY_MS = 1000;
const HIDDEN_MS = 5000;
const GAP_US = 2.5e6; /* from this gap between two samples on, those of `run` are fetched */

const model = new Model();
let heard = null; /* time of the last answer */
let stale = ""; /* why there is none since then; "": it is the latest */
let timer = null; /* of the next look; null: it is being taken */

globalThis.synwarden = model; /* for a look at what the page was drawn from */

function drawParts() {
	if (route()) {
		drawPort();
		return;
	}
	drawAttention(model, eventsSoFar());
	drawPorts(model);
	drawDiagram(model);
	drawPanels(model);
	drawHttp(model);
	drawEvents();
	updateOverview();
}

/* Also after a choice of the user's: the last answer is drawn anew, but is no more known than before. */
function drawAll() {
	if (model.now && !stale) {
		drawHeader(model.now);
		drawVerdict(model);
	}
	if (model.now)
		drawParts();
	if (stale)
		drawStale();
}

function showLive() {
	stale = "";
	document.body.classList.remove("stale", "waiting");
	element("stale").hidden = true;
	say("link", "live");
}

function drawStale() {
	const since = heard ? clock(heard) : "the page was opened";

	document.body.classList.remove("waiting");
	document.body.classList.add("stale");
	element("stale").hidden = false;
	say("stale", `synwarden run does not answer (${stale}). If it ended without being stopped, the filter still works; ` +
		`systemctl status synwarden shows it. ${heard ? `The page shows the state of ${since}.` : ""}`);
	say("link", "no answer");
	drawUnknown("Unknown", `No answer since ${since}.`);
	drawNoAnswer(model.now);
}

/* After a restart of `run` what was known of the ports is of no use. */
async function fetchStatus() {
	const whole = model.wantsWhole, status = await get(whole ? "api/status" : "api/status?ports=moving");

	if (!model.isAnother(status))
		return {status, whole};
	const all = whole ? status : await get("api/status");

	model.forget();
	return {status: all, whole: true};
}

async function draw({status, whole}, last) {
	model.add(status, whole);
	if (!model.ago(0))
		forgetSamples();
	else if (status.monotonic_us - last.monotonic_us > GAP_US)
		noteGap();
	heard = new Date(status.time);
	setOwnPort(status.endpoint_port);
	showLive();
	drawAll();
	if (await lookForEvents(status))
		drawAll();
}

async function look() {
	const last = model.now, answer = await fetchStatus().catch((error) => {
		stale = error.name === "TimeoutError" ? "timeout" : error.message;
		drawStale();
	});

	if (answer)
		await draw(answer, last);
}

/* An error in drawing is the page's, and says nothing about `run`. */
async function watch() {
	timer = null;
	try {
		await look();
	} catch (error) {
		console.error(error);
		say("link", "not all is drawn");
	}
	timer = setTimeout(watch, document.hidden ? HIDDEN_MS : EVERY_MS);
}

/* What is shown is from when the page was seen last, or from seconds later. */
function seenAgain() {
	if (document.hidden || timer === null)
		return;
	say("link", "waiting");
	drawUnknown("waiting", heard ? `The page was hidden; the last answer is of ${clock(heard)}.` : "");
	clearTimeout(timer);
	watch();
}

function start() {
	layOut();
	onLayOut(drawAll);
	drawWords();
	startHeader(() => {
		drawAll();
		drawEnded();
	});
	startOverview(model);
	startPort(model);
	startPorts(model, () => model.now && drawPorts(model));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
		remakeOverview();
		remakePort();
		drawAll();
	});
	addEventListener("hashchange", () => {
		drawAll();
		openWords();
		if (!location.hash.startsWith("#words"))
			scrollTo(0, 0);
	});
	document.addEventListener("visibilitychange", seenAgain);
	startEnded();
	followLists();
	watch().then(openWords);
}

start();
