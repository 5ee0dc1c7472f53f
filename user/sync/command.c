// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden sync: what it is asked for, and what it gives up before it talks to a network. The maps are opened with
 * root's rights, which are then dropped for good: what is read from the network is parsed without any.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_file.h"
#include "config/options.h"
#include "server/secrets.h"
#include "sync/sync.h"
#include "system/heap.h"
#include "system/privileges.h"
#include "text/log.h"

#define RECORDS_PER_ENTRY 2 /* decisions on the same address */

static const struct option_row rows[] = {
	{"config", 'c', OPTION_FILE, 0, 0, "FILE", offsetof(struct sync_flags, config),
	 .help = "read the sources from it", .fallback = CONFIG_FILE},
	{"once", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct sync_flags, once),
	 .help = "read every source once, and end: with 3 where one could not be read"},
	{"dry-run", 'n', OPTION_FLAG, 0, 0, NULL, offsetof(struct sync_flags, dry_run),
	 .help = "change no list, and print what would be added (+) and removed (-)"},
	{"force", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct sync_flags, force),
	 .help = "believe a full answer however short it is; where a sync runs, it is asked to"},
	{"export", 0, OPTION_TEXT, 0, 0, "FILE", offsetof(struct sync_flags, export),
	 .help = "write the block list to a file whenever it changes, for other hosts to read"},
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct sync_flags, json),
	 .help = "of status: one JSON object a source"},
};

static const struct option_table table = {
	.command = "sync",
	.arguments = "[status]",
	.summary =
		"Reads the lists that the configuration file names ([crowdsec], [list NAME]), and keeps the fleet's "
		"lists\n"
		"of the running filter in step with them, until SIGINT or SIGTERM. status: how each source is doing.",
	.examples = "  synwarden sync --once --dry-run\n"
		    "  synwarden sync status\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
	.max_arguments = 1,
};

static int read_settings(struct sync *sync)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	if (!settings)
		return -1;
	settings__init(settings);
	settings->without_lists = true;
	sync->settings = settings;
	if (config_file__read(settings, sync->flags->config))
		return -1;
	if (settings->sync.source_count)
		return 0;
	log_error("\"%s\" names no source: neither [crowdsec] nor [list NAME]", sync->flags->config);
	return -1;
}

static int open_maps(struct sync *sync)
{
	int ret = fleet_lists__open(&sync->fleet, !sync->flags->dry_run);

	if (ret <= 0)
		return ret;
	if (sync->flags->dry_run)
		return 0;
	log_error("there are no fleet lists to fill: no synwarden runs here with these sources in its configuration "
		  "file; fix: systemctl restart synwarden");
	return -1;
}

/* The pid of a `sync` that runs here; 0: none, -1: this one does. */
static pid_t lock(struct sync *sync)
{
	struct flock lock = {.l_type = F_WRLCK};

	if (sync->lock < 0)
		return 0;
	if (!sync->flags->dry_run && fcntl(sync->lock, F_SETLK, &lock) == 0)
		return -1;
	if (fcntl(sync->lock, F_GETLK, &lock))
		return 0;
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

/* By hand, without a unit: systemd has made it for the user already. */
static void make_folder(struct sync *sync, const struct passwd *user)
{
	struct state_folder *folder = &sync->folder;

	if (!state_folder__find_in(folder, SYNC_STATE_DIR))
		*folder = (struct state_folder){.fd = -1};
	else if (mkdir(folder->path, 0700) == 0 && user && chown(folder->path, user->pw_uid, user->pw_gid))
		log_warn("cannot give %s to user " SYNC_USER ": %s", folder->path, strerror(errno));
}

static void open_folder(struct sync *sync)
{
	struct state_folder *folder = &sync->folder;
	char path[STATE_PATH_LEN];

	if (!*folder->path)
		return;
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd >= 0)
		sync->lock = open(state_folder__path(path, folder, SYNC_LOCK), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sync->lock < 0)
		log_warn("what is known ends with this sync: cannot use %s: %s", folder->path, strerror(errno));
	/* A dry run only asks who has the lock. */
	if (sync->lock < 0 || sync->flags->dry_run || !sync->settings->sync.options.state)
		state_folder__close(folder);
}

/* NULL: this process stays who it is. */
static const struct passwd *find_user(void)
{
	return geteuid() == 0 ? getpwnam(SYNC_USER) : NULL;
}

static int drop_rights(const struct passwd *user)
{
	if (user && (setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
		     setresuid(user->pw_uid, user->pw_uid, user->pw_uid))) {
		log_error("cannot become user " SYNC_USER ": %s", strerror(errno));
		return -1;
	}
	return privileges__drop_all();
}

