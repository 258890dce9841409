#include "vm/page_identity.h"

#include <string>

#include "locking/finding.h"
#include "vm/page.h"

namespace vm {

void FailIdentity(const Page& page, PageIdentity to) {
  locking::FailInvariant("INV-10", "frame " + std::to_string(page.frame) + " goes from " +
                                       PageIdentityName(page.identity) + " to " +
                                       PageIdentityName(to));
}

const char* PageIdentityName(PageIdentity identity) {
  static constexpr const char* kNames[] = {"free", "object",     "no-object",  "detached",
                                           "held", "contiguous", "fictitious", "absent"};
  static_assert(sizeof(kNames) / sizeof(kNames[0]) ==
                static_cast<std::size_t>(PageIdentity::kCount));
  return kNames[static_cast<std::size_t>(identity)];
}

}  // namespace vm
