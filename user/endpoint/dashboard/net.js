// SPDX-License-Identifier: GPL-2.0-only
// What the page asks the endpoint for.

const PATIENCE_MS = 4000;

/* URL of a page of the endpoint: relative to this page, without a password that this page's URL may contain. */
export function address(path) {
	return new URL(path, location.origin + location.pathname).href;
}

/* An error has in `said` what the endpoint finds wrong with the request. */
export async function get(path) {
	const answer = await fetch(address(path), {cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS)});

	if (!answer.ok)
		throw Object.assign(new Error(`status ${answer.status}`), {said: answer.status === 400 ? (await answer.text()).trim() : ""});
	return answer.json();
}
