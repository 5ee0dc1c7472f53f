/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to stderr, one line each: what is wrong, why, and what mends it.
 */
#ifndef SYNWARDEN_LOG_H
#define SYNWARDEN_LOG_H

/*
 * "synwarden: " and the text, with a newline; in the journal the priority and the text. A notice says that something is
 * over, or has changed for good; an info that all is as it should be. Safe from several threads.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* An error in what `command` was asked for: names it, and its help. */
void log_refused(const char *command, const char *text);

/*
 * Takes over libbpf's messages. They are kept back; log_libbpf_last() gives the last warning line ("" if none), for the
 * caller's own message to quote. With SYNWARDEN_DEBUG set in the environment all go to stderr as they come.
 */
void log_libbpf(void);
const char *log_libbpf_last(void);

#endif
