#include "cli/app.hpp"

#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace tilld::cli {

int run(int argc, char** argv) {
  CLI::App app{
      "tilld: the till of an application. It mirrors a Stripe account on local disk, applies its\n"
      "webhooks in the right order, sends orders to Stripe exactly once, and answers who may use\n"
      "what.\n\nTry it without a Stripe account:  tilld serve --sandbox"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of every command");
  chosen command;
  add_serve(app, command);
  add_sandbox(app, command);
  add_config(app, command);
  add_token(app, command);
  add_events(app, command);
  add_doctor(app, command);
  add_version(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? exit_code::ok : exit_code::usage;
  }
  try {
    return command ? command() : exit_code::usage;
  } catch (const std::exception& e) {
    std::cerr << "tilld: " << e.what() << '\n';
    return exit_code::failed;
  }
}

}  // namespace tilld::cli
