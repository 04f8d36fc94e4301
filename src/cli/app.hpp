// The command line: one file per command.
//
// Exit codes: 0 done; 1 the command failed; 2 wrong usage or settings; 74 the disk could not be
// trusted any more (a failed sync); 75 the data directory is in use or full.
#pragma once

namespace tilld::cli {

int run(int argc, char** argv);

namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
inline constexpr int io = 74;           // EX_IOERR of sysexits.h
inline constexpr int unavailable = 75;  // EX_TEMPFAIL
}  // namespace exit_code

}  // namespace tilld::cli
