// SPDX-License-Identifier: GPL-2.0-only
// What the endpoint has reported so far: the last snapshots, for rates, and samples of three spans, for the charts.

export const RATE_SECONDS = 5;
export const SHARE_SECONDS = 10;
const WHOLE_SECONDS = 10; /* all ports are asked for so often, otherwise those that move */

/* Spans of the charts, as /api/history names them: seconds, and seconds between two samples. */
export const SPANS = {
	"5m": {seconds: 300, step: 1},
	"1h": {seconds: 3600, step: 10},
	"24h": {seconds: 86400, step: 60},
};

const CHARTED = ["passed", "challenged", "answered", "dropped", "completed"]; /* as /api/history has them, too */
const byNumber = new WeakMap(); /* of an array of ports */

/* A port of a snapshot; undefined: it has none such. */
export function portOf({ports}, number) {
	if (!byNumber.has(ports))
		byNumber.set(ports, new Map(ports.map((port) => [port.port, port])));
	return byNumber.get(ports).get(number);
}

/* How much a counter grew over all ports: of one that is not there any more, or began anew, nothing is taken off. */
export function grown(before, now, field) {
	return now.ports.reduce((sum, port) => sum + Math.max(0, port[field] - (portOf(before, port.port)?.[field] ?? 0)), 0);
}

export function seconds(before, now) {
	return (now.monotonic_us - before.monotonic_us) / 1e6;
}

/*
 * Samples that `run` has kept, as those of the page count: `run` also has what ports counted that were not there any more
 * when the page was opened.
 */
function alike(kept, live) {
	const last = kept.at(-1), then = last && (live.find((one) => one.monotonic_us >= last.monotonic_us) ?? live.at(-1));

	return kept.map((one) => Object.fromEntries([["monotonic_us", one.monotonic_us],
		...CHARTED.map((field) => [field, one[field] - Math.max(0, last[field] - then[field])])]));
}

/* Those of `moving` in place of their former selves; the others are as they were. */
function merge(known, moving) {
	const ports = new Map(known.map((port) => [port.port, port]));

	moving.forEach((port) => ports.set(port.port, port));
	return [...ports.values()];
}

export class Model {
	constructor() {
		this.forget();
	}

	forget() {
		this.snapshots = [];
		this.samples = {"5m": [], "1h": [], "24h": []};
		this.whole = null; /* the last answer with all ports */
	}

	get now() {
		return this.snapshots.at(-1) ?? null;
	}

	get wantsWhole() {
		return !this.whole || seconds(this.whole, this.now) >= WHOLE_SECONDS - 0.5;
	}

	/* Whether the counters began at 0 again, so that earlier ones cannot be compared. */
	isAnother(status) {
		return this.now && (status.since !== this.now.since || status.monotonic_us < this.now.monotonic_us);
	}

	/* Over all ports, counted on from the sample before. */
	sample(status) {
		const before = this.now, last = this.samples["5m"].at(-1), sample = {monotonic_us: status.monotonic_us};

		for (const field of CHARTED)
			sample[field] = before ? last[field] + grown(before, status, field)
					       : status.ports.reduce((sum, port) => sum + port[field], 0);
		return sample;
	}

	/* `whole`: the answer has all ports. */
	add(status, whole) {
		const samples = this.samples["5m"];

		if (whole)
			this.whole = status;
		else
			status.ports = merge(this.now.ports, status.ports);
		samples.push(this.sample(status));
		this.snapshots.push(status);
		while (seconds(this.snapshots[0], status) > SHARE_SECONDS + 2)
			this.snapshots.shift();
		while (seconds(samples[0], status) > SPANS["5m"].seconds)
			samples.shift();
	}

	/* Samples that `run` has kept: of five minutes, those that came in meanwhile are newer. */
	remember(span, history) {
		const last = history.at(-1)?.monotonic_us ?? 0, live = this.samples["5m"];

		this.samples[span] = alike(history, live).filter((past) => seconds(past, this.now) <= SPANS[span].seconds)
			.concat(span === "5m" ? live.filter((one) => one.monotonic_us > last) : []);
	}

	/* The samples of a span up to now. */
	history(span) {
		return span === "5m" ? this.samples[span] : [...this.samples[span], this.samples["5m"].at(-1)];
	}

	/* When something was measured, as a Date's number. */
	wall(sample) {
		return Date.parse(this.now.time) - seconds(sample, this.now) * 1000;
	}

	/* The last snapshot that is at least `span` seconds old, otherwise the oldest; null if there is only one. */
	ago(span) {
		const old = this.snapshots.filter((one) => seconds(one, this.now) >= span - 0.2);

		return this.snapshots.length < 2 ? null : old.at(-1) ?? this.snapshots[0];
	}

	/* Rate of a counter that `get` finds in a snapshot (undefined: not there yet); null: unknown. */
	rate(get, span = RATE_SECONDS) {
		const before = this.ago(span);

		return before ? Math.max(0, get(this.now) - (get(before) ?? 0)) / seconds(before, this.now) : null;
	}

	/* Rate of a port's counter. */
	portRate(port, field, span = RATE_SECONDS) {
		return this.rate((status) => portOf(status, port.port)?.[field], span);
	}

	sumRate(field) {
		const before = this.ago(RATE_SECONDS);

		return before ? grown(before, this.now, field) / seconds(before, this.now) : null;
	}
}
