// SPDX-License-Identifier: GPL-2.0-only
// What the endpoint has reported so far: the last snapshots, for rates, and five minutes of samples, for the charts.

import {PORT_COUNTERS} from "./names.js";

export const RATE_SECONDS = 3;
export const SHARE_SECONDS = 10;
export const HISTORY_SECONDS = 300;

/* URL of a page of the endpoint: relative to this page, without a password that this page's URL may contain. */
export function address(path) {
	return new URL(path, location.origin + location.pathname).href;
}

/* Over all ports. */
export function sums(status) {
	const sum = {monotonic_us: status.monotonic_us};

	for (const field in PORT_COUNTERS)
		sum[field] = status.ports.reduce((total, port) => total + port[field], 0);
	return sum;
}

export function seconds(before, now) {
	return (now.monotonic_us - before.monotonic_us) / 1e6;
}

/*
 * Of the SYNs that passed, those whose handshake completed; null: none passed, or some were challenged: of a flood that is
 * held off, what the budget admits completes nothing.
 */
export function share(before, now) {
	const more = (field) => now[field] - before[field];

	return more("passed") > 0 && !more("challenged") ? Math.min(1, more("completed") / more("passed")) : null;
}

export class Model {
	constructor() {
		this.forget();
	}

	forget() {
		this.snapshots = [];
		this.samples = [];
	}

	get now() {
		return this.snapshots.at(-1) ?? null;
	}

	/* Whether the counters began at 0 again, so that earlier ones cannot be compared. */
	isAnother(status) {
		return this.now && (status.since !== this.now.since || status.monotonic_us < this.now.monotonic_us);
	}

	add(status) {
		if (this.isAnother(status))
			this.forget();
		this.snapshots.push(status);
		while (seconds(this.snapshots[0], status) > SHARE_SECONDS + 2)
			this.snapshots.shift();
		this.samples.push(sums(status));
		while (seconds(this.samples[0], status) > HISTORY_SECONDS)
			this.samples.shift();
	}

	/* Replaces the samples of a time for which `run` has kept its own. */
	remember(history) {
		const last = history.at(-1)?.monotonic_us ?? 0;

		this.samples = history.filter((past) => seconds(past, this.now) <= HISTORY_SECONDS)
				      .concat(this.samples.filter((one) => one.monotonic_us > last));
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

	portBefore(port, span = RATE_SECONDS) {
		return this.ago(span)?.ports.find((one) => one.port === port.port);
	}
}

/* Points for a chart: seconds before now, and a rate over the last RATE_SECONDS or what `of` makes of two samples. */
export function curve(samples, span, of) {
	const points = [], now = samples.at(-1);
	let first = 0;

	samples.forEach((one) => {
		while (first + 1 < samples.length && seconds(samples[first + 1], one) >= span - 0.2)
			first++;
		if (seconds(samples[first], one) > 0)
			points.push({x: -seconds(one, now), y: of(samples[first], one)});
	});
	return points;
}
