#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/app.hpp"
#include "cli/commands.hpp"
#include "store/rocks_store.hpp"
#include "stripe/catalogue.hpp"

namespace tilld::cli {

void add_version(CLI::App& app, chosen& run) {
  auto* command = app.add_subcommand("version", "Print the version, and what it speaks");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "As JSON");
  command->callback([&run, as_json] {
    run = [as_json] {
      const std::string api(stripe::catalogue::instance().api_version());
      if (*as_json) {
        std::cout << nlohmann::json{{"version", TILLD_VERSION},
                                    {"stripe_api_version", api},
                                    {"store_schema", store::schema_version}}
                  << '\n';
      } else {
        std::cout << "tilld " << TILLD_VERSION << "\nStripe API " << api << "\nstore schema "
                  << store::schema_version << '\n';
      }
      return exit_code::ok;
    };
  });
}

}  // namespace tilld::cli
