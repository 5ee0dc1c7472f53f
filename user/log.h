/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to stderr, one line each: what is wrong, why, and what mends it.
 */
#ifndef SYNWARDEN_LOG_H
#define SYNWARDEN_LOG_H

/* "synwarden: " and the text, with a newline. Safe from several threads. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* log_info() says nothing from now on. */
void log_quiet(void);

/*
 * Takes over libbpf's messages. They are kept back; log_libbpf_last() gives the last warning line ("" if none), for the
 * caller's own message to quote. With SYNWARDEN_DEBUG set in the environment all go to stderr as they come.
 */
void log_libbpf(void);
const char *log_libbpf_last(void);

#endif
