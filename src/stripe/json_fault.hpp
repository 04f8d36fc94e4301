// Where a text stops being JSON. The fast reader only says that it does; whoever has to find the
// one bad byte in a refused event of 4 KB wants to know where.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tilld::stripe {

// The offset of the first byte that no JSON text could continue with; nullopt when the grammar
// holds (the fault is then a bound: depth, a number too large). Slow: for refusals only.
std::optional<std::size_t> first_fault(std::string_view text);

}  // namespace tilld::stripe
