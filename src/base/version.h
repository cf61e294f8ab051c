/* version.h - of this program, as people are told; meson.build has it too, for the package (tools/check-house compares them). */
#pragma once

#define POSTHORN_VERSION "0.1.0"
