/* tool.h - offline tools, in the one process of the command line: decode captures and octets; generate load and swallow it;
 * check and repair a store; make, mend and look into Microsoft Mail postoffices. */
#pragma once

int tool_decode(int argc, char **argv);
int tool_bench(int argc, char **argv);
int tool_check(int argc, char **argv);
int tool_postoffice(int argc, char **argv);