/* Whether others on the way read what is sent there. */
static bool is_open_to_read(const char *url)
{
	static const char *const own[] = {"http://127.", "http://localhost:", "http://localhost/", "http://[::1]"};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strncmp(url, own[i], strlen(own[i])))
			return false;
	return !strncmp(url, "http:", 5);
}

static int read_key(struct sync *sync, char **key)
{
	const struct sync_source *crowdsec = sync_options__find(&sync->settings->sync, SYNC_CROWDSEC);

	*key = NULL;
	if (!crowdsec || !crowdsec->options.key_file)
		return 0;
	*key = secrets__read("key-file", crowdsec->options.key_file, true);
	if (!*key)
		return -1;
	(*key)[strcspn(*key, " \t\r\n")] = '\0';
	if (**key) {
		if (is_open_to_read(crowdsec->options.url))
			log_warn("the key goes to %s without encryption; fix: https, or a LAPI on this host",
				 crowdsec->options.url);
		return 0;
	}
	log_error("key-file: \"%s\" is empty; fix: cscli bouncers add HOST -o raw", crowdsec->options.key_file);
	return -1;
}

static int open_sources(struct sync *sync)
{
	const struct sync_settings *settings = &sync->settings->sync;

	notes__clear(&sync->notes);
	sync->sources = calloc(settings->source_count, sizeof(*sync->sources));
	sync->context = (struct source_context){
		.sync = &settings->options,
		.notes = &sync->notes,
		.multi = curl_multi_init(),
		.most = (size_t)settings->options.max_entries * RECORDS_PER_ENTRY,
	};
	if (!sync->sources || !sync->context.multi)
		return -1;
	for (; sync->source_count < settings->source_count; sync->source_count++) {
		struct shared_source *source = &sync->sources[sync->source_count];

		source__open(source, &settings->sources[sync->source_count], sync->source_count);
		if (sync->flags->once || sync->flags->force)
			source__want_all(source, sync->flags->force);
	}
	return 0;
}

static void close_all(struct sync *sync, char *key)
{
	for (size_t i = 0; i < sync->source_count; i++)
		source__close(&sync->sources[i], &sync->context);
	free(sync->sources);
	curl_multi_cleanup(sync->context.multi);
	for (enum list list = 0; list < LIST_MAX; list++)
		desired__free(&sync->held[list]);
	protected__close(&sync->protected);
	fleet_lists__close(sync->fleet);
	state_folder__close(&sync->folder);
	settings__free(sync->settings);
	secrets__free(key);
}

/* Another one that runs here is asked to do it; what a second one reads with the same key, the first would miss. */
static int ask_other(const struct sync_flags *flags, pid_t other)
{
	if (!flags->force) {
		log_error("another synwarden sync runs here, pid %d; to have it read all sources in full: kill -HUP %d",
			  other, other);
		return EXIT_FAILURE;
	}
	if (kill(other, SIGUSR1)) {
		log_error("cannot ask the synwarden sync with pid %d: %s", other, strerror(errno));
		return EXIT_FAILURE;
	}
	printf("the synwarden sync with pid %d reads all sources in full, and believes them\n", other);
	return EXIT_SUCCESS;
}

/* Once the settings are read. */
static int start(struct sync *sync, char **key)
{
	const struct passwd *user = find_user();
	pid_t other;
	int ret;

	make_folder(sync, user);
	if (open_maps(sync) || drop_rights(user))
		return EXIT_FAILURE;
	open_folder(sync);
	other = lock(sync);
	if (other > 0 && !sync->flags->dry_run)
		return ask_other(sync->flags, other);
	if (read_key(sync, key) || open_sources(sync))
		return EXIT_FAILURE;
	sync->context.key = *key;
	ret = sync__run(sync);
	if (other > 0 && kill(other, SIGHUP))
		log_warn("the synwarden sync with pid %d may lack what was read here: %s", other, strerror(errno));
	return ret;
}

int sync_command(int argc, char **argv)
{
	struct sync_flags flags = {};
	struct sync *sync;
	int count = options__parse(&table, argc, argv, &flags), ret = EXIT_FAILURE;
	char *key = NULL;

	if (count < 0)
		return -count;
	if (count && strcmp(argv[1], "status") != 0)
		return -options__refuse(&table, "\"%.128s\" is not status", argv[1]);
	if (count)
		return sync__status(&flags);
	heap__share();
	sync = calloc(1, sizeof(*sync));
	if (!sync || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		log_error("sync: out of memory");
		free(sync);
		return EXIT_FAILURE;
	}
	sync->flags = &flags;
	sync->folder.fd = sync->lock = sync->protected.watch = -1;
	if (read_settings(sync) == 0)
		ret = start(sync, &key);
	close_all(sync, key);
	curl_global_cleanup();
	free(sync);
	return ret;
}
