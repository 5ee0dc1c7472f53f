// SPDX-License-Identifier: GPL-2.0-only
// Numbers as texts, the way the commands print them. What is not known is null, and shown as "-".

export const NONE = "-";

/* "48,210" */
export function count(n) {
	return n === null ? NONE : String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/* "999", "1.2k", "48k", "3.1M": four characters or fewer. */
export function short(n) {
	const units = ["", "k", "M", "G", "T"];
	let unit = 0;

	for (; n >= 1000 && unit < units.length - 1; unit++)
		n /= 1000;
	return unit && n < 10 ? (Math.floor(n * 10) / 10).toFixed(1) + units[unit] : Math.floor(n) + units[unit];
}

/* Of a rate: to a tenth where it is below 1. `write` gives the others their form. */
function small(rate, write) {
	if (rate === null)
		return NONE;
	if (rate > 0 && rate < 0.1)
		return "<0.1";
	return rate > 0 && rate < 0.95 ? rate.toFixed(1) : write(Math.round(rate));
}

export const rate = (value) => small(value, count);
export const shortRate = (value) => small(value, short);

/* Of a share from 0 to 1: never "100" of less than all. */
export function percent(share) {
	return share === null ? NONE : `${(Math.floor(share * 1000) / 10).toFixed(share < 1 ? 1 : 0)} %`;
}

/* Three digits and a unit: "6 us", "1.20 ms", "34.5 s"; then "12m05s", "3h04m". */
export function duration(us) {
	if (us === null)
		return NONE;
	for (const [limit, divisor, unit] of [[1e3, 1, "us"], [1e6, 1e3, "ms"], [6e7, 1e6, "s"]]) {
		if (us < limit) {
			const n = us / divisor;

			return `${n.toFixed(divisor === 1 || n >= 100 ? 0 : n < 10 ? 2 : 1)} ${unit}`;
		}
	}
	const seconds = Math.floor(us / 1e6), two = (n) => String(Math.floor(n)).padStart(2, "0");

	return seconds < 3600 ? `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
			      : `${Math.floor(seconds / 3600)}h${two((seconds % 3600) / 60)}m`;
}

/* "512 B", "1.50 KiB" */
export function bytes(n) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
	let unit = 0;

	for (; n >= 1024 && unit < units.length - 1; unit++)
		n /= 1024;
	return `${unit ? n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0) : n} ${units[unit]}`;
}

/* The time of day where the browser is. */
export function clock(date) {
	return date.toLocaleTimeString("en-GB");
}

export function endpoint(address, port) {
	return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
