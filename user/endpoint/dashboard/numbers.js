// SPDX-License-Identifier: GPL-2.0-only
// Numbers as texts, the way the commands print them (user/text/print.c): cut, never rounded up. What is not known is
// null, and shown as "-".

export const NONE = "-";

/* "48,210" */
export function count(n) {
	return n === null ? NONE : String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/* `value` in units of `unit`: "1.20", "34.5", "120". */
function threeDigits(value, unit) {
	const whole = Math.floor(value / unit), hundredths = Math.floor(value % unit * 100 / unit);

	if (whole < 10)
		return `${whole}.${String(hundredths).padStart(2, "0")}`;
	return whole < 100 ? `${whole}.${Math.floor(hundredths / 10)}` : String(whole);
}

/* "9,999", "48.2k", "1.23M" */
export function short(n) {
	const units = ["k", "M", "G", "T", "P"];
	let unit = 0;

	if (n < 10000)
		return count(Math.floor(n));
	for (; n >= 1e6; unit++)
		n /= 1000;
	return threeDigits(Math.floor(n), 1000) + units[unit];
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

/* Of a share from 0 on: never "100" of less than all. */
export function percent(share) {
	if (share === null)
		return NONE;
	return share < 1 ? `${(Math.floor(share * 1000) / 10).toFixed(1)} %` : `${count(Math.floor(share * 100))} %`;
}

/* Three digits and a unit: "6 us", "1.20 ms", "34.5 s"; then "12m05s", "3h04m", "2d03h". */
export function duration(us) {
	if (us === null)
		return NONE;
	if (us < 1e3)
		return `${Math.floor(us)} us`;
	if (us < 1e6)
		return `${threeDigits(Math.floor(us), 1e3)} ms`;
	if (us < 6e7)
		return `${threeDigits(Math.floor(us / 1e3), 1e3)} s`;
	const s = Math.floor(us / 1e6), two = (n) => String(Math.floor(n)).padStart(2, "0");

	if (s < 3600)
		return `${Math.floor(s / 60)}m${two(s % 60)}s`;
	return s < 86400 ? `${Math.floor(s / 3600)}h${two(s % 3600 / 60)}m`
			 : `${Math.floor(s / 86400)}d${two(s % 86400 / 3600)}h`;
}

/* "512 B", "1.50 KiB" */
export function bytes(n) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
	let unit = 0;

	if (n < 1024)
		return `${n} B`;
	for (unit = 1; n >= 1024 * 1024; unit++)
		n = Math.floor(n / 1024);
	return `${threeDigits(n, 1024)} ${units[unit]}`;
}

/* Times are UTC, as the commands print them, or of the browser's zone: one switch for the whole page. */
let local = false;

export function useLocalTime(yes) {
	local = yes;
}

/* "UTC", or "UTC+02:00" */
export function zone(date) {
	const minutes = local ? -date.getTimezoneOffset() : 0, two = (n) => String(Math.floor(n)).padStart(2, "0");

	return minutes ? `UTC${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}` : "UTC";
}

/* "2026-01-02 03:04:05" */
export function moment(date) {
	const shifted = local ? date.getTime() - date.getTimezoneOffset() * 60000 : date.getTime();

	return new Date(shifted).toISOString().slice(0, 19).replace("T", " ");
}

/* "03:04:05" */
export function clock(date) {
	return moment(date).slice(11);
}

export function endpoint(address, port) {
	return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/* "port 80", "ports 80, 443, 8080 and 3 more" */
export function portNames(ports, most = 3) {
	const names = ports.slice(0, most).map((one) => one.port).join(", ");
	const more = ports.length > most ? ` and ${ports.length - most} more` : "";

	return `${ports.length > 1 ? "ports" : "port"} ${names}${more}`;
}
