// Checks that every object, also inside objects, has exactly the fields of the catalogue, but for
// those that its kind leaves out.
#pragma once

#include <set>
#include <string>

#include "client.hpp"

namespace tilld::test {

void check_shapes(const json& value);
void check_shapes(const json& value, std::set<std::string>& seen);  // notes the names of objects

std::set<std::string> fields_of(const std::string& object);  // of the catalogue
std::set<std::string> keys_of(const json& object);

}  // namespace tilld::test
