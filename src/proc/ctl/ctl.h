/* ctl.h - the command line: asks the switch (DIRECTORY/control) and the reader (DIRECTORY/read) over the same channels
 * as everyone. One sentence to standard error for every failure.
 * Exit status: 0 done, 1 refused or not found, 64 wrong usage, 69 no MTA answers, 75 a process of it does not answer,
 * 78 the settings are wrong. */
#pragma once

int ctl_send(int argc, char **argv);
int ctl_read(int argc, char **argv);
int ctl_status(int argc, char **argv);
int ctl_metrics(int argc, char **argv);
int ctl_queue(int argc, char **argv);
int ctl_quarantine(int argc, char **argv);
int ctl_route(int argc, char **argv);
int ctl_console_password(int argc, char **argv);
int ctl_link(int argc, char **argv);
int ctl_trace(int argc, char **argv);
int ctl_events(int argc, char **argv);
int ctl_track(int argc, char **argv);
int ctl_show(int argc, char **argv);
int ctl_check_config(int argc, char **argv);
int ctl_reload(int argc, char **argv);
int ctl_demo(int argc, char **argv);
/* Online copies of the store, and a store made of one. Beyond the statuses above: 65 not a store or backup of ours, 66 there is none, 73 it cannot be
 * written, 74 it cannot be read or is not whole, 75 another backup is being made. */
int ctl_backup(int argc, char **argv);
int ctl_restore(int argc, char **argv);
