// The name of a request, in its answer, in logs and in what is asked for its sake.
#pragma once

#include <string>
#include <string_view>

namespace tilld::http {

// `offered` (X-Request-Id) if it is 1 to 64 of A-Z a-z 0-9 _ . : -, else "req_" and 16 letters and
// digits. Unique, not secret: drawn from a generator that each thread seeds once from the kernel.
std::string request_id(std::string_view offered);

}  // namespace tilld::http
