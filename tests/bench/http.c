// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an HTTP request takes while it is counted, by the programs of a `run --http on` and of an `http` that run: their
 * links are detached, and the programs attached and detached here, to a control group, beside a pair that does nothing.
 * Each of these observers in turn; JSON objects on stdout.
 *
 *	http pair SECONDS CGROUP RUN-PID HTTP-PID
 *		requests, and messages of another protocol, on a connection over loopback,
 *		both ends of which are in this thread and in CGROUP: what one host takes
 *		is half of it.
 *	http web SECONDS CGROUP RUN-PID HTTP-PID ADDRESS PID...
 *		requests that a server in CGROUP answers to a client, which keeps it
 *		busy: how many a second, by nginx's own count at
 *		http://ADDRESS/requests, and the CPU time of the processes.
 *	http paced SECONDS
 *		20,000 requests a second over loopback.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include <bpf/bpf.h>

#include "bench/http.skel.h"
#include "bench/paired.h"

#define HTTP_PORT  9911
#define OTHER_PORT 9912
#define RATE	   20000
#define SLICE_MS   100 /* of a busy server, before, with and behind an observer */
#define SETTLE_MS  5
#define PROCESSES  64

struct observer {
	const char *name;
	int programs[2], links[2]; /* of what comes in, of what goes out */
	int cgroup;
	struct paired request, other; /* of another protocol */
	struct paired cpu;	      /* of a request to the busy server */
	double taken[PAIRED_ROUNDS];  /* of its requests a second, in % */
};

static struct observer observers[] = {{.name = "empty"}, {.name = "run"}, {.name = "http"}};
#define OBSERVERS (sizeof(observers) / sizeof(*observers))

#define ASK    "GET /index.html HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nHello\n"

static struct pair http = {.ask = ASK, .ask_len = sizeof(ASK) - 1, .answer = ANSWER, .answer_len = sizeof(ANSWER) - 1};
static struct pair other = {
	.ask = "\1" ASK, .ask_len = sizeof(ASK), .answer = "\2" ANSWER, .answer_len = sizeof(ANSWER)};

static void attach(void *context)
{
	static const enum bpf_attach_type types[] = {BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS};
	struct observer *observer = context;

	for (int i = 0; i < 2; i++) {
		observer->links[i] = bpf_link_create(observer->programs[i], observer->cgroup, types[i], NULL);
		if (observer->links[i] < 0)
			die("attach");
	}
}

static void detach(void *context)
{
	struct observer *observer = context;

	for (int i = 0; i < 2; i++)
		close(observer->links[i]);
}

/* Detaches a link of another process, if it is one to a control group, and takes its program. */
static void take_link(struct observer *observer, unsigned id)
{
	int fd = bpf_link_get_fd_by_id(id);
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die("link");
	if (info.type == BPF_LINK_TYPE_CGROUP) {
		observer->programs[info.cgroup.attach_type == BPF_CGROUP_INET_EGRESS] =
			bpf_prog_get_fd_by_id(info.prog_id);
		bpf_link_detach(fd);
	}
	close(fd);
}

static void take_programs(struct observer *observer, const char *pid)
{
	char path[300], line[128];
	struct dirent *entry;
	unsigned id;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, entry->d_name);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "link_id: %u", &id) == 1)
				take_link(observer, id);
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
	if (observer->programs[0] <= 0 || observer->programs[1] <= 0)
		die(pid);
}

static void load(const char *cgroup, const char *run_pid, const char *http_pid)
{
	struct http_bpf *bpf = http_bpf__open_and_load();
	int fd = open(cgroup, O_RDONLY | O_CLOEXEC);

	if (!bpf || fd < 0)
		die("load");
	observers[0].programs[0] = bpf_program__fd(bpf->progs.pass_incoming);
	observers[0].programs[1] = bpf_program__fd(bpf->progs.pass_outgoing);
	take_programs(&observers[1], run_pid);
	take_programs(&observers[2], http_pid);
	for (size_t i = 0; i < OBSERVERS; i++)
		observers[i].cgroup = fd;
}

static void print(const char *name, const char *of, struct paired *paired, double parts)
{
	double ns = median(paired->ns, paired->rounds) / parts;

	printf("{\"case\": \"%s\", \"of\": \"%s\", \"ns\": %.1f, \"quartiles\": [%.1f, %.1f], \"without\": %.1f, "
	       "\"rounds\": %u",
	       name, of, ns, paired->ns[paired->rounds / 4] / parts, paired->ns[paired->rounds * 3 / 4] / parts,
	       median(paired->without, paired->rounds) / parts, paired->rounds);
}

/* Of a round trip, one host has a request, or two packets. */
static void measure_pair(uint64_t end)
{
	pin_to(0);
	connect_pair(&http, HTTP_PORT);
	connect_pair(&other, OTHER_PORT);
	do {
		for (size_t i = 0; i < OBSERVERS; i++) {
			paired__measure(&observers[i].request, &http, attach, detach, &observers[i]);
			paired__measure(&observers[i].other, &other, attach, detach, &observers[i]);
		}
	} while (now(CLOCK_MONOTONIC) < end);
	for (size_t i = 0; i < OBSERVERS; i++) {
		print(observers[i].name, "request", &observers[i].request, 2);
		puts("}");
		print(observers[i].name, "other", &observers[i].other, 4);
		puts("}");
	}
}

