// SPDX-License-Identifier: GPL-2.0-only
/*
 * By libcurl's own parser, so that both mean the same host.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/place.h"

/* Into memory that free() takes. */
static char *part(CURLU *url, CURLUPart which)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, which, &text, which == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0))
		return NULL;
	copy = strdup(text);
	curl_free(text);
	return copy;
}

/* "[fe80::1]" and the zone "eth0": "fe80::1%eth0" */
static char *host_of(CURLU *url)
{
	char *host = part(url, CURLUPART_HOST), *zone = part(url, CURLUPART_ZONEID), *bare;
	size_t len = host ? strlen(host) : 0, zone_len = zone ? strlen(zone) : 0;

	if (len > 1 && *host == '[') {
		bare = malloc(len + zone_len + 2);
		if (bare) {
			memcpy(bare, host + 1, len - 2);
			bare[len - 2] = '\0';
			if (zone)
				strcat(strcat(bare, "%"), zone);
		}
		free(host);
		host = bare;
	}
	free(zone);
	return host;
}

static int fill(CURLU *url, struct place *place, const char **why)
{
	char *scheme = part(url, CURLUPART_SCHEME), *port = part(url, CURLUPART_PORT);
	bool is_http = scheme && (!strcmp(scheme, "http") || !strcmp(scheme, "https"));

	*why = is_http ? "out of memory" : "only http:// and https:// are fetched";
	if (is_http && port) {
		place->is_tls = !strcmp(scheme, "https");
		place->port = atoi(port);
		place->host = host_of(url);
		place->url = part(url, CURLUPART_URL);
	}
	free(scheme);
	free(port);
	if (place->host && place->url)
		return 0;
	place__free(place);
	return -1;
}

int place__parse(const char *text, struct place *place, const char **why)
{
	CURLU *url = curl_url();
	CURLUcode code;
	int ret = -1;

	*place = (struct place){};
	*why = "out of memory";
	code = url ? curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME)
		   : CURLUE_OUT_OF_MEMORY;
	if (code)
		*why = curl_url_strerror(code);
	else
		ret = fill(url, place, why);
	curl_url_cleanup(url);
	return ret;
}

void place__free(struct place *place)
{
	free(place->url);
	free(place->host);
	*place = (struct place){};
}
