/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module cmd holds the commands, one file each. It may include every other module.
 *
 * argv[0] is the command's name. Each returns the exit code: 0 done, 1 failed, 2 usage; doctor also 3 and 4.
 */
#ifndef SYNWARDEN_CMD_CMD_H
#define SYNWARDEN_CMD_CMD_H

int cmd_run(int argc, char **argv);
int cmd_ladder(int argc, char **argv);
int cmd_http(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_sync(int argc, char **argv);
int cmd_states(int argc, char **argv);
int cmd_conns(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_block(int argc, char **argv);
int cmd_unblock(int argc, char **argv);
int cmd_allow(int argc, char **argv);
int cmd_unallow(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_detach(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif
