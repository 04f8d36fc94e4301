// Time passes: everything that has fallen due is done, each thing at its own second, oldest first.
//
// Each step is a transaction of its own. One that a wrong rule breaks is taken back and put aside,
// so that the rest goes on.
#pragma once

#include <cstdint>
#include <string>

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox::time {

// Does what falls due by `to_s` on that clock (empty: the account's own). Gives how many steps were
// broken: 0 unless a rule is wrong.
int run(world& state, const account_facts& facts, const std::string& clock, std::int64_t to_s);

// The test clock that a request is about, by its customer, its subscription or whatever it names;
// empty: the account's own time.
std::string clock_of_request(const context& ctx);

// The context's time is that clock's. A clock that is gone has none: the account's stays.
void go_by(context& ctx, const std::string& clock);

}  // namespace tilld::sandbox::time
