// Whether an event's object can be what it says: some events show less than the truth, or an older
// one, and must send us to Stripe instead of being stored.
#pragma once

#include <string_view>

namespace tilld::core {

// Why the object cannot be taken as it stands; empty: it can.
//
//   - "stale": its previous_attributes are what it still shows. An event is rendered when it is
//     sent, not when it happens, and now and then from a copy that is behind.
//   - "lists cut short": a list inside it has fewer than ten entries and says that there are more;
//     Stripe cuts at ten, so this one was made by somebody who had not all of them.
//
// Both arguments are JSON; `previous` may be empty. Costs one fast parse where there are previous
// attributes or a list with more, else a search for the word.
std::string_view doubt_of(std::string_view object, std::string_view previous);

}  // namespace tilld::core
