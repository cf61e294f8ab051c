/* interchange_fuzz.c - any frames from an interchange, and any word of how it died: connector_fuzz.c with its other streams. */
#define AS_INTERCHANGE
#include "proc/switch/connector_fuzz.c"
