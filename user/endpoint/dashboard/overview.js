// SPDX-License-Identifier: GPL-2.0-only
// The charts over all ports, and the buttons above them. The port's page has a chart of its own.

import {count, zone} from "./numbers.js";
import {SPANS, seconds} from "./model.js";
import {element, say} from "./tables.js";
import {eventsSoFar} from "./events.js";
import {get} from "./net.js";
import {ChartPanel, HANDSHAKES, VERDICTS} from "./charts.js";
import {Timespan} from "./timespan.js";

const REST_MS = 30000; /* between two fetches after a gap or a failure: both come from a slow `run`, too */
const LEAST_SECONDS = 60; /* of the axis, where there is no more to show yet */

let model = null, panels = [], timespan = null, fetched = {}; /* by span: the endpoint's time of its samples, in us */
let gap = false, filled = -Infinity; /* whether samples are missing; when they were fetched last, in ms */

/* The span up to now, without the time of which there is nothing: whole minutes. */
export function boundsOf(model, samples, most) {
	const now = model.now ? Date.parse(model.now.time) : Date.now();
	const known = samples.length > 1 ? seconds(samples[0], samples.at(-1)) : 0;
	const span = Math.min(most, Math.max(LEAST_SECONDS, Math.ceil(known / 60) * 60));

	return [now - span * 1000, now];
}

/* When ports were armed and released; of one port, or all. */
export function momentsOf(port = null) {
	return (eventsSoFar() ?? []).filter((event) => event.port && (port === null || event.port === port)).flatMap((event) => [
		{at: Date.parse(event.time), text: `${event.port} armed`},
		...event.released ? [{at: Date.parse(event.released), text: `${event.port} released`}] : [],
	]).sort((a, b) => a.at - b.at);
}

async function recall(span) {
	const last = fetched[span], {step} = SPANS[span];

	if (!model.now)
		return;
	if (last !== undefined && model.now.monotonic_us - last < step * 1e6)
		return;
	fetched[span] = model.now.monotonic_us;
	try {
		model.remember(span, await get(`api/history?span=${span}`));
		drawOverview();
	} catch {
		setTimeout(() => { delete fetched[span]; }, REST_MS);
	}
}

/* When nothing was known before. Of five minutes, what follows comes in by itself. */
export function forgetSamples() {
	fetched = {};
}

/* After a while without answers, or hidden. */
export function noteGap() {
	gap = true;
}

function fillGap() {
	if (!gap || performance.now() - filled < REST_MS)
		return;
	[gap, filled] = [false, performance.now()];
	delete fetched["5m"];
}

export function drawOverview() {
	const {span} = timespan;

	if (!model.now)
		return;
	const samples = model.history(span);

	for (const panel of panels) {
		panel.extra.moments = momentsOf();
		panel.draw(model, samples);
	}
	say("range-zone", zone(new Date(model.now.time)));
	element("live").disabled = !timespan.part;
}

/* Of a hidden page, nothing is seen: what it has missed is fetched once it is shown. */
export function updateOverview() {
	if (document.hidden)
		return;
	const {port_budget: budget, dry_run: dry} = model.now;

	panels[0].extra.budget = {value: budget, text: `budget of a port: ${count(budget)}`};
	say("syns-note", dry ? "dry run: what would be done; all pass" : "");
	drawOverview();
	fillGap();
	if (timespan.span !== "5m" || fetched["5m"] === undefined)
		recall(timespan.span);
}

export function remakeOverview() {
	Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
	panels.forEach((panel) => panel.remake());
}

function startButtons() {
	for (const button of document.querySelectorAll("[data-span]"))
		button.addEventListener("click", () => {
			document.querySelectorAll("[data-span]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
			timespan.choose(button.dataset.span);
			recall(timespan.span);
		});
	element("zoom-in").addEventListener("click", () => timespan.zoom(0.5));
	element("zoom-out").addEventListener("click", () => timespan.zoom(2));
	element("live").addEventListener("click", () => timespan.live());
	element("log").addEventListener("click", ({currentTarget}) => {
		const on = currentTarget.getAttribute("aria-pressed") !== "true";

		currentTarget.setAttribute("aria-pressed", String(on));
		panels[0].remake(on);
		drawOverview();
	});
	document.querySelectorAll("#charts .chart").forEach((one) =>
		one.addEventListener("keydown", (event) => timespan.key(event)));
}

export function startOverview(of) {
	model = of;
	Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
	timespan = new Timespan("5m", drawOverview, () => boundsOf(model, model.history(timespan.span), SPANS[timespan.span].seconds));
	panels = [new ChartPanel("syns", VERDICTS, timespan), new ChartPanel("handshakes", HANDSHAKES, timespan)];
	startButtons();
}
