#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"

namespace tilld::cli {

void add_config(CLI::App& app, chosen& run) {
  auto* command = app.add_subcommand("config", "Check or show the settings");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  tilld config check --config /etc/tilld/tilld.toml\n"
      "  TILLD_LOG_LEVEL=debug tilld config show");
  auto flags = std::make_shared<settings_flags>();

  auto* check = command->add_subcommand("check", "Say whether the settings are right");
  flags->add_to(*check);
  check->callback([&run, flags] {
    run = [flags] {
      const auto settings = flags->load();
      if (!settings) return exit_code::usage;
      for (const auto& warning : config::warnings(*settings)) {
        std::cout << "warning: " << warning << '\n';
      }
      std::cout << "the settings are right\n";
      return exit_code::ok;
    };
  });

  auto* show = command->add_subcommand("show", "Print every setting in force; secrets are masked");
  flags->add_to(*show);
  show->callback([&run, flags] {
    run = [flags] {
      const auto settings = flags->load();
      if (!settings) return exit_code::usage;
      std::cout << config::show(*settings);
      return exit_code::ok;
    };
  });
}

}  // namespace tilld::cli
