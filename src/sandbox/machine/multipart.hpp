// multipart/form-data, as the SDKs send files in it.
// Source: RFC 7578
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "stripe/form.hpp"

namespace tilld::sandbox {

bool is_multipart(std::string_view content_type);

// Its parts in order. One with a filename is three: name[data] in base64, name[filename] and
// name[type].
// Errors: invalid (no boundary, a part without a name, no end).
result<stripe::form_pairs> decode_multipart(std::string_view content_type, std::string_view body);

}  // namespace tilld::sandbox
