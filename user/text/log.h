/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module text turns values into text: numbers, addresses, names, JSON, messages. It includes no other module.
 *
 * Messages to stderr, one line each: what is wrong, why, and the fix.
 */
#ifndef SYNWARDEN_TEXT_LOG_H
#define SYNWARDEN_TEXT_LOG_H

/*
 * "synwarden: ", the text and a newline; in the journal the priority and the text. A notice reports a lasting change,
 * an info normal operation. Safe from several threads.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* An error in the arguments of `command`: names the command, and its help. */
void log_refused(const char *command, const char *text);

/*
 * Takes over libbpf's messages. log_libbpf_last() returns the last warning line ("" if none), for the caller's own
 * message to quote. With SYNWARDEN_DEBUG set in the environment all go to stderr as they come.
 */
void log_libbpf(void);
const char *log_libbpf_last(void);

#endif
