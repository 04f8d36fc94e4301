// Every command of tilld: each adds itself to the command line and says what to run.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace tilld::cli {

// What a chosen command does; its value is the exit code. Set by the command that was parsed.
using chosen = std::function<int()>;

void add_serve(CLI::App& app, chosen& run);
void add_sandbox(CLI::App& app, chosen& run);
void add_sandbox_run(CLI::App& sandbox, chosen& run);  // tilld sandbox run
void add_config(CLI::App& app, chosen& run);
void add_token(CLI::App& app, chosen& run);
void add_events(CLI::App& app, chosen& run);
void add_doctor(CLI::App& app, chosen& run);
void add_version(CLI::App& app, chosen& run);

}  // namespace tilld::cli
