// SPDX-License-Identifier: GPL-2.0-only
// HTTP by listening port, while `run --http on` counts it; the requests that this host sends have a line of their own.

import {duration, rate} from "./numbers.js";
import {SHARE_SECONDS, portOf} from "./model.js";
import {element, fill} from "./tables.js";

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "unanswered"];
const CLOSERS = ["client", "server", "reset", "other"];
const KINDS = {"2xx": "good", "4xx": "challenge", "5xx": "drop", unanswered: "drop"};
const QUANTILE = 0.99;

/* The lines of a status: port, or "client", and what is counted of it. */
function linesOf(status) {
	return [...status.ports, {port: "client", http: status.http_client}].filter(({http}) => http);
}

function sum(numbers) {
	return Object.values(numbers).reduce((total, one) => total + one, 0);
}

/* What was counted of the port at that time; undefined: nothing yet. */
function httpOf(status, port) {
	return port === "client" ? status.http_client : portOf(status, port)?.http;
}

function perSecond(model, port, get) {
	return model.rate((status) => {
		const http = httpOf(status, port);

		return http && get(http);
	});
}

/* Answers to the first byte in the last seconds: how many, the sum of their times, how many by bucket. */
function firstBytes(model, port) {
	const before = model.ago(SHARE_SECONDS), earlier = before && httpOf(before, port)?.first_byte;
	const now = httpOf(model.now, port).first_byte, then = earlier?.sum_us <= now.sum_us ? earlier : null; /* it began anew */
	const buckets = now.buckets.map(({within_us, count}, i) =>
		({within_us, count: Math.max(0, count - (then?.buckets[i].count ?? 0))}));

	return {us: now.sum_us - (then?.sum_us ?? 0), buckets,
		count: before ? buckets.reduce((total, {count}) => total + count, 0) : 0};
}

function mean(model, port) {
	const {us, count} = firstBytes(model, port);

	return duration(count > 0 ? us / count : null);
}

/* Within that bound of a bucket are 99 of 100. */
function bound(model, port) {
	const {buckets, count} = firstBytes(model, port);
	let left = Math.ceil(count * QUANTILE), i = 0;

	if (count <= 0)
		return duration(null);
	while (i < buckets.length - 1 && left > buckets[i].count)
		left -= buckets[i++].count;
	return buckets[i].within_us === null ? `>${duration(buckets[i - 1].within_us)}`
					     : `<${duration(buckets[i].within_us)}`;
}

/* A number a second of what `get` finds, in the colour `kind` where it is more than 0. */
function rateColumn(model, name, get, kind) {
	const value = ({port}) => perSecond(model, port, get);

	return {name, of: (row) => rate(value(row)), kind: (row) => value(row) > 0 ? kind : ""};
}

function columnsOf(model) {
	return [
		{name: "Port", of: ({port}) => String(port)},
		rateColumn(model, "Requests/s", ({requests}) => sum(requests)),
		...CLASSES.map((name) => rateColumn(model, `${name}/s`, ({requests}) => requests[name], KINDS[name])),
		{name: "First byte", of: ({port}) => mean(model, port),
		 help: () => "the mean of the last seconds, from the request's last byte on"},
		{name: "99 %", of: ({port}) => bound(model, port), help: () => "of these times are within that bound"},
		...CLOSERS.map((name) => rateColumn(model, `Closed: ${name}/s`, ({closed}) => closed[name])),
	];
}

export function drawHttp(model) {
	element("http-card").hidden = !model.now.http;
	if (model.now.http)
		fill("http", columnsOf(model), linesOf(model.now).filter(({http}) =>
			sum(http.requests) + sum(http.connections)));
}
