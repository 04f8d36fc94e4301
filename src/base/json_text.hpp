// Writing JSON by hand where a DOM would cost more than the text.
#pragma once

#include <string>
#include <string_view>

namespace tilld {

// Appends `text` as a JSON string with its quotes. `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace tilld