/* A server, and the processes that its requests keep busy. */
struct web {
	int fd;
	clockid_t clocks[PROCESSES];
	int count;
};

struct reading {
	uint64_t ns, cpu_ns, requests;
};

static void open_web(struct web *web, const char *address, char **pids)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80)};

	web->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || connect(web->fd, (struct sockaddr *)&at, sizeof(at)))
		die(address);
	for (; *pids && web->count < PROCESSES; pids++)
		if (clock_getcpuclockid(atoi(*pids), &web->clocks[web->count++]))
			die(*pids);
}

/* Of nginx's status: "server accepts handled requests\n 3 3 1970 \n" */
static uint64_t requests_of(const struct web *web)
{
	static const char ask[] = "GET /requests HTTP/1.1\r\nHost: bench\r\n\r\n";
	unsigned long accepts, handled, requests;
	char answer[1024], *line = NULL;
	size_t used = 0;
	ssize_t len;

	if (send(web->fd, ask, sizeof(ask) - 1, 0) < 0)
		die("requests");
	while (!line || !strstr(line, "Waiting")) {
		len = recv(web->fd, answer + used, sizeof(answer) - 1 - used, 0);
		if (len <= 0)
			die("requests");
		used += len;
		answer[used] = '\0';
		line = strstr(answer, "handled requests");
	}
	if (sscanf(line, "handled requests %lu %lu %lu", &accepts, &handled, &requests) != 3)
		die(answer);
	return requests;
}

static struct reading read_web(const struct web *web)
{
	struct reading reading = {.requests = requests_of(web), .ns = now(CLOCK_MONOTONIC)};

	for (int i = 0; i < web->count; i++)
		reading.cpu_ns += now(web->clocks[i]);
	return reading;
}

/* What a slice of time has brought: requests a second, and CPU time of one. */
static void watch(const struct web *web, double *rate, double *cpu_ns)
{
	struct reading first, last;

	usleep(SETTLE_MS * 1000);
	first = read_web(web);
	usleep(SLICE_MS * 1000);
	last = read_web(web);
	*rate = (last.requests - first.requests) * 1e9 / (last.ns - first.ns);
	*cpu_ns = (double)(last.cpu_ns - first.cpu_ns) / (last.requests - first.requests);
}

static void watch_one(struct observer *observer, const struct web *web)
{
	struct paired *cpu = &observer->cpu;
	double rate[3], ns[3], without;

	if (cpu->rounds == PAIRED_ROUNDS)
		return;
	watch(web, &rate[0], &ns[0]);
	attach(observer);
	watch(web, &rate[1], &ns[1]);
	detach(observer);
	watch(web, &rate[2], &ns[2]);
	without = (ns[0] + ns[2]) / 2;
	observer->taken[cpu->rounds] = (1 - rate[1] / ((rate[0] + rate[2]) / 2)) * 100;
	cpu->ns[cpu->rounds] = ns[1] - without;
	cpu->without[cpu->rounds++] = without;
}

static void measure_web(uint64_t end, const char *address, char **pids)
{
	struct web web = {};

	open_web(&web, address, pids);
	do {
		for (size_t i = 0; i < OBSERVERS; i++)
			watch_one(&observers[i], &web);
	} while (now(CLOCK_MONOTONIC) < end);
	for (size_t i = 0; i < OBSERVERS; i++) {
		print(observers[i].name, "web", &observers[i].cpu, 1);
		printf(", \"taken\": %.2f}\n", median(observers[i].taken, observers[i].cpu.rounds));
	}
}

/* What is behind its time is made up for. */
static void pace(uint64_t end)
{
	uint64_t began = now(CLOCK_MONOTONIC), time;
	unsigned long requests = 0;

	connect_pair(&http, HTTP_PORT);
	while ((time = now(CLOCK_MONOTONIC)) < end) {
		for (; requests < (time - began) * RATE / 1000000000; requests++)
			round_trip(&http);
		usleep(1000);
	}
	printf("{\"requests\": %lu, \"rate\": %.0f}\n", requests, requests * 1e9 / (now(CLOCK_MONOTONIC) - began));
}

int main(int argc, char **argv)
{
	uint64_t end;

	if (argc < 3)
		return 2;
	end = now(CLOCK_MONOTONIC) + strtoull(argv[2], NULL, 10) * 1000000000;
	if (argc >= 6)
		load(argv[3], argv[4], argv[5]);
	if (!strcmp(argv[1], "paced") && argc == 3)
		pace(end);
	else if (!strcmp(argv[1], "pair") && argc == 6)
		measure_pair(end);
	else if (!strcmp(argv[1], "web") && argc > 7)
		measure_web(end, argv[6], argv + 7);
	else
		return 2;
	return 0;
}
